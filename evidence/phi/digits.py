"""Check digits and rules of numbers: what makes nine digits a Social Security number, and not an offset."""

from __future__ import annotations

import ipaddress
from functools import lru_cache

import phonenumbers

_VIN = {
    letter: value
    for group, value in zip("AJ BKS CLT DMU ENV FW GPX HY RZ".split(), range(1, 10), strict=True)
    for letter in group
}
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)
_STATES = frozenset(
    "AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR "
    "PA RI SC SD TN TX UT VT VA WA WV WI WY PR VI GU AS MP".split()
)


def only_digits(text: str) -> str:
    """The ASCII digits of a text."""
    return "".join(letter for letter in text if letter in "0123456789")


def is_luhn(text: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    digits = [int(digit) for digit in reversed(only_digits(text))]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[1::2]]
    return bool(digits) and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def is_ssn(text: str) -> bool:
    """The Social Security Administration's rules since 2011: no area 000, 666, 9xx; no group 00; no serial 0000."""
    digits = only_digits(text)
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return (
        len(digits) == 9
        and area not in {"000", "666"}
        and area[0] != "9"
        and group != "00"
        and serial != "0000"
    )


def is_npi(text: str) -> bool:
    """A National Provider Identifier: Luhn over the prefix 80840 (45 CFR 162.406)."""
    return is_luhn("80840" + only_digits(text))


def is_dea(text: str) -> bool:
    """A DEA registration number's check digit."""
    d = [int(digit) for digit in only_digits(text)]
    return len(d) == 7 and (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]


def is_card(text: str) -> bool:
    """A payment card's length and check digit."""
    return 13 <= len(only_digits(text)) <= 19 and is_luhn(text) and len(set(only_digits(text))) > 1


def is_vin(text: str) -> bool:
    """A vehicle identification number's check digit (49 CFR 565.15)."""
    values = [int(c) if c.isdigit() else _VIN.get(c, -1) for c in text.upper()]
    if len(values) != 17 or min(values) < 0 or text.isdigit():
        return False
    remainder = sum(value * weight for value, weight in zip(values, _VIN_WEIGHTS, strict=True)) % 11
    return text.upper()[8] == ("X" if remainder == 10 else str(remainder))


def is_gtin(text: str) -> bool:
    """The check digit of the device identifier in a UDI by GS1."""
    digits = [int(digit) for digit in only_digits(text)[-14:]]
    return len(digits) == 14 and sum(d * (3 if n % 2 == 0 else 1) for n, d in enumerate(digits)) % 10 == 0


@lru_cache(1_000)
def is_phone(text: str) -> bool:
    """A number that is in use somewhere, by libphonenumber; without country code, in the United States."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(text, "US"))
    except phonenumbers.NumberParseException:
        return False


@lru_cache(1_000)
def is_public_ip(text: str) -> bool:
    """An address that can belong to a person's device: neither private nor reserved nor for documentation."""
    groups = text.count(":") + 1
    if groups > 1 and "::" not in text and groups != 8:
        return False
    try:
        return ipaddress.ip_address(text).is_global
    except ValueError:
        return False


def is_state_and_zip(text: str) -> bool:
    """A state's letters before a ZIP code, as in TX 75001."""
    return text[:2] in _STATES


def has_digits(text: str) -> bool:
    """At least four digits: an identifier, not a word."""
    return len(only_digits(text)) >= 4


def is_no_aws_account(text: str) -> bool:
    """An account number of at least four digits, other than AWS's twelve."""
    return has_digits(text) and len(only_digits(text)) != 12


def is_no_date(text: str) -> bool:
    """An identifier of at least four digits that isn't the date of a policy's language, as 2012-10-17."""
    return has_digits(text) and not (
        len(text) == 10 and text[4] == text[7] == "-" and text[:2] in {"19", "20"}
    )
