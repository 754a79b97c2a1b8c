"""Which passwords are refused, where people choose one."""

from __future__ import annotations

import hashlib

import httpx
import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from pwned_passwords_django.api import PwnedPasswords
from pwned_passwords_django.validators import PwnedPasswordsValidator

from accounts.passwords import CONTEXT_WORDS, ContextWordValidator


@pytest.mark.parametrize(
    "password",
    [
        "surety-hipaa-2026",
        "Hospital!Security1",
        "SURETYSURETYSURETY",
        "5uretyH1paa2026!",
        "Audit0r-Evidence-7",
    ],
)
def test_a_password_of_the_portals_words_alone_is_refused(password):
    with pytest.raises(ValidationError, match="easily guessed here"):
        validate_password(password)


@pytest.mark.parametrize(
    "password",
    ["four rusty kettles whistle", "x" * 20 + "q7", "ひらがなのパスワードですよこれは", "hospital of the green lantern",
     "9174028365501", "z" * 200],
)  # fmt: skip
def test_any_composition_and_length_is_taken(password):
    validate_password(password)


@pytest.mark.parametrize("password", ["short-one", "", "elevenchars"])
def test_fewer_than_twelve_characters_are_refused(password):
    with pytest.raises(ValidationError, match="too short"):
        validate_password(password)


def test_a_common_password_is_refused():
    with pytest.raises(ValidationError, match="too common"):
        validate_password("123456789123")


@pytest.mark.parametrize("word", CONTEXT_WORDS)
def test_a_word_among_enough_others_is_no_fault(word):
    ContextWordValidator().validate(f"{word} under crooked lanterns")


def _breaches(*passwords: str, fail: bool = False) -> PwnedPasswordsValidator:
    digests = [hashlib.sha1(password.encode()).hexdigest().upper() for password in passwords]

    def answer(request: httpx.Request) -> httpx.Response:
        prefix = request.url.path.rsplit("/", 1)[-1]
        assert len(prefix) == 5, "only five characters of the digest leave the portal"
        if fail:
            raise httpx.ConnectTimeout("no answer")
        return httpx.Response(200, text="\n".join(f"{each[5:]}:12" for each in digests if each[:5] == prefix))

    client = httpx.Client(transport=httpx.MockTransport(answer))
    return PwnedPasswordsValidator(api_client=PwnedPasswords(client=client))


def test_a_password_that_was_breached_is_refused_and_another_is_not():
    validator = _breaches("kettle lantern bridge")
    validator.validate("kettle lantern bridges")
    with pytest.raises(ValidationError):
        validator.validate("kettle lantern bridge")


def test_when_the_list_of_breaches_does_not_answer_the_common_ones_are_still_refused():
    validator = _breaches(fail=True)
    validator.validate("kettle lantern bridge")
    with pytest.raises(ValidationError):
        validator.validate("123456789123")


def test_production_asks_for_breaches_by_default():
    from portal.settings import password_validators

    names = [each["NAME"] for each in password_validators(breaches=True)]
    assert any("PwnedPasswordsValidator" in name for name in names)
    assert not any("Pwned" in each["NAME"] for each in password_validators(breaches=False))
