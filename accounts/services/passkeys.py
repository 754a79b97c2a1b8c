"""Adding, using and removing passkeys. What browsers send is judged by py_webauthn and by the rules here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
import webauthn
from cryptography.exceptions import UnsupportedAlgorithm
from django.db import IntegrityError, transaction
from django.utils import timezone
from webauthn.authentication.verify_authentication_response import VerifiedAuthentication
from webauthn.helpers import (
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    parse_attestation_object,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationFormat,
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from webauthn.registration.verify_registration_response import VerifiedRegistration

from accounts.audit.events import Act, ActOutcome
from accounts.ceremony import VALID_SECONDS, Ceremony, RelyingParty, relying_party
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Passkey, Person, SpentChallenge
from accounts.notices import Notice, notify
from accounts.passkeys import LONGEST_CREDENTIAL_ID
from accounts.services.person_log import record_for_person
from accounts.services.second_factor import require_another_factor

LONGEST_ANSWER = 16_384
MOST_PASSKEYS = 20
REFUSED = "This passkey didn't work here. Try again, or use another way to sign in."
UNFIT = (
    WebAuthnException, UnsupportedAlgorithm, ValueError, KeyError, TypeError, AttributeError, OverflowError,
    RecursionError,
)  # fmt: skip
"""What py_webauthn raises for answers that no browser gave."""
TIMEOUT_MS = VALID_SECONDS * 1000

logger = structlog.get_logger()


def creation_options(*, person: Person, ceremony: Ceremony) -> str:
    """PublicKeyCredentialCreationOptions as JSON: a discoverable credential with user verification, any maker."""
    return webauthn.options_to_json(
        webauthn.generate_registration_options(
            rp_id=_site().id, rp_name="Surety", user_id=person.pk.bytes, user_name=person.email,
            user_display_name=person.name or person.email, challenge=ceremony.new_challenge(), timeout=TIMEOUT_MS,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_descriptors(person),
        )
    )  # fmt: skip


def use_options(*, person: Person | None, ceremony: Ceremony) -> str:
    """PublicKeyCredentialRequestOptions as JSON; without a person for whoever the passkey says it is."""
    return webauthn.options_to_json(
        webauthn.generate_authentication_options(
            rp_id=_site().id, challenge=ceremony.new_challenge(), timeout=TIMEOUT_MS,
            allow_credentials=_descriptors(person) if person else None,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )  # fmt: skip


def add_passkey(*, person: Person, answer: str, name: str, ceremony: Ceremony) -> Passkey:
    """Keeps the passkey that the browser made, tells the person by mail. Raises InvalidInput, Conflict."""
    if not name.strip():
        raise InvalidInput("Give the passkey a name that you know it by.", field="name")
    made = _verified_creation(answer, ceremony)
    transports = [one.value for one in made.transports]
    try:
        with transaction.atomic():
            Person.objects.select_for_update().get(pk=person.pk)
            if Passkey.objects.filter(user=person).count() >= MOST_PASSKEYS:
                raise Conflict(f"You have {MOST_PASSKEYS} passkeys. Remove one that you don't use first.")
            _spend(made.challenge)
            passkey: Passkey = Passkey.objects.create(
                user=person, name=name.strip()[:64], credential_id=made.key.credential_id,
                public_key=made.key.credential_public_key, sign_count=made.key.sign_count,
                aaguid=UUID(made.key.aaguid), transports=transports, backed_up=made.key.credential_backed_up,
                backup_eligible=made.key.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
            )  # fmt: skip
    except IntegrityError as error:
        raise InvalidInput("This passkey is registered already.") from error
    record_for_person(person.pk, Act.PASSKEY_ADD, passkey=passkey.handle, name=passkey.name)
    notify(person, Notice.PASSKEY_ADDED, name=passkey.name)
    return passkey


def use_passkey(*, person: Person | None, answer: str, ceremony: Ceremony) -> Passkey:
    """The passkey whose answer holds; `user` is who it belongs to. Each answer is good once.

    With `person` only one of theirs. Raises InvalidInput in the same words for every fault.
    """
    try:
        given = _parsed(answer)
        challenge = parse_client_data_json(given.response.client_data_json).challenge
        if not ceremony.asked(challenge):
            raise ValueError("not the challenge of this ceremony, or too old")
        with transaction.atomic():
            passkey = _find(given, person)
            used = _verified_use(passkey, given, challenge)
            if _went_back(passkey, used):
                raise _CounterWentBackError(passkey)  # noqa: TRY301
            _spend(challenge)
            _note_use(passkey, used)
    except _CounterWentBackError as error:
        raise _tell_of_copy(error.passkey) from error
    except (*UNFIT, IntegrityError) as error:
        logger.info("passkey.refused", reason=type(error).__name__)
        raise InvalidInput(REFUSED) from error
    return passkey


def remove_passkey(*, person: Person, handle: str) -> None:
    """Removes a passkey; sessions that it opened end at their next request. Raises NotFound, Conflict."""
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=person.pk)
        passkey = find_passkey(person=person, handle=handle)
        require_another_factor(person=person, without=passkey)
        record_for_person(person.pk, Act.SECOND_FACTOR_REMOVE, passkey=handle, name=passkey.name)
        passkey.delete()
        notify(person, Notice.FACTOR_REMOVED, name=f"the passkey “{passkey.name}”")


def find_passkey(*, person: Person, handle: str) -> Passkey:
    """The person's passkey by its handle. Raises NotFound."""
    found = next((one for one in passkeys_of(person) if one.handle == handle), None)
    if found is None:
        raise NotFound("There is no such passkey.")
    return found


