"""Passkeys (W3C Web Authentication, level 3): a key per site in a device or a password manager.

The browser signs for this site's name alone, so that a look-alike site gets nothing that works here. Every use
asks for user verification (a PIN, a finger, a face), so that one passkey is both factors.
"""

from __future__ import annotations

import hashlib

from django.db import models
from django_otp.models import Device

LONGEST_CREDENTIAL_ID = 1023
"""Octets (WebAuthn level 3, 4 "Credential ID")."""


class Passkey(Device):  # type: ignore[misc] # django-otp has no types
    """A credential of a person. Only the public key is here: nothing in the table opens anything."""

    credential_id = models.BinaryField(max_length=LONGEST_CREDENTIAL_ID, unique=True)
    public_key = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    transports = models.JSONField(default=list)
    aaguid = models.UUIDField()
    backup_eligible = models.BooleanField()
    """Whether it can be copied by its provider (a synchronised passkey), rather than bound to one device."""
    backed_up = models.BooleanField()
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)

    @property
    def handle(self) -> str:
        """What stands for it in addresses and logs: 128 bits of the SHA-256 of its id, in hex."""
        return hashlib.sha256(bytes(self.credential_id)).hexdigest()[:32]

    def verify_token(self, token: str) -> bool:  # noqa: ARG002 (django-otp's signature)
        """For django_otp.match_token: no typed code is ever a passkey's."""
        return False


class SpentChallenge(models.Model):
    """A challenge that was answered rightly, kept (as SHA-256) while it could be answered again."""

    digest = models.BinaryField(max_length=32, primary_key=True)
    spent_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return "spent challenge"
