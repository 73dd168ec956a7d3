from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.replay.sum_tree import FAN, SumTree

SIZES = st.sampled_from([1, 2, 7, FAN - 1, FAN, FAN + 1, 500, FAN**2, FAN**2 + 1])
SEEDS = st.integers(0, 2**32 - 1)


def changed(size: int, seed: int, highest: float) -> tuple[SumTree, np.ndarray]:
    """A tree after several rounds of changes, many to 0, and the numbers it should have."""
    generator, tree, numbers = np.random.default_rng(seed), SumTree(size), np.zeros(size)
    for _ in range(4):
        places = generator.integers(size, size=1 + size // 2)
        values = np.floor(generator.uniform(0, highest, places.size))
        values[generator.random(places.size) < 0.3] = 0
        tree.update(places, values)
        for place, value in zip(places, values, strict=True):
            numbers[place] = value
    return tree, numbers


@given(SIZES, SEEDS)
def test_it_finds_what_a_running_total_finds(size, seed):
    tree, numbers = changed(size, seed, highest=5)  # whole numbers, whose sums are exact
    np.testing.assert_array_equal(tree.leaves, numbers)
    assert tree.total == numbers.sum()
    marks = np.arange(0, numbers.sum(), 0.5)
    expected = np.searchsorted(numbers.cumsum(), marks, side="right")
    np.testing.assert_array_equal(tree.find(marks), expected)


@given(SIZES, SEEDS, st.floats(1e-12, 1e12))
def test_nothing_is_found_where_there_is_nothing_however_sums_are_rounded(size, seed, scale):
    tree, numbers = changed(size, seed, highest=1e6)
    tree.fill(numbers / 3 * scale)
    if tree.total:
        marks = np.append(np.random.default_rng(seed).uniform(0, tree.total, 50), tree.total)
        assert (tree.take(tree.find(marks)) > 0).all()


@given(SIZES, SEEDS)
def test_a_tree_of_the_same_leaves_is_the_same_to_the_last_bit(size, seed):
    tree, again = changed(size, seed, highest=1e6)[0], SumTree(size)
    tree.update(np.arange(size), tree.leaves / 7)
    tree.update(np.array([size // 2]), np.array([1 / 3]))
    again.fill(tree.leaves)
    assert again.total == tree.total
    for mine, other in zip(again._levels, tree._levels, strict=True):
        np.testing.assert_array_equal(mine, other)


def test_places_are_found_as_often_as_their_numbers_are_large():
    tree = SumTree(1_000)
    tree.update(np.array([3, 400, 999]), np.array([1.0, 2.0, 7.0]))
    found = tree.find(np.random.default_rng(0).uniform(0, tree.total, 100_000))
    places, counts = np.unique(found, return_counts=True)
    assert places.tolist() == [3, 400, 999]
    np.testing.assert_allclose(counts / counts.sum(), [0.1, 0.2, 0.7], atol=0.01)


def test_the_last_of_two_values_for_a_place_counts():
    tree = SumTree(9)
    tree.update(np.array([2, 2]), np.array([5.0, 1.0]))
    assert tree.total == 1.0


def test_a_tree_of_nothing_is_refused():
    with pytest.raises(ValueError, match="size is 0; give 1 or more"):
        SumTree(0)
