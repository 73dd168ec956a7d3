from __future__ import annotations

import copy
import tempfile
from itertools import accumulate
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_replay import (
    BOTH,
    CONTINUES,
    CRASHED,
    GAMMA,
    TERMINATED,
    TRUNCATED,
    NaiveEnv,
    assert_same,
    play,
    play_and_overwrite,
    save,
    split,
)

from agents.replay.frame_replay import FrameReplay
from agents.replay.frame_storage import FrameStorage
from agents.replay.samplers import EPSILON, TINY, PrioritizedSampler, UniformSampler

ENV_CAPACITY, ALPHA = 6, 0.5
OUTCOMES = CONTINUES * 2 + TERMINATED + TRUNCATED + BOTH + CRASHED
STEPS = st.lists(
    st.one_of(
        st.text(OUTCOMES, min_size=3, max_size=3),
        st.just(CONTINUES * 3),
        st.integers(1, 8),
        st.sampled_from(["save", "restart"]),
    ),
    min_size=20,
    max_size=60,
)


class NaivePriorities:
    """Environments, and the priorities that their transitions should have."""

    def __init__(self, num_envs: int, stack: int) -> None:
        self.envs = [NaiveEnv(stack) for _ in range(num_envs)]
        self.priorities: dict[int, float] = {}
        self.max_error = 1.0

    def keep(self, index: list[int]) -> None:
        """Drop the priorities of other transitions and set those of new ones."""
        newest = self.max_error**ALPHA
        self.priorities = {each: self.priorities.get(each, newest) for each in index}

    def update(self, index: list[int], errors: np.ndarray) -> None:
        errors = np.abs(errors.astype(np.float64)) + EPSILON
        self.priorities |= dict(zip(index, errors**ALPHA, strict=True))
        self.max_error = max(self.max_error, *errors.tolist())


def assert_priorities(replay: FrameReplay, naive: NaivePriorities) -> None:
    sampler, index = replay.sampler, replay.storage.indices()
    assert sampler.check_valid() == (True, "")
    naive.keep(index.tolist())
    priorities = sampler.priorities()
    np.testing.assert_allclose(
        priorities[sampler._positions(index)], list(naive.priorities.values())
    )
    assert np.count_nonzero(priorities) == len(index)


def make_replay(
    folder: Path | None, stack: int = 4, num_envs: int = 2, capacity: int = 40, n_step: int = 2,
    seed: int = 0,
) -> FrameReplay:  # fmt: skip
    storage = FrameStorage(folder, (stack, 2, 2), num_envs, capacity, n_step, GAMMA)
    return FrameReplay(storage, PrioritizedSampler(storage, ALPHA, seed))


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 3), st.integers(1, 4), st.integers(1, 4), st.booleans())
def test_priorities_equal_those_of_a_naive_memory(steps, num_envs, n_step, stack, at_every_step):
    with tempfile.TemporaryDirectory() as folder:

        def make() -> FrameReplay:
            return make_replay(Path(folder), stack, num_envs, ENV_CAPACITY * num_envs, n_step)

        replay, naive = make(), NaivePriorities(num_envs, stack)
        saved = save(replay), copy.deepcopy(naive)
        for step in steps:
            if step == "save" or replay.steps_until_overwrite() < 1:
                saved = save(replay), copy.deepcopy(naive)
            if step == "restart":
                replay, naive = make(), copy.deepcopy(saved[1])
                replay.load_state_dict(saved[0])
            elif isinstance(step, int) and len(replay):
                naive.keep(replay.storage.indices().tolist())
                index = replay.sample(step)["index"]
                errors = np.linspace(-2 * step, step, step, dtype=np.float32)
                replay.update_priorities(index, errors)
                naive.update(index.tolist(), errors)
            elif isinstance(step, str) and step != "save":
                play(replay, naive.envs, step[:num_envs])
            if at_every_step:  # else new transitions are only noticed when they are sampled
                assert_same(replay, naive.envs, ENV_CAPACITY, n_step)
                assert_priorities(replay, naive)
        assert_same(replay, naive.envs, ENV_CAPACITY, n_step)
        assert_priorities(replay, naive)


@pytest.fixture
def filled(tmp_path):
    """A replay memory of two environments that was overwritten several times, and those."""
    replay = make_replay(tmp_path)
    yield replay, play_and_overwrite(replay)
    replay.close()


