"""Samples that anybody can draw again."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assessments.engagements import sampling

lines = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), min_size=1, max_size=20)
populations = st.lists(lines, min_size=1, max_size=60)
seeds = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), min_size=1, max_size=40)


@given(populations, st.randoms())
def test_a_population_is_the_same_however_it_comes(items, random):
    shuffled = [*items, items[0]]
    random.shuffle(shuffled)
    assert sampling.freeze(shuffled) == sampling.freeze(items) == sorted(set(items))


@given(populations, seeds, st.data())
def test_a_sample_is_the_lowest_ranks_and_replacements_go_on_where_it_ends(items, seed, data):
    population = sampling.freeze(items)
    size = data.draw(st.integers(1, len(population)))
    drawn = sampling.draw(population, seed, size)
    by_hand = sorted(population, key=lambda item: hashlib.sha256(f"{seed}\n{item}".encode()).hexdigest())
    assert drawn == by_hand[:size]
    assert [sampling.replacement(population, seed, used) for used in range(size, len(population) + 1)] == [
        *by_hand[size:],
        None,
    ]


@given(populations, seeds)
def test_a_larger_sample_begins_with_the_smaller_one(items, seed):
    population = sampling.freeze(items)
    whole = sampling.draw(population, seed, len(population))
    assert sorted(whole) == population
    assert all(sampling.draw(population, seed, size) == whole[:size] for size in range(1, len(population)))


def test_the_digest_and_the_ranks_are_those_of_the_package_format():
    population = sampling.freeze(["b", "a", "c"])
    assert sampling.population_sha256(population) == hashlib.sha256(b"a\nb\nc").hexdigest()
    assert sampling.rank("seed", "a") == hashlib.sha256(b"seed\na").hexdigest()


@pytest.mark.parametrize("items", [["a\nb"], [""]])
def test_an_item_is_one_line(items):
    with pytest.raises(ValueError, match="one line"):
        sampling.freeze(items)


@pytest.mark.parametrize("size", [0, -1, 4])
def test_a_sample_has_as_many_items_as_there_are(size):
    with pytest.raises(ValueError, match="can't be drawn"):
        sampling.draw(["a", "b", "c"], "seed", size)


def test_every_item_is_drawn_about_as_often_as_any_other():
    population = sampling.freeze(f"item {number}" for number in range(20))
    counts = dict.fromkeys(population, 0)
    for seed in range(2000):
        for item in sampling.draw(population, str(seed), 5):
            counts[item] += 1
    # 500 expected; the standard deviation is 19.4, and the seeds are fixed.
    assert all(400 < number < 600 for number in counts.values()), counts
