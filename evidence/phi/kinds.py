"""The 18 identifiers of 45 CFR 164.514(b)(2)(i), and what to do when one is found."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """The identifiers, (A) to (R), in the regulation's order."""

    NAME = "name"
    PLACE = "place"
    DATE = "date"
    PHONE = "phone"
    FAX = "fax"
    EMAIL = "email"
    SSN = "ssn"
    RECORD_NUMBER = "medical_record_number"
    PLAN_NUMBER = "health_plan_number"
    ACCOUNT = "account_number"
    LICENCE = "licence_number"
    VEHICLE = "vehicle"
    DEVICE = "device"
    URL = "url"
    IP_ADDRESS = "ip_address"
    BIOMETRIC = "biometric"
    PHOTO = "photo"
    OTHER = "other_unique"


class Weight(StrEnum):
    """How much a hit tells of a patient.

    BLOCK identifies one by itself or by the word before it. REVIEW may, and a person should look. NOTE is ordinary in
    evidence of how systems are set up: administrators' e-mail addresses, addresses of servers.
    """

    BLOCK = "block"
    REVIEW = "review"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Hit:
    """One identifier. `sample` is masked and may be shown; `confidence` is 0 to 1, judged by hand, not measured.

    `place` finds it again: "line 7", "cell B2 of sheet1", a JSON pointer, "page 3".
    """

    kind: Kind
    weight: Weight
    place: str
    sample: str
    confidence: float


def mask(text: str) -> str:
    """The shape of a value without the value: letters are x, digits 0, separators stay."""
    shape = "".join(
        "0" if c.isdigit() else "x" if c.isalpha() else c if c.isprintable() else "?" for c in text
    )
    return (shape[:40] + "...") if len(shape) > 40 else shape  # noqa: PLR2004  enough to see the form
