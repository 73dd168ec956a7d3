from __future__ import annotations

import copy
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
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
from agents.replay.samplers import UniformSampler

ENV_CAPACITY = 6
OUTCOMES = CONTINUES * 2 + TERMINATED + TRUNCATED + BOTH + CRASHED


def make_replay(
    folder: Path | None, stack: int = 4, num_envs: int = 2, capacity: int = 40, n_step: int = 1,
    seed: int = 0,
) -> FrameReplay:  # fmt: skip
    storage = FrameStorage(folder, (stack, 2, 2), num_envs, capacity, n_step, GAMMA)
    return FrameReplay(storage, UniformSampler(seed))


@pytest.fixture
def filled(tmp_path):
    """A replay memory of two environments that was overwritten several times, and those."""
    replay = make_replay(tmp_path)
    yield replay, play_and_overwrite(replay)
    replay.close()


def test_every_transition_is_sampled_with_the_same_probability(filled):
    replay, _ = filled
    rounds, size = 1_000, len(replay)
    counts = Counter()
    for _ in range(rounds):
        index, _ = replay.sampler.sample(replay.storage, size)
        counts.update(index.tolist())
    assert len(counts) == size
    # chi-square: the mean is the degrees of freedom, the variance is twice that
    statistic = sum((count - rounds) ** 2 / rounds for count in counts.values())
    assert abs(statistic - size) < 5 * (2 * size) ** 0.5


def test_a_sample_has_the_documented_shapes_and_dtypes(filled):
    replay, _ = filled
    batch = replay.sample(16)
    assert batch.batch_size == (16,)
    assert {name: (batch[name].dtype, *batch[name].shape[1:]) for name in sorted(batch.keys())} == {
        "state": (torch.uint8, 4, 2, 2),
        "action": (torch.int64,),
        "reward": (torch.float32,),
        "discount": (torch.float32,),
        "next_state": (torch.uint8, 4, 2, 2),
    }


def test_sampling_never_crosses_the_write_seam(filled):
    replay, envs = filled
    for _ in range(60):
        play(replay, envs, CONTINUES * 2)
        assert_same(replay, envs, env_capacity=20, n_step=1)


def test_an_episode_longer_than_the_greatest_age_stays_one_episode(tmp_path):
    replay, envs = make_replay(tmp_path, num_envs=1, capacity=500), [NaiveEnv(4)]
    for _ in range(600):
        play(replay, envs, CONTINUES)
    assert_same(replay, envs, env_capacity=500, n_step=1)


def test_replays_with_the_same_state_draw_the_same_samples(filled, tmp_path):
    replay, _ = filled
    other = make_replay(tmp_path, seed=9)
    other.load_state_dict(save(replay))
    for _ in range(3):
        assert (replay.sample(32) == other.sample(32)).all()


def test_an_empty_replay_raises_and_a_single_transition_is_found_among_final_rows(tmp_path):
    replay, envs = make_replay(tmp_path, num_envs=1, capacity=300), [NaiveEnv(4)]
    with pytest.raises(LookupError, match="nothing to sample yet; cache more than 1 steps"):
        replay.sample(1)
    for _ in range(250):
        play(replay, envs, CRASHED)
    with pytest.raises(LookupError, match="nothing to sample yet"):
        replay.sample(1)
    play(replay, envs, CONTINUES)
    play(replay, envs, CONTINUES)
    np.testing.assert_array_equal(replay.sample(8)["state"], [envs[0].rows[250].state] * 8)


@pytest.mark.parametrize("excess", range(1, 10))
def test_rows_overwritten_after_the_state_was_saved_are_dropped(filled, tmp_path, excess):
    replay, envs = filled
    state, envs_then = save(replay), copy.deepcopy(envs)
    assert replay.storage.ring.rows_until_overwrite == 8
    assert replay.steps_until_overwrite() == 4
    for _ in range(8 + excess):
        play(replay, envs, CONTINUES * 2)
    assert replay.steps_until_overwrite() == 0
    late = make_replay(tmp_path)
    late.load_state_dict(state)
    assert late.storage.ring.missing_rows == 2 * excess
    assert late.storage.check_valid() == (True, "")
    assert len(replay) > len(late) > 0
    index = late.storage.indices()
    for (time, env), row in zip(split(index, 2), late.storage.get(index), strict=True):
        np.testing.assert_array_equal(row["state"], envs_then[env].rows[time].state)
    for _ in range(30):
        play(late, envs_then, CONTINUES * 2)
    assert_same(late, envs_then, env_capacity=20, n_step=1)


def test_the_description_states_size_and_folder(tmp_path):
    replay = make_replay(tmp_path, capacity=1_000_000)
    assert replay.describe() == (
        f"memory: 1,000,000 transitions, 0.03 GB at {tmp_path} "
        "(0.0 kB each; the tutorial's layout would take 0.1 GB)"
    )


def test_a_step_of_another_number_of_environments_is_refused(filled, tmp_path):
    replay, _ = filled
    with pytest.raises(ValueError, match="transitions are of 1 environments; give 2"):
        play(replay, [NaiveEnv(4)], CONTINUES)
    other = make_replay(tmp_path / "other", num_envs=1)
    with pytest.raises(ValueError, match="has 2 environments; resume with as many, not with 1"):
        other.load_state_dict(save(replay))
