"""Merkle trees (RFC 6962, section 2.1), computed level by level over many leaves at once."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

TILE = 256
"""Leaves under a stored tile; each level above holds as many of the one below."""
UNIT = TILE * TILE
"""Leaves that are verified at a time."""
EMPTY = sha256(b"").digest()


def hash_leaf(data: bytes) -> bytes:
    return sha256(b"\x00" + data).digest()


def join(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """The root over neighbouring subtrees of equal size, or over leaves' hashes."""
    if not hashes:
        return EMPTY
    level = list(hashes)
    while len(level) > 1:
        above = [
            sha256(b"\x01" + left + right).digest()
            for left, right in zip(level[::2], level[1::2], strict=False)
        ]
        # An odd one out is the whole of a smaller subtree, and keeps its place at the right end.
        level = above + level[len(above) * 2 :]
    return level[0]


class Unit:
    """Up to UNIT leaves of a tree, beginning at a multiple of UNIT."""

    def __init__(self, hashes: Sequence[bytes]) -> None:
        self.hashes = hashes
        whole = len(hashes) // TILE * TILE
        self.tiles = [root_of(hashes[start : start + TILE]) for start in range(0, whole, TILE)]

    def root(self, count: int) -> bytes:
        """The root over the first `count` leaves, at least one."""
        tiles, rest = divmod(count, TILE)
        left = self.tiles[:tiles]
        if not rest:
            return root_of(left)
        right = root_of(self.hashes[count - rest : count])
        return join_peaks(peaks_of(left), right) if left else right


def peaks_of(hashes: Sequence[bytes]) -> list[bytes]:
    """The roots of the largest complete subtrees over `hashes`, left to right."""
    found, start = [], 0
    for bit in reversed(range(len(hashes).bit_length())):
        if len(hashes) >> bit & 1:
            found.append(root_of(hashes[start : start + (1 << bit)]))
            start += 1 << bit
    return found


def join_peaks(peaks: Sequence[bytes], right: bytes) -> bytes:
    """The root over complete subtrees and, at their right, a smaller one."""
    for peak in reversed(peaks):
        right = join(peak, right)
    return right
