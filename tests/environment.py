"""Loaded before the settings: the tests' own state directory, and nothing of the caller's configuration."""

import os
from pathlib import Path

STATE = Path(__file__).resolve().parent.parent / ".surety" / "test"

for _name in list(os.environ):
    if _name.startswith(("AWS_", "DATABASE_", "REDIS_", "VAULT_", "DJANGO_")):
        del os.environ[_name]
os.environ.update(
    SURETY_STATE=str(STATE),
    SURETY_ENV="development",
    DJANGO_SETTINGS_MODULE="portal.settings",
    EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    AWS_EC2_METADATA_DISABLED="true",
    AWS_CONFIG_FILE=os.devnull,
    AWS_SHARED_CREDENTIALS_FILE=os.devnull,
    DO_NOT_TRACK="1",
)
