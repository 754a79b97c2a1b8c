"""Fair samples: drawn so that anybody can draw them again, and nobody can choose them. Pure.

The population is frozen as sorted items with a digest before the auditor gives a seed. An item's rank is SHA-256 of
the seed, a newline and the item; the sample is the items of the lowest ranks, a replacement the next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence


def freeze(items: Iterable[str]) -> list[str]:
    """The population in its one form: each item once, sorted. Raises ValueError for an item of several lines."""
    population = sorted(set(items))
    if any("\n" in item or not item for item in population):
        raise ValueError("an item of a population is one line of text")
    return population


def population_sha256(population: Sequence[str]) -> str:
    """The digest (hex) that is published before the seed is known."""
    return hashlib.sha256("\n".join(population).encode()).hexdigest()


def rank(seed: str, item: str) -> str:
    """An item's rank under a seed: hexadecimal, to be compared as text."""
    return hashlib.sha256(f"{seed}\n{item}".encode()).hexdigest()


def ranked(population: Iterable[str], seed: str) -> list[str]:
    """Every item by rank, the lowest first: a sample of n is the first n, and the next replaces the first refused."""
    return sorted(population, key=lambda item: (rank(seed, item), item))


def draw(population: Iterable[str], seed: str, size: int) -> list[str]:
    """The sample. Raises ValueError for a size that the population doesn't have."""
    order = ranked(population, seed)
    if not 0 < size <= len(order):
        raise ValueError(f"a sample of {size} can't be drawn from {len(order)} items")
    return order[:size]


def replacement(population: Iterable[str], seed: str, used: int) -> str | None:
    """The item that follows the `used` ones that were drawn, or None where all were."""
    order = ranked(population, seed)
    return order[used] if used < len(order) else None
