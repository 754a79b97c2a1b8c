"""Entries as OCSF events: API Activity (class 6003) of OCSF 1.8.0, https://schema.ocsf.io/1.8.0/classes/api_activity."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from accounts.audit.events import Act, ActorKind, ActOutcome

OCSF_VERSION = "1.8.0"
CATEGORY, CLASS = 6, 6003
_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_ACTIVITIES: Mapping[str, tuple[int, ...]] = {
    "create": (_CREATE,), "add": (_CREATE,), "seal": (_CREATE,), "ask": (_CREATE,), "set_up": (_CREATE,),
    "read": (_READ,), "list": (_READ,), "export": (_READ,), "progress": (_READ,), "verify": (_READ,),
    "change": (_UPDATE,), "accept": (_UPDATE,), "remove": (_DELETE,), "revoke": (_DELETE,), "end": (_DELETE,),
}  # fmt: skip
_NAMES = {_CREATE: "Create", _READ: "Read", _UPDATE: "Update", _DELETE: "Delete", _OTHER: "Other"}
_SEVERITY = {
    ActOutcome.DONE: (1, "Informational"),
    ActOutcome.REFUSED: (2, "Low"),
    ActOutcome.FAILED: (3, "Medium"),
}
_SYSTEM_USER, _USER, _UNKNOWN = 3, 1, 0


def to_ocsf(body: bytes, *, index: int | None = None) -> dict[str, Any]:
    """The event of an entry's body. `index` is its leaf's number, which stands in metadata.sequence."""
    said = json.loads(body)
    activity, outcome = _activity(said["act"]), ActOutcome(said["outcome"])
    severity, severity_name = _SEVERITY[outcome]
    done = outcome is ActOutcome.DONE
    return {
        "activity_id": activity, "activity_name": _NAMES[activity],
        "category_uid": CATEGORY, "category_name": "Application Activity",
        "class_uid": CLASS, "class_name": "API Activity",
        "type_uid": CLASS * 100 + activity, "type_name": f"API Activity: {_NAMES[activity]}",
        "time": _milliseconds(said["at"]), "severity_id": severity, "severity": severity_name,
        "status_id": 1 if done else 2, "status": "Success" if done else "Failure", "status_detail": str(outcome),
        "message": _message(said),
        "actor": _actor(said["actor"]), "src_endpoint": _endpoint(said["actor"]),
        "api": _api(said), "resources": _resources(said["object"]),
        "metadata": _metadata(said, index),
        "unmapped": {"on_behalf_of": said["on_behalf_of"], "details": said["details"]},
    }  # fmt: skip


def to_line(body: bytes, *, index: int | None = None) -> bytes:
    """The event as one line of JSON."""
    return json.dumps(to_ocsf(body, index=index), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _activity(act: str) -> int:
    verb = act.rpartition(".")[2]
    for word, (activity,) in _ACTIVITIES.items():
        if verb == word or verb.endswith(f"_{word}"):
            return activity
    return _OTHER


def _message(said: Mapping[str, Any]) -> str:
    act = said["act"]
    label = Act(act).label if act in set(Act) else act
    return f"{said['actor']['name'] or said['actor']['kind']}: {label} ({said['outcome']})"


def _actor(actor: Mapping[str, str]) -> dict[str, Any]:
    types = {ActorKind.PERSON: (_USER, "User"), ActorKind.SYSTEM: (_SYSTEM_USER, "System")}
    type_id, type_name = types.get(ActorKind(actor["kind"]), (_UNKNOWN, "Unknown"))
    user = {"uid": actor["id"], "name": actor["name"], "type_id": type_id, "type": type_name}
    if "@" in actor["name"]:
        user["email_addr"] = actor["name"]
    found: dict[str, Any] = {"user": {key: value for key, value in user.items() if value != ""}}
    if not actor["id"] and not actor["name"]:
        found["user"]["name"] = actor["kind"]
    if actor["session"]:
        found["session"] = {"uid": actor["session"]}
    return found


def _endpoint(actor: Mapping[str, str]) -> dict[str, str]:
    return {"ip": actor["address"]} if actor["address"] else {"svc_name": "surety"}


def _api(said: Mapping[str, Any]) -> dict[str, Any]:
    api: dict[str, Any] = {"operation": said["act"], "service": {"name": "surety"}}
    if said["request"]:
        api["request"] = {"uid": said["request"]}
    return api


def _resources(thing: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"uid": thing["id"], "type": thing["type"]}] if thing["id"] else []


def _metadata(said: Mapping[str, Any], index: int | None) -> dict[str, Any]:
    found = {
        "version": OCSF_VERSION, "product": {"name": "Surety", "vendor_name": "Surety"}, "log_name": "audit",
        "uid": said["id"], "tenant_uid": said["tenant"],
    }  # fmt: skip
    return found if index is None else {**found, "sequence": index}


def _milliseconds(at: str) -> int:
    return int(datetime.fromisoformat(at).timestamp() * 1000)
