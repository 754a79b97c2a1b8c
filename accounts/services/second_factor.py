"""Second factors: set-up, checking, recovery codes."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django_otp import match_token
from django_otp.models import Device

from accounts.audit.events import Act
from accounts.audit.log import one_act
from accounts.devices import RECOVERY_CODES, RecoveryCode, RecoveryCodeDevice, TotpDevice, new_recovery_code
from accounts.devices import recovery_code_digest as digest_of
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Passkey, Person
from accounts.notices import Notice, notify
from accounts.services.person_log import record_for_person


def has_second_factor(person: Person) -> bool:
    """Whether a passkey or an authenticator app is set up."""
    return any(kind.objects.filter(user=person, confirmed=True).exists() for kind in (Passkey, TotpDevice))


def has_app(person: Person) -> bool:
    """Whether an authenticator app is set up."""
    return bool(TotpDevice.objects.filter(user=person, confirmed=True).exists())


def require_another_factor(*, person: Person, without: Device) -> None:
    """Raises Conflict where nothing but recovery codes would be left. The caller has locked the person."""
    apps = TotpDevice.objects.filter(user=person, confirmed=True)
    left = [*apps, *Passkey.objects.filter(user=person, confirmed=True)]
    if all(one == without for one in left):
        raise Conflict("This is your last factor. Add a passkey or an authenticator app first.")


def remove_totp(*, person: Person) -> None:
    """Removes the authenticator app; sessions that it opened end at their next request. Raises NotFound, Conflict."""
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=person.pk)
        device = TotpDevice.objects.filter(user=person, confirmed=True).first()
        if device is None:
            raise NotFound("No authenticator app is set up.")
        require_another_factor(person=person, without=device)
        record_for_person(person.pk, Act.SECOND_FACTOR_REMOVE, name=device.name)
        device.delete()
        notify(person, Notice.FACTOR_REMOVED, name="the authenticator app")


def match_code(*, person: Person, code: str) -> Device | None:
    """The device that accepts the code, which is used up by it; None for a wrong, used or throttled code."""
    device: Device | None = match_token(person, code)
    if isinstance(device, RecoveryCodeDevice):
        notify(person, Notice.RECOVERY_CODE_USED)
    return device


def second_factor_wait(person: Person) -> datetime | None:
    """Until when the app's codes are not looked at, after failures; None when they are."""
    device = TotpDevice.objects.filter(user=person, confirmed=True).first()
    until = device.blocked_until() if device else None
    return until if until and until > timezone.now() else None


def prepare_totp(*, person: Person) -> TotpDevice:
    """The device to be confirmed, with its seed to show; the same one until it is confirmed."""
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=person.pk)
        device: TotpDevice | None = TotpDevice.objects.filter(user=person, confirmed=False).first()
        if device is None:
            device = TotpDevice(user=person, name="Authenticator app", confirmed=False)
            device.renew_seed()
            device.save()
    return device


def confirm_totp(*, person: Person, code: str, replace: bool = False) -> TotpDevice:
    """Confirms the prepared device by a first code; with `replace` it takes the place of the confirmed one.

    Raises InvalidInput for a wrong code, Conflict where nothing is prepared or a device is confirmed already.
    """
    with transaction.atomic():
        Person.objects.select_for_update().get(pk=person.pk)
        if has_second_factor(person) and not replace:
            raise Conflict("A second factor is set up already.")
        replaced = TotpDevice.objects.filter(user=person, confirmed=True).exists()
        device: TotpDevice | None = (
            TotpDevice.objects.select_for_update().filter(user=person, confirmed=False).first()
        )
        if device is None:
            raise Conflict("The set-up was finished or begun anew. Load the page again.")
        accepted = device.accept(code)
        if accepted:
            TotpDevice.objects.filter(user=person, confirmed=True).delete()
            device.confirmed = True
            device.save()
    # Outside of the transaction, or the count of failures would be rolled back.
    if not accepted:
        raise InvalidInput(_wrong(device), field="code")
    record_for_person(person.pk, Act.SECOND_FACTOR_SET_UP, replaced=replaced)
    notify(person, Notice.APP_REPLACED if replaced else Notice.APP_ADDED)
    return device


def create_recovery_codes(*, person: Person) -> list[str]:
    """Ten new recovery codes, to be shown once; the old ones end."""
    codes = [new_recovery_code() for _ in range(RECOVERY_CODES)]
    with one_act():
        record_for_person(person.pk, Act.RECOVERY_CODES_CREATE)
        notify(person, Notice.RECOVERY_CODES_MADE)
        Person.objects.select_for_update().get(pk=person.pk)
        device, _ = RecoveryCodeDevice.objects.get_or_create(user=person, defaults={"name": "Recovery codes"})
        device.codes.all().delete()
        RecoveryCode.objects.bulk_create(
            RecoveryCode(device=device, digest=digest_of(code)) for code in codes
        )
    return codes


def _wrong(device: TotpDevice) -> str:
    until = device.blocked_until()
    seconds = max(1, round((until - timezone.now()).total_seconds())) if until else 1
    return f"This code isn't right. Wait {seconds} s, then enter the six digits that the app shows."
