#!/usr/bin/env python
"""Django's command line. Starts the embedded servers for commands that use the database, unless they run."""

import os
import sys
from contextlib import nullcontext

from portal import env
from portal.embedded import EmbeddedError

OWN_SERVERS = {"up", "demo"}
NO_SERVERS = {
    "",
    "help",
    "version",
    "--help",
    "--version",
    "check",
    "checks",
    "role_template",
    "collectstatic",
    "diffsettings",
}
AS_OWNER = {
    "migrate",
    "makemigrations",
    "sqlmigrate",
    "showmigrations",
    "squashmigrations",
    "flush",
    "inspectdb",
}


def main() -> None:
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    os.environ.setdefault("SURETY_DATABASE_ROLE", "migrate" if command in AS_OWNER else "app")
    from django.core.management import execute_from_command_line

    with nullcontext() if command in OWN_SERVERS | NO_SERVERS else env.servers():
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    try:
        main()
    except (EmbeddedError, env.MisconfiguredError) as error:
        sys.exit(f"surety: {error}")
