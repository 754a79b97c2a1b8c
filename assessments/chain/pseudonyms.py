"""Who a subcontractor is, without saying it.

A subject is a keyed digest of an organisation: equal for the same one wherever it works, so that a circle is noticed
and one that two business associates rely on is seen to be one. A pseudonym is a keyed digest of viewer and subject: two
viewers can't compare theirs. Neither leads back without the key, settings.FIELD_KEY.
"""

from __future__ import annotations

import hmac
from base64 import b32encode
from uuid import UUID

from django.conf import settings

from accounts.sealing import seal, unseal


def subject_of_tenant(tenant_id: UUID) -> bytes:
    """The subject of an organisation that is a tenant."""
    return _digest(b"tenant", tenant_id.bytes)


def subject_of_entry(tenant_id: UUID, associate_id: UUID) -> bytes:
    """The subject of one that is known from a tenant's register alone."""
    return _digest(b"entry", tenant_id.bytes + associate_id.bytes)


def pseudonym_for(viewer_id: UUID, subject: bytes) -> str:
    """Such as "Subcontractor K7QM-3XRA".

    Its 40 bits give two of a viewer's 1,000 subcontractors the same one in one case of two million.
    """
    code = b32encode(_digest(b"pseudonym", viewer_id.bytes + subject)[:5]).decode()
    return f"Subcontractor {code[:4]}-{code[4:]}"


def seal_subject(viewer_id: UUID, subject: bytes) -> bytes:
    """The subject for the viewer's own computing: never equal in two rows."""
    return seal(subject, place=f"chain:{viewer_id}")


def unseal_subject(viewer_id: UUID, sealed: bytes) -> bytes:
    """What was sealed for the viewer. Raises SealBrokenError."""
    return unseal(sealed, place=f"chain:{viewer_id}")


def _digest(what: bytes, about: bytes) -> bytes:
    return hmac.digest(settings.FIELD_KEY, b"chain " + what + b":" + about, "sha256")