def passkeys_of(person: Person) -> list[Passkey]:
    """The person's passkeys, oldest first."""
    return list(Passkey.objects.filter(user=person).order_by("created_at", "pk"))


@dataclass(frozen=True, slots=True)
class _Made:
    key: VerifiedRegistration
    challenge: bytes
    transports: list[AuthenticatorTransport]


class _CounterWentBackError(Exception):
    """A right signature with a counter that another use has passed: somebody holds a copy (WebAuthn 6.1.1)."""

    def __init__(self, passkey: Passkey) -> None:
        super().__init__(passkey.handle)
        self.passkey = passkey


def _site() -> RelyingParty:
    site = relying_party()
    if site is None:
        raise Conflict("Passkeys need this site to have a name and TLS; see SITE_URL in docs/operating.md.")
    return site


def _descriptors(person: Person) -> list[PublicKeyCredentialDescriptor]:
    known = {one.value for one in AuthenticatorTransport}
    return [
        PublicKeyCredentialDescriptor(
            id=bytes(one.credential_id),
            transports=[AuthenticatorTransport(way) for way in one.transports if way in known],
        )
        for one in passkeys_of(person)
    ]


def _verified_creation(answer: str, ceremony: Ceremony) -> _Made:
    try:
        if len(answer) > LONGEST_ANSWER:
            raise ValueError("too long")
        given = parse_registration_credential_json(answer)
        challenge = parse_client_data_json(given.response.client_data_json).challenge
        if not ceremony.asked(challenge):
            raise ValueError("not the challenge of this ceremony, or too old")
        _require_plain_attestation(given.response.attestation_object)
        made = webauthn.verify_registration_response(
            credential=given, expected_challenge=challenge, expected_rp_id=_site().id,
            expected_origin=_site().origin, require_user_verification=True,
        )  # fmt: skip
        # A key that can't be loaded would fail at each later use instead of now.
        decoded_public_key_to_cryptography(decode_credential_public_key(made.credential_public_key))
        if len(made.credential_id) > LONGEST_CREDENTIAL_ID:
            raise ValueError("credential id too long")
    except UNFIT as error:
        logger.info("passkey.refused", reason=type(error).__name__)
        raise InvalidInput("The passkey could not be added. Try again.") from error
    return _Made(made, challenge, given.response.transports or [])


def _require_plain_attestation(attestation: bytes) -> None:
    # We ask for none, so a browser sends none or the key's own signature; certificates are nothing to parse here.
    if parse_attestation_object(attestation).fmt not in {AttestationFormat.NONE, AttestationFormat.PACKED}:
        raise ValueError("attestation of a maker was not asked for")


def _parsed(answer: str) -> AuthenticationCredential:
    if len(answer) > LONGEST_ANSWER:
        raise ValueError("too long")
    return parse_authentication_credential_json(answer)


def _find(given: AuthenticationCredential, person: Person | None) -> Passkey:
    passkey: Passkey | None = (
        Passkey.objects.select_for_update(of=("self",))
        .select_related("user")
        .filter(credential_id=given.raw_id, confirmed=True, user__is_active=True)
        .first()
    )
    if passkey is None or (person is not None and passkey.user_id != person.pk):
        raise ValueError("no such passkey of this person")
    handle = given.response.user_handle
    if handle != passkey.user_id.bytes and (person is None or handle is not None):
        raise ValueError("the passkey names another person")
    return passkey


def _verified_use(
    passkey: Passkey, given: AuthenticationCredential, challenge: bytes
) -> VerifiedAuthentication:
    used = webauthn.verify_authentication_response(
        credential=given, expected_challenge=challenge, expected_rp_id=_site().id,
        expected_origin=_site().origin, credential_public_key=bytes(passkey.public_key),
        credential_current_sign_count=0,  # judged in _went_back, which tells it from other faults
        require_user_verification=True,
    )  # fmt: skip
    if (used.credential_device_type is CredentialDeviceType.MULTI_DEVICE) != passkey.backup_eligible:
        raise ValueError("backup eligibility never changes (WebAuthn level 3, 6.1.3)")
    return used


def _went_back(passkey: Passkey, used: VerifiedAuthentication) -> bool:
    counts = used.new_sign_count or passkey.sign_count
    return bool(counts and used.new_sign_count <= passkey.sign_count)


def _note_use(passkey: Passkey, used: VerifiedAuthentication) -> None:
    passkey.sign_count, passkey.backed_up = used.new_sign_count, used.credential_backed_up
    passkey.last_used_at = timezone.now()
    passkey.save(update_fields=["sign_count", "backed_up", "last_used_at"])


def _spend(challenge: bytes) -> None:
    """Raises IntegrityError where the challenge was answered before."""
    old = timezone.now() - timedelta(seconds=2 * VALID_SECONDS)
    ended = SpentChallenge.objects.filter(spent_at__lt=old).values_list("pk", flat=True)[:50]
    SpentChallenge.objects.filter(pk__in=list(ended)).delete()
    SpentChallenge.objects.create(digest=hashlib.sha256(challenge).digest())


def _tell_of_copy(passkey: Passkey) -> InvalidInput:
    person: Person = passkey.user
    record_for_person(
        person.pk, Act.SECOND_FACTOR, outcome=ActOutcome.FAILED, passkey=passkey.handle, reason="counter"
    )
    notify(person, Notice.PASSKEY_COPIED, name=passkey.name)
    return InvalidInput(REFUSED)
