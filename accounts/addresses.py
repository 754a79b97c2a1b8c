"""E-mail addresses as people are found by: one form for each, and none that only looks like another's."""

from __future__ import annotations

import hashlib
import hmac

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from accounts.errors import InvalidInput

LONGEST = 254  # RFC 5321


def normalize_email(given: str) -> str:
    """The address in lower case. Raises InvalidInput for what is no address, or has letters beyond ASCII.

    Letters of other alphabets look like Latin ones; domains with them have an ASCII form to use (RFC 5891).
    """
    email = given.strip().lower()
    try:
        validate_email(email)
    except ValidationError as error:
        raise InvalidInput("Enter an e-mail address, such as name@example.org.", field="email") from error
    if not email.isascii() or len(email) > LONGEST:
        raise InvalidInput("Enter the address in ASCII letters, at most 254 of them.", field="email")
    return email


def email_digest(email: str) -> str:
    """What stands for a stranger's address in the service's own log: a keyed digest, to compare by."""
    said = email.strip().lower().encode()
    return hmac.new(settings.SECRET_KEY.encode(), b"email\n" + said, hashlib.sha256).hexdigest()[:32]
