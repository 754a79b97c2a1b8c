"""The database's roles, made by the same SQL here and in production (roles.sql)."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

import psycopg
from psycopg import sql

DATABASE = "surety"
ROLES_SQL = Path(__file__).with_name("roles.sql")
_BOOTSTRAP_LOCK = 0x537572657479


class Role(StrEnum):
    """Who a process is to PostgreSQL. The login is portal_ and the value, but for the superuser."""

    SUPERUSER = "superuser"
    MIGRATE = "migrate"
    APP = "app"
    WORKER = "worker"
    SEALER = "sealer"
    AUDITOR = "auditor"
    AUDITLOG = "auditlog"

    @property
    def login(self) -> str:
        return "postgres" if self is Role.SUPERUSER else f"portal_{self}"


PORTAL_ROLES = tuple(role for role in Role if role is not Role.SUPERUSER)


def bootstrap_roles(superuser_dsn: str, database: str, passwords: Mapping[Role, str]) -> None:
    """Create the roles, the database where it is missing, and their rights; safe to repeat and to race.

    Args:
        superuser_dsn: a superuser's connection to the cluster's database "postgres".
        database: the portal's database, or one of its test copies.
        passwords: one for each of PORTAL_ROLES. A role keeps one password for all databases of the cluster.
    """
    with psycopg.connect(superuser_dsn, dbname="postgres", autocommit=True) as cluster:
        # Roles belong to the cluster while advisory locks belong to a database: all callers meet in this one.
        cluster.execute("SELECT pg_advisory_lock(%s)", [_BOOTSTRAP_LOCK])
        if not cluster.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone():
            cluster.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(database)))
        with psycopg.connect(superuser_dsn, dbname=database) as portal:
            _apply(portal, passwords)


def _apply(connection: psycopg.Connection, passwords: Mapping[Role, str]) -> None:
    connection.execute("SET LOCAL log_statement = 'none'")
    for role in PORTAL_ROLES:
        connection.execute("SELECT set_config(%s, %s, true)", [f"surety.password_{role}", passwords[role]])
    connection.execute(ROLES_SQL.read_text())
