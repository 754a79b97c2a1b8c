"""What the environment says: addresses, secrets, switches, and the embedded defaults where it says nothing.

Every secret NAME may be given as NAME, or as NAME_FILE with the path of a file that holds it.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from psycopg.conninfo import conninfo_to_dict

from portal.embedded import Role, postgres_address, redis_address, running_servers
from portal.embedded.files import prepare_state, read_or_create_secret

CHECKOUT = Path(__file__).resolve().parent.parent
TRUE = {"1", "true", "yes", "on"}
FALSE = {"", "0", "false", "no", "off"}


class MisconfiguredError(RuntimeError):
    """A variable is missing or malformed; the message names it and the remedy."""


def production() -> bool:
    """Whether SURETY_ENV says production: then nothing is embedded and no secret is generated."""
    value = text("SURETY_ENV", "development")
    if value not in {"production", "development"}:
        raise MisconfiguredError(f"SURETY_ENV is {value!r}: say production or development.")
    return value == "production"


def state() -> Path:
    """The state directory: SURETY_STATE, or .surety in the checkout. Created private to this user."""
    return prepare_state(Path(text("SURETY_STATE", str(CHECKOUT / ".surety"))))


def text(name: str, default: str) -> str:
    return os.environ.get(name) or default


def flag(name: str, *, default: bool) -> bool:
    value = os.environ.get(name, str(default)).lower()
    if value not in TRUE | FALSE:
        raise MisconfiguredError(f"{name} is {value!r}: say true or false.")
    return value in TRUE


def integer(name: str, default: int) -> int:
    value = text(name, str(default))
    if not value.isdecimal():
        raise MisconfiguredError(f"{name} is {value!r}: give a whole number.")
    return int(value)


def listing(name: str, default: str = "") -> list[str]:
    """The comma-separated values of NAME, without empty ones."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def given_secret(name: str) -> str | None:
    """NAME, or what the file NAME_FILE holds (its final newline apart); None when neither is set."""
    path = os.environ.get(f"{name}_FILE")
    if os.environ.get(name):
        return os.environ[name]
    if not path:
        return None
    try:
        value = Path(path).read_text().strip()
    except OSError as error:
        raise MisconfiguredError(f"{name}_FILE: {error}") from error
    if not value:
        raise MisconfiguredError(f"{name}_FILE: {path} is empty.")
    return value


def secret(name: str) -> str:
    """The secret as given; else, outside production, one of 256 bits made in the state directory, mode 0600.

    Raises:
        MisconfiguredError: in production, when neither NAME nor NAME_FILE is set.
    """
    value = given_secret(name)
    if value is not None:
        return value
    if production():
        raise MisconfiguredError(
            f"{name} is not set: set it, or {name}_FILE to the path of a file that holds it."
        )
    return read_or_create_secret(state(), name)


def role() -> Role:
    """Who this process is to PostgreSQL: SURETY_DATABASE_ROLE, or the web application."""
    value = text("SURETY_DATABASE_ROLE", Role.APP)
    try:
        return Role(value)
    except ValueError:
        raise MisconfiguredError(
            f"SURETY_DATABASE_ROLE is {value!r}: say one of {', '.join(Role)}."
        ) from None


def uses_embedded_postgres() -> bool:
    names = ("DATABASE_URL", *(f"DATABASE_URL_{each.upper()}" for each in Role))
    return not production() and not any(given_secret(name) for name in names)


def uses_embedded_redis() -> bool:
    return not production() and not given_secret("REDIS_URL")


def database_url(as_role: Role | None = None) -> str:
    """A libpq URL for the role, or for this process's own.

    DATABASE_URL_<ROLE> as it is; else DATABASE_URL with the role's login and DATABASE_PASSWORD_<ROLE> put in;
    else the embedded server's, which this doesn't start.
    """
    wanted = as_role or role()
    whole = given_secret(f"DATABASE_URL_{wanted.upper()}")
    if whole:
        return whole
    if uses_embedded_postgres():
        return postgres_address(state()).dsn(wanted)
    return _with_login(secret_without_default("DATABASE_URL"), wanted)


def find_secret(name: str) -> str | None:
    """The secret as given; else, outside production, the one in the state directory, where there is one."""
    value = given_secret(name)
    path = state() / "secrets" / name
    return path.read_text().strip() if value is None and not production() and path.exists() else value


def keyring(name: str) -> dict[str, bytes]:
    """Keys that are no longer used to write, by id: the secret NAME, a JSON object of texts.

    Raises:
        MisconfiguredError: it is something else.
    """
    try:
        given = json.loads(given_secret(name) or "{}")
    except ValueError as error:
        raise MisconfiguredError(
            f'{name} is no JSON: give an object such as {{"1": "the old key"}}.'
        ) from error
    if not isinstance(given, dict) or not all(isinstance(key, str) and key for key in given.values()):
        raise MisconfiguredError(f'{name}: give a JSON object such as {{"1": "the old key"}}.')
    return {key_id: key.encode() for key_id, key in given.items()}


def secret_without_default(name: str) -> str:
    value = given_secret(name)
    if value is None:
        raise MisconfiguredError(
            f"{name} is not set: set it, or {name}_FILE to the path of a file that holds it."
        )
    return value


def _with_login(url: str, wanted: Role) -> str:
    parts = urlsplit(url)
    if parts.username:
        raise MisconfiguredError("DATABASE_URL names a user: leave it out, as each role has its own login.")
    password = quote(secret_without_default(f"DATABASE_PASSWORD_{wanted.upper()}"), safe="")
    return parts._replace(netloc=f"{wanted.login}:{password}@{parts.netloc}").geturl()


def database(as_role: Role | None = None) -> dict[str, Any]:
    """What Django's DATABASES wants for the role: engine, name, login, host, port and libpq's options."""
    given = dict(conninfo_to_dict(database_url(as_role)))
    known = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    settings: dict[str, Any] = {name: str(given.pop(key, "")) for name, key in known.items()}
    return settings | {"ENGINE": "django.db.backends.postgresql", "OPTIONS": given}


def databases() -> dict[str, dict[str, Any]]:
    """What Django's DATABASES wants: this process's own role, and in the web process those of auditors' requests."""
    kept = {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
    found = {"default": {**database(), **kept}}
    if role() is Role.APP:
        # Connections are made when an auditor comes, and not before.
        found["auditor"] = {**database(Role.AUDITOR), **kept}
        found["auditlog"] = {**database(Role.AUDITLOG), **kept}
    return found


def redis_url() -> str:
    """REDIS_URL; else the embedded server's, which this doesn't start."""
    return redis_address(state()) if uses_embedded_redis() else secret_without_default("REDIS_URL")


@contextmanager
def servers() -> Iterator[None]:
    """Within it the embedded servers run, as far as they are used."""
    with running_servers(state(), postgres=uses_embedded_postgres(), redis=uses_embedded_redis()):
        yield
