from __future__ import annotations

import numpy as np
import pytest
from transitions import transitions

from agents.imitation.sampler import WeightedSampler
from agents.replay.frame_storage import FrameStorage

SHAPE = (1, 36, 36)
NUM_ENVS = 2


@pytest.fixture
def storage(tmp_path):
    storage = FrameStorage(tmp_path / "rows", SHAPE, NUM_ENVS, capacity=40)
    yield storage
    storage.close()


def fill(storage, sampler, weights):
    """Append a step of every environment for each weight."""
    states = np.zeros((NUM_ENVS, *SHAPE), np.uint8)
    for weight in weights:
        times = storage.ring.heads.copy()
        storage.append(transitions(states, [0, 0], [0, 0], [False] * 2, [False] * 2, states))
        sampler.set_weights(np.arange(NUM_ENVS), times, weight)


def test_probabilities_are_proportional_to_weights(storage):
    sampler = WeightedSampler(storage, recent=1, recent_fraction=0.0)
    fill(storage, sampler, [0, 1, 3, 1, 0])  # the last step is not a transition yet
    index, _ = sampler.sample(storage, 20_000)
    shares = np.bincount(index // NUM_ENVS, minlength=4) / len(index)
    np.testing.assert_allclose(shares, [0, 0.2, 0.6, 0.2], atol=0.02)


def test_the_recent_part_comes_from_the_newest_rows(storage):
    sampler = WeightedSampler(storage, recent=2 * NUM_ENVS, recent_fraction=0.5)
    fill(storage, sampler, [1] * 21)
    index, _ = sampler.sample(storage, 10_000)
    times = index // NUM_ENVS
    assert (times[:5_000] >= 18).all()
    assert (times[5_000:] < 18).any()


def test_weights_follow_their_rows_around_the_ring(storage):
    sampler = WeightedSampler(storage, recent=1, recent_fraction=0.0)
    fill(storage, sampler, [1.0] * 30 + [5.0] * 15 + [0.0] * 15)
    index = storage.indices()
    expected = np.where(index // NUM_ENVS < 45, 5.0, 0.0)
    np.testing.assert_array_equal(sampler.weights(index), expected)


def test_nothing_is_sampled_while_all_weights_are_zero(storage):
    sampler = WeightedSampler(storage, recent=1, recent_fraction=0.5)
    fill(storage, sampler, [0, 0, 0])
    with pytest.raises(LookupError, match="no transition has a weight above 0"):
        sampler.sample(storage, 4)


def test_a_rare_weight_is_found_among_many_zeros(tmp_path):
    storage = FrameStorage(tmp_path / "many", SHAPE, NUM_ENVS, capacity=4_000)
    sampler = WeightedSampler(storage, recent=1, recent_fraction=0.0)
    fill(storage, sampler, [0] * 1_000 + [1] + [0] * 999)
    index, _ = sampler.sample(storage, 16)
    assert set(index.tolist()) <= {2_000, 2_001}
    storage.close()


def test_a_restored_sampler_draws_the_same(storage):
    sampler = WeightedSampler(storage, recent=4, recent_fraction=0.5, seed=3)
    fill(storage, sampler, [1, 0, 2, 1, 1, 3])
    state = sampler.state_dict()
    expected, _ = sampler.sample(storage, 64)
    other = WeightedSampler(storage, recent=4, recent_fraction=0.5, seed=9)
    other.load_state_dict(state)
    assert other.sample(storage, 64)[0].tolist() == expected.tolist()
