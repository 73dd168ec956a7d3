from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.replay.augmentation import RandomShift, shift


@given(st.integers(1, 6), st.integers(1, 3), st.integers(4, 9), st.integers(4, 9), st.data())
def test_it_is_a_crop_of_what_numpy_pads(far, stack, height, width, data):
    generator = np.random.default_rng(data.draw(st.integers(0, 999)))
    states = generator.integers(0, 256, (5, stack, height, width), dtype=np.uint8)
    ways = generator.integers(-far, far + 1, (5, 2))
    padded = np.pad(states, ((0, 0), (0, 0), (far, far), (far, far)), mode="edge")
    expected = [
        each[:, far + y : far + y + height, far + x : far + x + width]
        for each, (y, x) in zip(padded, ways, strict=True)
    ]
    found = shift(torch.from_numpy(states), ways, far)
    assert found.dtype == torch.uint8
    np.testing.assert_array_equal(found, expected)


def test_all_ways_are_gone_as_often_each_state_by_itself_and_frames_together():
    dots = torch.zeros((9_000, 2, 7, 7), dtype=torch.uint8)
    dots[:, :, 3, 3] = 1
    moved = RandomShift(1, seed=3)(dots)
    assert torch.equal(moved[:, 0], moved[:, 1])
    places = Counter(map(tuple, moved[:, 0].nonzero()[:, 1:].tolist()))
    assert set(places) == {(y, x) for y in (2, 3, 4) for x in (2, 3, 4)}
    assert all(abs(count - 1_000) < 150 for count in places.values())
    assert dots[:, :, 3, 3].all(), "the states themselves stay as they are"


def test_the_same_seed_or_state_moves_alike():
    states = torch.arange(2 * 64, dtype=torch.uint8).reshape(2, 1, 8, 8).repeat(8, 1, 1, 1)
    first, same, other = RandomShift(2, seed=1), RandomShift(2, seed=1), RandomShift(2, seed=2)
    assert torch.equal(first(states), same(states))
    assert not torch.equal(first(states), other(states))
    other.load_state_dict(first.state_dict())
    assert torch.equal(first(states), other(states))


def test_no_way_at_all_is_refused():
    with pytest.raises(ValueError, match="pixels is 0; give 1 or more"):
        RandomShift(0)
