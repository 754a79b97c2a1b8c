"""Whether a database refuses connections without TLS, by engine.

Sources: RDS User Guide and Aurora User Guide, "Requiring SSL/TLS" of each engine; for Oracle "Oracle native network
encryption" and "Oracle Secure Sockets Layer".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from assessments.checks.base import Resource, Verdict, failed, passed, unknown
from assessments.checks.subjects import rds
from evidence.types import Gap, Json, Seen, Unseen

_PARAMETERS = {
    "mysql": "require_secure_transport",
    "mariadb": "require_secure_transport",
    "aurora": "require_secure_transport",
    "aurora-mysql": "require_secure_transport",
    "postgres": "rds.force_ssl",
    "aurora-postgresql": "rds.force_ssl",
    "sqlserver": "rds.force_ssl",
    "docdb": "tls",
    "neptune": "neptune_enforce_ssl",
}
_ON = ("1", "on", "true", "enabled", "tls1.2+", "tls1.3+", "fips-140-3")
_POSTGRES_DEFAULT_ON = (15,)
_DEFAULT_NOT_KNOWN_FROM: Mapping[str, tuple[int, ...]] = {
    "mariadb": (11, 8),
    "mysql": (8, 4),
    "aurora-mysql": (8, 4),
    "aurora-postgresql": (17,),
    "docdb": (0,),
    "neptune": (0,),
}


class Settings(NamedTuple):
    """The parameters that force TLS as a group sets them (None: listed without a value), or why they are not seen."""

    values: Mapping[str, str | None]
    gap: Gap | None = None
    pending: bool = False


def instances(seen: Seen) -> Iterator[Resource]:
    """Instances in no cluster, with `Settings` and, for Oracle, `Options` (None: the group is not listed)."""
    groups: dict[str, Settings] = {}
    options = _OptionGroups(seen)
    for instance in rds.standalone_instances(seen):
        extra: dict[str, Any] = {"Settings": _of_instance(instance.data, seen, groups)}
        if rds.family(instance) == "oracle":
            extra["Options"] = options.of(instance.data)
        yield instance._replace(data={**instance.data, **extra})


def clusters(seen: Seen) -> Iterator[Resource]:
    """Clusters with `Settings`."""
    groups: dict[str, Settings] = {}
    for cluster in rds.clusters(seen):
        name = cluster.data.get("DBClusterParameterGroup") or ""
        members = cluster.data.get("DBClusterMembers") or ()
        pending = any(row.get("DBClusterParameterGroupStatus", "in-sync") != "in-sync" for row in members)
        settings = _read(seen, "DescribeDBClusterParameters", name, groups)._replace(pending=pending)
        yield cluster._replace(data={**cluster.data, "Settings": settings})


def _of_instance(instance: Json, seen: Seen, groups: dict[str, Settings]) -> Settings:
    used: list[Json] = instance.get("DBParameterGroups") or [{}]
    pending = any(row.get("ParameterApplyStatus", "in-sync") != "in-sync" for row in used)
    name = used[0].get("DBParameterGroupName") or ""
    return _read(seen, "DescribeDBParameters", name, groups)._replace(pending=pending)


def _read(seen: Seen, operation: str, group: str, known: dict[str, Settings]) -> Settings:
    if group not in known:
        try:
            rows = seen["rds"].items(operation, "Parameters", group)
        except Unseen as unseen:
            known[group] = Settings({}, unseen.gap)
        else:
            wanted = _PARAMETERS.values()
            values = {row.get("ParameterName", ""): row.get("ParameterValue") for row in rows}
            known[group] = Settings({name: value for name, value in values.items() if name in wanted})
    return known[group]


@dataclass
class _OptionGroups:
    """The region's option groups, listed once and only if an engine asks."""

    seen: Seen
    listed: dict[str, list[Json] | None] | Gap | None = None

    def of(self, instance: Json) -> list[Json] | Gap | None:
        if self.listed is None:
            self.listed = _list_options(self.seen)
        if isinstance(self.listed, Gap):
            return self.listed
        names = [row.get("OptionGroupName") or "" for row in instance.get("OptionGroupMemberships") or ()]
        found = [self.listed.get(name) for name in names]
        return (
            None if not found or None in found else [option for options in found for option in options or ()]
        )


def _list_options(seen: Seen) -> dict[str, list[Json] | None] | Gap:
    try:
        groups = seen["rds"].items("DescribeOptionGroups", "OptionGroupsList")
    except Unseen as unseen:
        return unseen.gap
    return {group.get("OptionGroupName") or "": group.get("Options") for group in groups}


def judge(database: Resource, _seen: Seen) -> Verdict:
    """PASS where the engine is set to refuse connections without TLS. Raises Unseen."""
    engine = rds.family(database)
    if engine == "oracle":
        return _judge_oracle(database.data["Options"])
    parameter = _PARAMETERS.get(engine)
    if parameter is None:
        return unknown(f"how the engine {engine or 'that AWS did not name'} forces TLS is not known here")
    settings: Settings = database.data["Settings"]
    if settings.gap is not None:
        raise Unseen(settings.gap)
    if parameter not in settings.values:
        return unknown(f"the parameter group does not list {parameter}")
    value = settings.values[parameter]
    if value is None:
        return _judge_default(engine, parameter, str(database.data.get("EngineVersion") or ""))
    return _judge_value(parameter, value, pending=settings.pending)


def _judge_value(parameter: str, value: str, *, pending: bool) -> Verdict:
    if value.lower() not in _ON:
        return failed(f"{parameter} is {value}")
    if pending:
        return unknown(f"{parameter} is {value}, but a change of the parameter group waits for a reboot")
    return passed(f"{parameter} is {value}")


def _judge_default(engine: str, parameter: str, version: str) -> Verdict:
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if not numbers or numbers >= _DEFAULT_NOT_KNOWN_FROM.get(engine, (999,)):
        return unknown(f"{parameter} is not set, and its default in {engine} {version} is not known here")
    if engine == "postgres" and numbers >= _POSTGRES_DEFAULT_ON:
        return passed(f"{parameter} is on by default in PostgreSQL {version}")
    return failed(f"{parameter} is not set, and off by default in {engine} {version}")


def _judge_oracle(options: list[Json] | Gap | None) -> Verdict:
    if isinstance(options, Gap):
        raise Unseen(options)
    if options is None:
        return unknown("its option group is not listed")
    by_name = {option.get("OptionName"): option for option in options}
    native = by_name.get("NATIVE_NETWORK_ENCRYPTION")
    rows = (native or {}).get("OptionSettings") or ()
    setting = {row.get("Name"): row.get("Value") for row in rows}.get("SQLNET.ENCRYPTION_SERVER")
    if setting == "REQUIRED":
        return passed("native network encryption is required")
    if None in by_name or (native and setting is None) or "SSL" in by_name:
        offered = (
            "TLS is offered, but whether the port without it is shut" if "SSL" in by_name else "encryption"
        )
        return unknown(f"{offered} can't be told from the option group")
    return failed(f"native network encryption is {setting}" if native else "no option encrypts connections")
