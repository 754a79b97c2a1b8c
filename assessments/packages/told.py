"""What became of each piece of evidence while the package was written; the index tells it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Part = tuple[str, Iterable[bytes]]
"""One file: its path in the package and its bytes, read once, when its turn comes."""


@dataclass(slots=True)
class Told:
    """By the id of a snapshot, a document or a sample."""

    paths: dict[str, str] = field(default_factory=dict)
    withheld: dict[str, tuple[int, int]] = field(default_factory=dict)
    """How many of how many fields are withheld."""
    left_out: dict[str, str] = field(default_factory=dict)
    """Why it is not in the package."""
