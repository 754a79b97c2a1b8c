"""`manage.py totp`: the current one-time code of a demonstration person."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django_otp.oath import TOTP

from accounts.models import TotpDevice
from portal import env

STEP_SECONDS = 30


class Command(BaseCommand):
    """Only for people of the reserved domain .example, and never in production."""

    help = "Prints the current one-time code of a demonstration person."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, **options: Any) -> None:
        if env.production():
            raise CommandError("There are no demonstration people in production.", returncode=2)
        email = options["email"].strip().lower()
        device = TotpDevice.objects.filter(user__email=email, confirmed=True).first()
        if device is None or not email.endswith(".example"):
            raise CommandError(f"{email} is no demonstration person.", returncode=2)
        now = time.time()
        totp = TOTP(device.seed, STEP_SECONDS)
        totp.time = now
        self.stdout.write(
            f"{totp.token():06d}  ({STEP_SECONDS - int(now) % STEP_SECONDS} s left; each code works once)"
        )
