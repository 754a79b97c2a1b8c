"""What a password may not be, besides Django's own rules: made of this portal's words, or known from a breach."""

from __future__ import annotations

import re
from typing import Any

from django.core.exceptions import ValidationError

CONTEXT_WORDS = (
    "surety", "hipaa", "phi", "ephi", "safeguard", "compliance", "security", "auditor", "audit", "evidence", "hospital",
    "health", "healthcare", "password", "passphrase", "admin", "owner", "amazon", "aws", "cloudtrail", "welcome",
)  # fmt: skip
"""Words that somebody who knows the portal would try first (OWASP ASVS 5.0, 6.1.2); docs/identity.md repeats them."""

LEAST_REMAINDER = 8
_LONGEST_FIRST = re.compile("|".join(sorted(CONTEXT_WORDS, key=len, reverse=True)))
_LOOKALIKES = str.maketrans("013457@$!", "oieastasi")


class ContextWordValidator:
    """Refuses a password of which too little is left without the words of this portal (ASVS 5.0, 6.2.11)."""

    def validate(self, password: str, user: Any = None) -> None:  # noqa: ARG002 (Django gives it)
        """Raises ValidationError where fewer than eight letters stand beside the words."""
        plain = password.lower().translate(_LOOKALIKES)
        rest = _LONGEST_FIRST.sub("", plain)
        if rest != plain and sum(letter.isalpha() for letter in rest) < LEAST_REMAINDER:
            raise ValidationError(
                "This password is made of words that are easily guessed here. Add words of your own.",
                code="password_of_context_words",
            )

    def get_help_text(self) -> str:
        return "Not made of words like the portal's name, hospital or security alone."
