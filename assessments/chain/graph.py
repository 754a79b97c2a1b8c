"""A chain as a drawing: boxes in columns by level, each beside the ones below it. Numbers are pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from assessments.chain.words import Break, LinkAgreement, Service

WIDTH, HEIGHT, ACROSS, DOWN, EDGE = 252, 58, 44, 14, 8
MOST_DRAWN = 60
_LONGEST = 25


@dataclass(frozen=True, slots=True)
class Seen:
    """One subcontractor as its viewer is told of it."""

    path: tuple[str, ...]
    service: Service
    agreement: LinkAgreement
    verified_at: datetime | None
    broken: tuple[Break, ...]
    name: str

    @property
    def pseudonym(self) -> str:
        """The viewer's pseudonym of it."""
        return self.path[-1]

    @property
    def shown(self) -> str:
        """Its name where that is told, else its pseudonym."""
        return self.name or self.pseudonym

    @property
    def depth(self) -> int:
        """Its level: 1 is the business associate's own subcontractor."""
        return len(self.path)

    @property
    def reasons(self) -> str:
        """Why the link to it is broken, in words; empty where it isn't."""
        return " and ".join(reason.sentence for reason in self.broken)


def listed(root: str, nodes: Sequence[Seen]) -> list[tuple[Seen, str]]:
    """The chain in the order of the tree, each with the words for what it hangs on."""
    words = {(): root, **{node.path: node.shown for node in nodes}}
    return [(node, words.get(node.path[:-1], root)) for node in sorted(nodes, key=lambda node: node.path)]


@dataclass(frozen=True, slots=True)
class Box:
    """A box and its words; `line` is the path of the line from the box that it hangs on."""

    x: int
    y: int
    title: str
    more: str
    look: str
    line: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A tree of boxes. `left_out` of its nodes aren't drawn."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    says: str
    left_out: int
    box_width: int = WIDTH
    box_height: int = HEIGHT


@dataclass(slots=True)
class _Branch:
    seen: Seen | None
    below: list[_Branch] = field(default_factory=list)


def draw(root: str, nodes: Sequence[Seen], *, role: str) -> Drawing:
    """The chain below a business associate, `root`; `role` says who that is to the reader."""
    drawn = sorted(nodes, key=lambda node: (node.depth, node.path))[:MOST_DRAWN]
    tree = _tree(drawn)
    boxes: list[Box] = []
    leaves = _place(tree, Box(0, 0, _short(root), role, "root"), 0, 0, boxes, None)
    deepest = max((node.depth for node in drawn), default=0)
    broken = sum(1 for node in nodes if node.broken)
    return Drawing(
        width=2 * EDGE + (deepest + 1) * (WIDTH + ACROSS) - ACROSS,
        height=2 * EDGE + leaves * (HEIGHT + DOWN) - DOWN, boxes=tuple(boxes),
        says=f"{root} with {len(nodes)} of its subcontractors on {deepest} levels, {broken} with a broken link.",
        left_out=len(nodes) - len(drawn),
    )  # fmt: skip


def _tree(nodes: Sequence[Seen]) -> _Branch:
    root = _Branch(None)
    known: dict[tuple[str, ...], _Branch] = {(): root}
    for node in nodes:
        branch = known[node.path] = _Branch(node)
        known.get(node.path[:-1], root).below.append(branch)
    return root


def _place(branch: _Branch, root: Box, level: int, row: int, boxes: list[Box], above: int | None) -> int:
    """Puts a branch's boxes from a row on; returns how many rows it takes."""
    middle = EDGE + row * (HEIGHT + DOWN)
    boxes.append(_box(branch.seen, root, EDGE + level * (WIDTH + ACROSS), middle, above))
    taken = 0
    for below in branch.below:
        taken += _place(below, root, level + 1, row + taken, boxes, middle)
    return max(taken, 1)


def _box(seen: Seen | None, root: Box, x: int, y: int, above: int | None) -> Box:
    if seen is None:
        return replace(root, x=x, y=y)
    line = ""
    if above is not None:
        start, end, turn = x - ACROSS, y + HEIGHT // 2, x - ACROSS // 2
        line = f"M{start} {above + HEIGHT // 2} H{turn} V{end} H{x}"
    more = "link broken" if seen.broken else seen.agreement.sentence
    return Box(
        x, y, _short(seen.shown.removeprefix("Subcontractor ")), f"{seen.service.label}: {more}",
        "gap" if seen.broken else "ok", line,
    )  # fmt: skip


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
