from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.replay.augmentation import RandomShift, shift


@given(st.integers(1, 6), st.integers(1, 3), st.integers(4, 9), st.integers(4, 9), st.data())
def test_a_shift_equals_a_crop_of_a_state_padded_by_numpy(max_shift, stack, height, width, data):
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    states = rng.integers(0, 256, (5, stack, height, width), dtype=np.uint8)
    offsets = rng.integers(-max_shift, max_shift + 1, (5, 2))
    margins = (0, 0), (0, 0), (max_shift, max_shift), (max_shift, max_shift)
    padded = np.pad(states, margins, mode="edge")
    expected = [
        state[:, max_shift + y : max_shift + y + height, max_shift + x : max_shift + x + width]
        for state, (y, x) in zip(padded, offsets, strict=True)
    ]
    shifted = shift(torch.from_numpy(states), offsets, max_shift)
    assert shifted.dtype == torch.uint8
    np.testing.assert_array_equal(shifted, expected)


def test_states_are_shifted_uniformly_and_independently_and_frames_of_a_state_together():
    dots = torch.zeros((9_000, 2, 7, 7), dtype=torch.uint8)
    dots[:, :, 3, 3] = 1
    shifted = RandomShift(1, seed=3)(dots)
    assert torch.equal(shifted[:, 0], shifted[:, 1])
    counts = Counter(map(tuple, shifted[:, 0].nonzero()[:, 1:].tolist()))
    assert set(counts) == {(y, x) for y in (2, 3, 4) for x in (2, 3, 4)}
    assert all(abs(count - 1_000) < 150 for count in counts.values())
    assert dots[:, :, 3, 3].all(), "the input must not change"


def test_the_same_seed_or_state_gives_the_same_shifts():
    states = torch.arange(2 * 64, dtype=torch.uint8).reshape(2, 1, 8, 8).repeat(8, 1, 1, 1)
    first, same, other = RandomShift(2, seed=1), RandomShift(2, seed=1), RandomShift(2, seed=2)
    assert torch.equal(first(states), same(states))
    assert not torch.equal(first(states), other(states))
    other.load_state_dict(first.state_dict())
    assert torch.equal(first(states), other(states))


def test_a_shift_of_no_pixels_is_refused():
    with pytest.raises(ValueError, match="max_shift is 0; give 1 or more"):
        RandomShift(0)
