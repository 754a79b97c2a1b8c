"""What waits for a link that went out by e-mail. Only digests (SHA-256) of the links' tokens are kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models

RESET_VALID_FOR = timedelta(minutes=30)
CHANGE_VALID_FOR = timedelta(hours=24)
UNDO_VALID_FOR = timedelta(days=7)


class PasswordReset(models.Model):
    """A link to choose a new password, good once. It opens no session and stands for no factor."""

    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    token_digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"password reset of {self.created_at:%Y-%m-%d}"


class EmailChange(models.Model):
    """A new address that waits for its proof, or has been proved and can still be undone from the old one."""

    person = models.ForeignKey("accounts.Person", on_delete=models.CASCADE, related_name="+")
    old_email = models.EmailField(max_length=254)
    new_email = models.EmailField(max_length=254)
    token_digest = models.BinaryField(max_length=32, unique=True)
    undo_digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"change of address of {self.created_at:%Y-%m-%d}"

    def may_be_confirmed(self, at: datetime) -> bool:
        """Whether the link to the new address still works."""
        return self.confirmed_at is None and self.undone_at is None and at < self.expires_at

    def may_be_undone(self, at: datetime) -> bool:
        """Whether the link to the old address still works."""
        return self.undone_at is None and at < (self.confirmed_at or self.created_at) + UNDO_VALID_FOR
