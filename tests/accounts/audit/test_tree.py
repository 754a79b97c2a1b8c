"""The tree against the vectors of Certificate Transparency and against RFC 9162's definitions."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.audit.tree import (
    GrowingTree,
    StoredTree,
    TreeIncompleteError,
    leaf_hash,
    root_of,
    root_of_peaks,
)
from tests.accounts.audit import rfc9162

DATA = [bytes.fromhex(text) for text in
        ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")]  # fmt: skip
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
INCLUSION = {
    (
        0,
        8,
    ): "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e 6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    (
        5,
        8,
    ): "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0 d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    (2, 3): "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    (
        1,
        5,
    ): "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    (0, 1): "",
}
CONSISTENCY = {
    (
        1,
        8,
    ): "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7 5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e 6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    (
        6,
        8,
    ): "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0 d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    (
        2,
        5,
    ): "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    (1, 1): "",
}
"""Of google/certificate-transparency's and transparency-dev/merkle's tests."""


class Storage:
    """Leaves and tiles in memory; counts what is read."""

    def __init__(self, size: int) -> None:
        self.leaves = [hashlib.sha256(b"%d" % number).digest() for number in range(size)]
        self.levels: dict[int, list[bytes]] = {0: self.leaves}
        self.reads: list[tuple[int, int, int]] = []
        self.growing = GrowingTree()
        for leaf in self.leaves:
            for tile in self.growing.append(leaf):
                level = self.levels.setdefault(tile.level, [])
                assert tile.index == len(level)
                level.append(tile.root)

    def fetch(self, level: int, first: int, count: int) -> list[bytes]:
        self.reads.append((level, first, count))
        return self.levels.get(level, [])[first : first + count]


def hexes(hashes: list[bytes]) -> list[str]:
    return [digest.hex() for digest in hashes]


@pytest.fixture(scope="module")
def large() -> Storage:
    return Storage(70_000)


@pytest.mark.parametrize("size", range(9))
def test_roots_are_those_of_certificate_transparency(size):
    assert root_of([leaf_hash(data) for data in DATA[:size]]).hex() == ROOTS[size]


def _vectors() -> StoredTree:
    leaves = [leaf_hash(data) for data in DATA]
    return StoredTree(lambda level, first, count: leaves[first : first + count] if level == 0 else [])


@pytest.mark.parametrize(("place", "proof"), INCLUSION.items())
def test_inclusion_proofs_are_those_of_certificate_transparency(place, proof):
    assert hexes(_vectors().inclusion_proof(*place)) == proof.split()


@pytest.mark.parametrize(("sizes", "proof"), CONSISTENCY.items())
def test_consistency_proofs_are_those_of_certificate_transparency(sizes, proof):
    assert hexes(_vectors().consistency_proof(*sizes)) == proof.split()


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 700), st.data())
def test_a_tree_of_any_size_is_as_rfc_9162_defines_it(size, data):
    storage = Storage(size)
    tree, leaves = StoredTree(storage.fetch), storage.leaves
    root, index, old = (
        rfc9162.tree_head(leaves),
        data.draw(st.integers(0, size - 1)),
        data.draw(st.integers(1, size)),
    )
    assert storage.growing.root() == tree.root(size) == root
    assert tree.peaks(size) == storage.growing.peaks
    assert tree.inclusion_proof(index, size) == rfc9162.path(index, leaves)
    assert tree.consistency_proof(old, size) == rfc9162.subproof(old, leaves)
    assert rfc9162.verifies_inclusion(leaves[index], index, size, tree.inclusion_proof(index, size), root)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 69_999), st.integers(1, 70_000))
def test_a_large_tree_is_proved_from_few_rows(large, index, old):
    size, tree = 70_000, StoredTree(large.fetch)
    large.reads.clear()
    root = large.growing.root()
    proof = tree.inclusion_proof(index, size)
    assert rfc9162.verifies_inclusion(large.leaves[index], index, size, proof, root)
    assert len(large.reads) <= 2 * 3
    if old < size:
        consistency = StoredTree(large.fetch).consistency_proof(old, size)
        older = StoredTree(large.fetch).root(old)
        assert rfc9162.verifies_consistency(old, size, older, root, consistency)


def test_a_tree_goes_on_from_its_peaks(large):
    start = StoredTree(large.fetch).peaks(65_535)
    tree = GrowingTree(65_535, start)
    tiles = [tile for leaf in large.leaves[65_535:] for tile in tree.append(leaf)]
    assert tree.root() == large.growing.root()
    assert [(tile.level, tile.index) for tile in tiles][:2] == [(1, 255), (2, 0)]
    assert root_of_peaks(start) == rfc9162.tree_head(large.leaves[:65_535])


def test_what_is_not_stored_is_not_made_up():
    storage = Storage(300)
    with pytest.raises(TreeIncompleteError):
        StoredTree(storage.fetch).inclusion_proof(3, 301)
    with pytest.raises(ValueError):
        StoredTree(storage.fetch).inclusion_proof(300, 300)
    with pytest.raises(ValueError):
        StoredTree(storage.fetch).consistency_proof(301, 300)
    with pytest.raises(ValueError):
        GrowingTree(3, [b"one"])
