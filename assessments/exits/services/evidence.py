"""What held PHI, named by the downstream party from what AWS listed, and what AWS shows of it later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.audit.events import Act
from accounts.audit.log import record
from accounts.errors import Conflict, InvalidInput, NotFound
from accounts.models import Person
from assessments.exits.facts import Candidate, Fact, Look, candidates, facts_of
from assessments.exits.items import GROUPS
from assessments.exits.models import (
    Disclosure,
    Exit,
    ExitEvidence,
    ExitResource,
    ResourceKind,
)
from assessments.exits.reading import find_received
from assessments.timers.services import set_timer
from evidence.models import AwsConnection

LOOK = "exit.look"
"""The timer that looks at AWS's newest answers again; its row is the exit."""
SOON = timedelta(seconds=1)
MOST_RESOURCES = 500


def find_connection(*, connection_id: UUID) -> AwsConnection:
    """One of the open tenant's. Raises NotFound."""
    found: AwsConnection | None = AwsConnection.objects.filter(pk=connection_id).first()
    if found is None:
        raise NotFound("There is no such connection.")
    return found


def resources_of(exit_: Exit) -> list[ExitResource]:
    """What was named, by kind and name."""
    rows = ExitResource.objects.filter(exit_id=exit_.pk).select_related("connection", "named_by")
    return list(rows.order_by("kind", "region", "identifier"))


def name_resources(
    *,
    exit_id: UUID,
    connection_id: UUID,
    kind: ResourceKind,
    chosen: Sequence[tuple[str, str]],
    person: Person,
) -> int:
    """Names what held PHI, each as (region, identifier), among what AWS listed last; how many are new.

    Raises NotFound, Conflict once the exit is closed, InvalidInput for what isn't listed.
    """
    exit_ = _open(exit_id)
    listed, _unread = candidates(find_connection(connection_id=connection_id), kind)
    known = {(each.region, each.identifier): each for each in listed}
    if not set(chosen) <= set(known):
        raise InvalidInput("AWS doesn't list one of these any more. Choose again.", field="resource")
    if len(chosen) + ExitResource.objects.filter(exit_id=exit_id).count() > MOST_RESOURCES:
        raise InvalidInput(f"At most {MOST_RESOURCES} resources can be named.", field="resource")
    made = sum(_name(exit_, known[each], person) for each in dict.fromkeys(chosen))
    record(
        Act.EXIT_RESOURCES, object_type="exit", object_id=exit_.pk, named=made, kind=str(kind),
        connection=str(connection_id),
    )  # fmt: skip
    refresh_evidence(exit_)
    return made


def _name(exit_: Exit, found: Candidate, person: Person) -> bool:
    _row, made = ExitResource.objects.get_or_create(
        exit_id=exit_.pk, connection_id=found.connection_id, kind=found.kind, region=found.region,
        identifier=found.identifier,
        defaults={"seen_at": found.seen_at, "seen_digest": found.digest, "named_by": person},
    )  # fmt: skip
    return bool(made)


def remove_resource(*, exit_id: UUID, resource_id: UUID) -> None:
    """Takes back that a resource held PHI: it was named by mistake. Raises NotFound, Conflict."""
    exit_ = _open(exit_id)
    found = ExitResource.objects.filter(pk=resource_id, exit_id=exit_.pk).first()
    if found is None:
        raise NotFound("There is no such resource.")
    record(
        Act.EXIT_RESOURCES, object_type="exit", object_id=exit_.pk, removed=found.identifier, kind=found.kind
    )
    found.delete()
    refresh_evidence(exit_)


def choose_disclosure(*, exit_id: UUID, disclosure: Disclosure) -> ExitEvidence:
    """What the upstream party is told from now on. Raises NotFound, Conflict."""
    exit_ = _open(exit_id)
    shown, _made = ExitEvidence.objects.get_or_create(
        exit_id=exit_.pk,
        defaults={"viewer_id": exit_.upstream_id, "disclosure": disclosure, "looked_at": timezone.now()},
    )
    shown.disclosure = disclosure
    shown.save()
    record(
        Act.EXIT_EVIDENCE, object_type="exit", object_id=exit_.pk, disclosure=str(disclosure),
        viewer=str(exit_.upstream_id),
    )  # fmt: skip
    refresh_evidence(exit_)
    return shown


def refresh_evidence(exit_: Exit) -> list[Fact]:
    """Brings what is shown up to date with the newest runs; empty until somebody has chosen what is told."""
    shown = ExitEvidence.objects.select_for_update().filter(exit_id=exit_.pk).first()
    if shown is None:
        return []
    facts = facts_of(resources_of(exit_))
    for name, value in counts_of(facts).items():
        setattr(shown, name, value)
    shown.pending_until = max((each.until for each in facts if each.until), default=None)
    shown.as_of = newest(facts)
    shown.facts = [each.to_json() for each in facts] if shown.disclosure == Disclosure.NAMES else []
    shown.looked_at = timezone.now()
    shown.save()
    return facts


def shown_of(exit_id: UUID) -> ExitEvidence | None:
    """What the open tenant shows of an exit."""
    found: ExitEvidence | None = ExitEvidence.objects.filter(exit_id=exit_id).first()
    return found


def counts_of(facts: Iterable[Fact]) -> dict[str, int]:
    """How many of each look."""
    found = Counter(each.look for each in facts)
    return {str(look): found[look] for look in Look}


def newest(facts: Iterable[Fact]) -> datetime | None:
    """When AWS was last asked for any of them."""
    return max((each.at for each in facts if each.at), default=None)


def facts_about(shown: ExitEvidence, key: str) -> dict[str, Any]:
    """What is shown of the resources that an item is about; {} for one that is about none."""
    if key not in set(GROUPS.values()):
        return {}
    if shown.disclosure != Disclosure.NAMES:
        return {
            "disclosure": shown.disclosure,
            "counts": {str(look): getattr(shown, look) for look in Look},
        }
    about = [fact for fact in shown.facts if GROUPS[ResourceKind(fact["kind"])] == key]
    return {"disclosure": shown.disclosure, "facts": about} if about else {}


def plan_looking() -> None:
    """Has the evidence of the open tenant's exits looked at again: something was collected."""
    for exit_id in ExitEvidence.objects.values_list("exit_id", flat=True):
        set_timer(LOOK, exit_id, timezone.now() + SOON)


def look_again(*, exit_id: UUID) -> ExitEvidence:
    """As `refresh_evidence`, when somebody asks. Raises NotFound, Conflict where nothing is shown."""
    refresh_evidence(find_received(exit_id=exit_id))
    fresh = shown_of(exit_id)
    if fresh is None:
        raise Conflict("Choose first what the other side is told.")
    record(Act.EXIT_EVIDENCE, object_type="exit", object_id=exit_id, gone=fresh.gone, total=fresh.total)
    return fresh


def _open(exit_id: UUID) -> Exit:
    exit_ = find_received(exit_id=exit_id)
    if exit_.closed_at:
        raise Conflict("This exit is closed. What was shown stays as it is.")
    return exit_
