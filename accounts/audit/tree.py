"""Merkle trees as in RFC 6962, section 2.1 (the same in RFC 9162): hashes, compact ranges, proofs. Touches no storage.

A complete subtree is named by its height and its index at that height: (3, 2) covers the leaves 16 to 23. Stored are
the leaves' hashes and each complete subtree of 256, 65,536 ... leaves (heights 8, 16 ...): a "tile", named by its
level (height / 8) and its index. All else is computed from at most 256 of them a level.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce

EMPTY_ROOT = hashlib.sha256(b"").digest()
TILE_HEIGHT = 8
TILE_WIDTH = 1 << TILE_HEIGHT

Fetch = Callable[[int, int, int], list[bytes]]
"""(level, first, count): hashes of a level in order of their index; level 0 are the leaves' hashes."""


class TreeIncompleteError(LookupError):
    """The storage lacks hashes that a tree of that size has."""


@dataclass(frozen=True, slots=True)
class Tile:
    """The root of a complete subtree of 256 ** level leaves."""

    level: int
    index: int
    root: bytes


def leaf_hash(data: bytes) -> bytes:
    """A leaf's hash: the prefix keeps it apart from inner nodes (RFC 6962, section 2.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """An inner node's hash."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class GrowingTree:
    """A tree that leaves are appended to, kept as its compact range: one root for each bit of its size."""

    def __init__(self, size: int = 0, peaks: list[bytes] | None = None) -> None:
        """`peaks`: roots of the complete subtrees that cover the leaves, left to right, so the largest first."""
        self.size, self.peaks = size, list(peaks or [])
        if len(self.peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(self.peaks)}")

    def append(self, leaf: bytes) -> list[Tile]:
        """Appends a leaf's hash; returns the tiles that it completes."""
        peaks, height, position, tiles = self.peaks, 0, self.size, []
        while position & 1:
            leaf = node_hash(peaks.pop(), leaf)
            position >>= 1
            height += 1
            if height % TILE_HEIGHT == 0:
                tiles.append(Tile(height // TILE_HEIGHT, position, leaf))
        peaks.append(leaf)
        self.size += 1
        return tiles

    def root(self) -> bytes:
        """The tree's root now."""
        return root_of_peaks(self.peaks)


def root_of_peaks(peaks: list[bytes]) -> bytes:
    """The root over a compact range that begins with the first leaf."""
    return reduce(lambda right, left: node_hash(left, right), reversed(peaks)) if peaks else EMPTY_ROOT


def root_of(leaves: list[bytes]) -> bytes:
    """The root over leaves' hashes."""
    tree = GrowingTree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


class StoredTree:
    """Answers about a stored tree, reading whole tiles and each of them once. Raises TreeIncompleteError."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def node(self, height: int, index: int) -> bytes:
        """The root of a complete subtree."""
        level, rest = divmod(height, TILE_HEIGHT)
        tile, start = divmod(index << rest, TILE_WIDTH)
        row = self._tile(level, tile)[start : start + (1 << rest)]
        if len(row) != 1 << rest:
            raise TreeIncompleteError(f"level {level} lacks hashes of its tile {tile}")
        return root_of(row)

    def peaks(self, size: int, first: int = 0) -> list[bytes]:
        """The compact range over [first, size), where `first` is a multiple of the largest subtree in it."""
        return [self.node(height, index) for height, index in _cover(first, size)]

    def root(self, size: int, first: int = 0) -> bytes:
        """The root over [first, size), where `first` begins a subtree of a tree."""
        return root_of_peaks(self.peaks(size, first))

    def inclusion_proof(self, index: int, size: int) -> list[bytes]:
        """The path from a leaf to the root of the tree's first `size` leaves (RFC 6962, section 2.1.1)."""
        if not 0 <= index < size:
            raise ValueError(f"a tree of {size} leaves has no leaf {index}")
        first, last, found = 0, size, []
        while last - first > 1:
            middle = first + _split(last - first)
            if index < middle:
                found.append(self.root(last, middle))
                last = middle
            else:
                found.append(self.root(middle, first))
                first = middle
        return found[::-1]

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """What leads from an older root to a newer one (RFC 6962, section 2.1.2). Empty for equal sizes and from 0."""
        if not 0 <= old <= new:
            raise ValueError(f"a tree of {new} leaves has no older one of {old}")
        if old in {0, new}:
            return []
        first, last, found = 0, new, []
        while last != old:
            middle = first + _split(last - first)
            if old <= middle:
                found.append(self.root(last, middle))
                last = middle
            else:
                found.append(self.root(middle, first))
                first = middle
        return ([self.root(last, first)] if first else []) + found[::-1]

    def _tile(self, level: int, tile: int) -> list[bytes]:
        key = (level, tile)
        if key not in self._tiles:
            self._tiles[key] = self._fetch(level, tile * TILE_WIDTH, TILE_WIDTH)
        return self._tiles[key]


def _split(width: int) -> int:
    """The largest power of two below a width of at least 2: where RFC 6962 divides a tree."""
    return 1 << (width - 1).bit_length() - 1


def _cover(first: int, last: int) -> Iterator[tuple[int, int]]:
    """The complete subtrees over [first, last), largest first."""
    while first < last:
        height = (last - first).bit_length() - 1
        yield height, first >> height
        first += 1 << height
