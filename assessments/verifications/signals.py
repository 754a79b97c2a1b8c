"""What others do of verifications, for parts that tell of them."""

from __future__ import annotations

from django.dispatch import Signal

verification_arrived = Signal()
"""In the covered entity's tenant, in the transaction in which its people are told of a delivery."""