def test_probabilities_are_proportional_to_errors_to_the_power_of_alpha(filled):
    replay, _ = filled
    index = np.unique(replay.sample(2_000)["index"])
    assert len(index) == len(replay)
    errors = np.arange(len(index), dtype=np.float32)
    replay.update_priorities(index, errors)
    expected = np.sqrt(errors + EPSILON) / np.sqrt(errors + EPSILON).sum()
    batch = replay.sample(100_000)
    drawn = np.searchsorted(index, batch["index"].numpy())
    np.testing.assert_allclose(np.bincount(drawn) / 100_000, expected, atol=0.002)
    np.testing.assert_allclose(batch["probability"], expected[drawn], rtol=1e-6)


@pytest.mark.parametrize("seed", range(20))
def test_samples_are_those_of_a_running_total_of_the_priorities(filled, seed):
    replay, _ = filled
    sampler, rng = replay.sampler, np.random.default_rng(seed)
    index = replay.storage.indices()
    replay.update_priorities(index, rng.exponential(size=len(index)) * 10.0 ** rng.integers(-3, 3))
    sampler._generator = np.random.default_rng(seed)
    batch = replay.sample(32)
    priorities = sampler.priorities()
    totals = np.array(list(accumulate(priorities)))
    strata = (np.arange(32) + np.random.default_rng(seed).random(32)) / 32
    expected = np.searchsorted(totals, strata * totals[-1])
    np.testing.assert_array_equal(sampler._positions(batch["index"].numpy()), expected)
    np.testing.assert_allclose(batch["probability"], priorities[expected] / totals[-1], rtol=1e-12)


def test_each_stratum_gives_one_transition(filled):
    replay, _ = filled
    # all priorities are equal, so every transition spans two strata
    index = replay.sample(2 * len(replay))["index"]
    assert (np.unique(index, return_counts=True)[1] == 2).all()


@given(st.integers(0, 2**32 - 1), st.floats(1e-12, 1e12), st.integers(1, 200))
@settings(deadline=None)
def test_a_priority_of_zero_is_never_found_despite_rounding(seed, scale, capacity):
    storage = FrameStorage(None, (1, 2, 2), 1, capacity)
    sampler, rng = PrioritizedSampler(storage), np.random.default_rng(seed)
    priorities = rng.random(capacity) * scale * (rng.random(capacity) < 0.3)
    priorities[rng.integers(capacity)] = scale / 3
    sampler._tree.update(np.arange(capacity), priorities)
    total = sampler._tree.query(0, capacity)
    edges = np.concatenate(([0.0, total], priorities.cumsum(), rng.uniform(0, total, 50)))
    sums = np.concatenate((edges, np.nextafter(edges, np.inf), np.nextafter(edges, 0)))
    positions, found = sampler._find(sums, total)
    assert (found > 0).all()
    np.testing.assert_array_equal(found, priorities[positions])
    storage.close()


def test_a_search_that_rounding_leads_past_the_last_priority_steps_back(tmp_path):
    sampler = PrioritizedSampler(FrameStorage(tmp_path, (1, 2, 2), 1, 4))
    large, small = 1.0, 1.5 * 2.0**-53
    sampler._tree.update(np.arange(4), np.array([large, 0.0, small, 0.0]))
    total = sampler._tree.query(0, 4)
    assert total - large > small, "the sum was rounded up"
    assert sampler._tree.scan_lower_bound(np.array([total])).tolist() == [3]
    positions, priorities = sampler._find(np.array([total, 0.0, TINY]), total)
    assert positions.tolist() == [2, 0, 0]
    assert priorities.tolist() == [small, large, large]


def test_a_sampled_transition_is_that_of_its_index(filled):
    replay, envs = filled
    batch = replay.sample(64)
    for (time, env), row in zip(split(batch["index"], 2), batch, strict=True):
        state, action, reward, *_ = envs[env].transition(time, 2)
        np.testing.assert_array_equal(row["state"], state)
        assert (row["action"], row["reward"]) == (action, reward)


