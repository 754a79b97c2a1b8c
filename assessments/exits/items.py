"""The checklist of an exit. An exit keeps it as it was when it began."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

from assessments.exits.models import ResourceKind, Said

_PHI = (Said.RETURNED, Said.DESTROYED, Said.NOT_FEASIBLE, Said.NOT_APPLICABLE)
_ACT = (Said.DONE, Said.NOT_FEASIBLE, Said.NOT_APPLICABLE)
LONGEST_TITLE = 120
MOST_SYSTEMS = 30


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to be done. `phi`: it is about PHI itself, so that what isn't feasible needs its protections named."""

    key: str
    title: str
    why: str
    citation: str
    answers: tuple[Said, ...]
    phi: bool = False

    def to_json(self) -> dict[str, Any]:
        """As an exit keeps it."""
        return asdict(self)


def item_of(kept: Mapping[str, Any]) -> Item:
    """What an exit keeps, as an item."""
    return Item(**{**kept, "answers": tuple(Said(each) for each in kept["answers"])})


_FIRST = (
    Item(
        "access",
        "People's accounts are closed",
        "Nobody of the business associate, and nobody who worked for it there, can sign in to your systems, or to its"
        " own with your PHI.",
        "164.308(a)(3)(ii)(C)",
        _ACT,
    ),
    Item(
        "credentials",
        "Credentials, roles and connections are revoked",
        "Keys, tokens, cross-account roles, VPNs, file transfers and interfaces between both sides are off.",
        "164.308(a)(4)(i), 164.312(d)",
        _ACT,
    ),
)
_SYSTEMS = Item(
    "systems",
    "PHI in its systems",
    "Databases, file stores, applications, logs, exports, e-mail and test systems: returned to you or destroyed.",
    "164.504(e)(2)(ii)(J)",
    _PHI,
    phi=True,
)
_LAST = (
    Item(
        "backups",
        "Backups and snapshots",
        "Every copy that was made for a restore, also those that a schedule keeps and those in another region.",
        "164.504(e)(2)(ii)(J), 164.308(a)(7)(ii)(A)",
        _PHI,
        phi=True,
    ),
    Item(
        "keys",
        "Keys under which PHI was encrypted",
        "A key that is destroyed makes every copy unreadable that was encrypted under it; one that stays can open what"
        " was overlooked.",
        "164.312(a)(2)(iv)",
        (Said.DESTROYED, Said.NOT_FEASIBLE, Said.NOT_APPLICABLE),
        phi=True,
    ),
    Item(
        "subcontractors",
        "What subcontractors hold",
        "Its subcontractors return or destroy their copies, and say so to it.",
        "164.504(e)(2)(ii)(D), 164.504(e)(5), 164.314(a)(2)(iii)",
        _PHI,
        phi=True,
    ),
    Item(
        "media",
        "Devices, media and paper",
        "Laptops, phones, disks, tapes, removable media and print-outs are wiped, destroyed or returned.",
        "164.310(d)(2)(i), 164.310(d)(2)(ii)",
        _PHI,
        phi=True,
    ),
    Item(
        "infeasible",
        "What can't be returned or destroyed",
        "Where that isn't feasible, the agreement's protections go on for it, and it is used and disclosed only for"
        " what makes it infeasible. “Done” says that every case is named in the items above.",
        "164.504(e)(2)(ii)(J)",
        (Said.DONE, Said.NOT_FEASIBLE, Said.NOT_APPLICABLE),
        phi=True,
    ),
    Item(
        "retention",
        "The proof is kept",
        "Records of what was done and when are kept for six years. They hold no PHI.",
        "164.316(b)(2)(i)",
        _ACT,
    ),
)
GROUPS: Mapping[ResourceKind, str] = MappingProxyType(
    {
        ResourceKind.BUCKET: "systems",
        ResourceKind.VOLUME: "systems",
        ResourceKind.DATABASE: "systems",
        ResourceKind.CLUSTER: "systems",
        ResourceKind.IMAGE: "backups",
        ResourceKind.EBS_SNAPSHOT: "backups",
        ResourceKind.DATABASE_SNAPSHOT: "backups",
        ResourceKind.CLUSTER_SNAPSHOT: "backups",
        ResourceKind.KEY: "keys",
    }
)
"""Which item a kind of resource is about; with named systems, `systems` is all of them."""


def checklist(systems: Iterable[str]) -> list[Item]:
    """The items, one for each named system in place of the one for all of them."""
    named = [" ".join(each.split())[:LONGEST_TITLE] for each in systems if each.strip()][:MOST_SYSTEMS]
    own = [
        Item(f"system-{number}", f"PHI in {name}", _SYSTEMS.why, _SYSTEMS.citation, _PHI, phi=True)
        for number, name in enumerate(named, start=1)
    ]
    return [*_FIRST, *(own or [_SYSTEMS]), *_LAST]
