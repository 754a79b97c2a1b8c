"""Where moto 5.2.5's RDS answers otherwise than AWS, put right in moto's own classes.

Sources: RDS API Reference (DBInstance, CertificateDetails, DescribeOptionGroups) and RDS User Guide, "Requiring
SSL/TLS" of each engine, "Working with backups".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.rds.exceptions import OptionGroupNotFoundFaultError
from moto.rds.models import DBCluster, DBInstance, DBParameterGroup, OptionGroup, RDSBackend

Original = Callable[..., Any]
Wrap = Callable[[type, str, Callable[[Original], Original]], None]

_AUTHORITY = "rds-ca-rsa2048-g1"
_ENDED = {"rds-ca-2019": datetime(2024, 8, 22, 17, 8, 50, tzinfo=UTC)}
_YEARS_OF_CERTIFICATE = 2

# What a new parameter group of the family lists about TLS: the parameter, its value where AWS gives one.
_TLS_PARAMETERS: dict[str, tuple[str, str | None]] = {
    "mysql": ("require_secure_transport", None),
    "mariadb": ("require_secure_transport", None),
    "postgres": ("rds.force_ssl", None),
    "postgres15": ("rds.force_ssl", "1"),
    "postgres16": ("rds.force_ssl", "1"),
    "postgres17": ("rds.force_ssl", "1"),
}


def _lists_option_groups(original: Original) -> Original:
    """Without a name DescribeOptionGroups lists all, also those that AWS made for an engine in use."""

    def describe_option_groups(self: RDSBackend, wanted: dict[str, Any]) -> list[OptionGroup]:
        for group in _default_option_groups(self):
            self.option_groups.setdefault(group.name, group)
        try:
            found: list[OptionGroup] = original(self, {"option_group_name": None, **wanted})
        except OptionGroupNotFoundFaultError:
            if wanted.get("option_group_name"):
                raise
            return []
        return found

    return describe_option_groups


def _default_option_groups(backend: RDSBackend) -> Iterator[OptionGroup]:
    for database in list(backend.databases.values()):
        name = getattr(database, "option_group_name", None) or ""
        if name.startswith("default:"):
            version = name.partition(f"default:{database.engine}-")[2].replace("-", ".")
            said = f"Default option group for {database.engine} {version}"
            yield OptionGroup(backend, name, database.engine, version, said)


def _instance_is_whole(original: Original) -> Original:
    """An instance always tells its authority and whether its name leads to a public address."""

    def make(self: DBInstance, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("ca_certificate_identifier", _AUTHORITY)
        original(self, *args, **kwargs)
        self.publicly_accessible = bool(self.publicly_accessible)

    return make


def _member_stands_with_cluster(original: Original) -> Original:
    """An instance of a cluster stands in the cluster's subnet group."""

    def create_db_instance(self: RDSBackend, wanted: dict[str, Any]) -> DBInstance:
        cluster = self.clusters.get(wanted.get("db_cluster_identifier") or "")
        if cluster is not None and cluster.db_subnet_group_name in self.subnet_groups:
            wanted = {"db_subnet_group_name": cluster.db_subnet_group_name, **wanted}
        return original(self, wanted)  # type: ignore[no-any-return]

    return create_db_instance


def _certificate(instance: DBInstance) -> dict[str, Any]:
    """The server's certificate, renewed in spring: its end is the same for a year."""
    authority = instance.ca_certificate_identifier
    end = datetime(utcnow().year + _YEARS_OF_CERTIFICATE, 3, 1, tzinfo=UTC)
    return {"CAIdentifier": authority, "ValidTill": _ENDED.get(authority, end)}


def _group_lists_tls(original: Original) -> Original:
    """A parameter group lists every parameter of its family; here those that demand TLS."""

    def make(self: DBParameterGroup, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        family = self.family or ""
        known = _TLS_PARAMETERS.get(family) or _TLS_PARAMETERS.get(family.rstrip("0123456789."))
        if known is not None:
            name, value = known
            self.parameters[name] = {
                "ParameterName": name,
                "Source": "engine-default" if value is None else "system",
                "DataType": "boolean",
                "AllowedValues": "0,1",
                "IsModifiable": True,
                **({} if value is None else {"ParameterValue": value}),
            }

    return make


def _backup_name(identifier: str, window: str) -> str:
    """AWS names an automated snapshot after the minute in which the day's backup window began."""
    begins = datetime.strptime(window[:5], "%H:%M").time()  # noqa: DTZ007 (a time of day in UTC)
    now = utcnow()
    day = now.date() if now.time() >= begins else now.date() - timedelta(days=1)
    return f"rds:{identifier}-{day}-{begins:%H-%M}"


def _backs_up_in_window(_original: Original) -> Original:
    def save_automated_backup(self: DBInstance) -> None:
        # The members of a cluster are backed up with it.
        if self.backup_retention_period and self.db_cluster_identifier is None:
            name = _backup_name(self.db_instance_identifier, self.preferred_backup_window)
            self.backend.create_auto_snapshot(self.db_instance_identifier, name)

    return save_automated_backup


def _cluster_backs_up_in_window(_original: Original) -> Original:
    def save_automated_backup(self: DBCluster) -> None:
        name = _backup_name(self.db_cluster_identifier, self.preferred_backup_window)
        self.backend.create_auto_cluster_snapshot(self.db_cluster_identifier, name)

    return save_automated_backup


def install_database_corrections(wrap: Wrap) -> None:
    """Correct moto's RDS in this process; ``wrap`` replaces a method by what a wrapper makes of it."""
    wrap(RDSBackend, "describe_option_groups", _lists_option_groups)
    wrap(RDSBackend, "create_db_instance", _member_stands_with_cluster)
    wrap(DBInstance, "__init__", _instance_is_whole)
    wrap(DBInstance, "save_automated_backup", _backs_up_in_window)
    wrap(DBCluster, "save_automated_backup", _cluster_backs_up_in_window)
    wrap(DBParameterGroup, "__init__", _group_lists_tls)
    DBInstance.certificate_details = property(_certificate)  # type: ignore[attr-defined]