def test_errors_of_transitions_that_were_overwritten_are_ignored(filled):
    replay, envs = filled
    index = replay.sample(30)["index"]
    for _ in range(20):  # then other transitions have their positions in the tree
        play(replay, envs, CONTINUES * 2)
    replay.sampler.check_valid()
    before = replay.sampler.priorities()
    replay.update_priorities(index, np.full(30, 100, np.float32))
    np.testing.assert_array_equal(replay.sampler.priorities(), before)
    assert replay.sampler.check_valid() == (True, "")


def test_of_two_errors_for_a_transition_the_last_counts(filled):
    replay, _ = filled
    index = np.repeat(replay.storage.indices()[:1], 2)
    replay.update_priorities(index, np.array([5.0, 1.0]))
    priority = replay.sampler.priorities()[replay.sampler._positions(index[:1])]
    np.testing.assert_allclose(priority, (1 + EPSILON) ** ALPHA)


def test_replays_with_the_same_state_draw_the_same_samples_and_stay_equal(filled, tmp_path):
    replay, _ = filled
    replay.update_priorities(replay.sample(9)["index"], np.linspace(0, 7, 9, dtype=np.float32))
    state, other = save(replay), make_replay(tmp_path, seed=9)
    replay.update_priorities(replay.sample(9)["index"], np.full(9, 50, np.float32))
    replay.load_state_dict(state)
    other.load_state_dict(state)
    for error in range(5):
        batch, same = replay.sample(32), other.sample(32)
        assert (batch == same).all()
        for each in (replay, other):
            each.update_priorities(batch["index"], np.full(32, error, np.float32))
        total, other_total = (each.sampler._tree.query(0, 40) for each in (replay, other))
        assert total == other_total
        assert replay.sampler.state_dict()["max_error"] == other.sampler.state_dict()["max_error"]


def test_sums_depend_only_on_the_priorities_to_the_last_bit(tmp_path):
    rng = np.random.default_rng(5)
    storage = FrameStorage(tmp_path, (1, 2, 2), 1, 1_000)
    changed, filled = (PrioritizedSampler(storage)._tree for _ in range(2))
    for _ in range(200):
        changed.update(rng.integers(1_000, size=64), rng.exponential(size=64) ** 9)
    filled.update(np.arange(1_000), changed.at(np.arange(1_000)))
    for start in range(0, 1_000, 7):
        assert changed.query(start, 1_000) == filled.query(start, 1_000)


@pytest.mark.parametrize("excess", range(1, 10))
def test_rows_lost_after_the_state_was_saved_lose_their_priorities(filled, tmp_path, excess):
    replay, envs = filled
    replay.update_priorities(replay.sample(30)["index"], np.arange(30, dtype=np.float32))
    state, envs_then = save(replay), copy.deepcopy(envs)
    for _ in range(8 + excess):
        play(replay, envs, CONTINUES * 2)
    late = make_replay(tmp_path)
    late.load_state_dict(state)
    assert late.storage.ring.missing_rows == 2 * excess
    for _ in range(30):
        assert late.sampler.check_valid() == (True, "")
        assert late.storage.contains(late.sample(50)["index"]).all()
        play(late, envs_then, CONTINUES * 2)
    assert_same(late, envs_then, env_capacity=20, n_step=2)


def test_damage_is_found(filled):
    sampler = filled[0].sampler
    sampler._tree.update(np.flatnonzero(sampler.priorities())[:1], np.zeros(1))
    assert sampler.check_valid() == (
        False,
        "there are priorities without a transition, or transitions without one",
    )


def test_an_empty_replay_raises_until_there_is_a_transition(tmp_path):
    replay, envs = make_replay(tmp_path, num_envs=1, capacity=9, n_step=1), [NaiveEnv(4)]
    with pytest.raises(LookupError, match="nothing to sample yet; cache more than 1 steps"):
        replay.sample(1)
    for outcome in (CRASHED, CONTINUES, CONTINUES):
        play(replay, envs, outcome)
    np.testing.assert_array_equal(replay.sample(3)["state"], [envs[0].rows[1].state] * 3)


def test_another_storage_is_refused(filled, tmp_path):
    other = make_replay(tmp_path / "other").storage
    with pytest.raises(ValueError, match="storage is another one; give that of the sampler"):
        filled[0].sampler.sample(other, 8)


def test_torchrls_own_format_is_refused():
    for refused in (UniformSampler().dumps, UniformSampler().loads):
        with pytest.raises(NotImplementedError, match=r"use state_dict\(\)"):
            refused("folder")
