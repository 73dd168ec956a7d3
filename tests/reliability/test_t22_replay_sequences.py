"""T22: after any sequence of steps, saves and restarts, the replay memory equals a plain list."""

from __future__ import annotations

import copy
import tempfile
from pathlib import Path

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
    save,
)

from agents.replay import FrameReplay, FrameStorage, UniformSampler

ENV_CAPACITY = 6
OUTCOMES = CONTINUES * 2 + TERMINATED + TRUNCATED + BOTH + CRASHED
STEPS = st.lists(
    st.one_of(
        st.text(OUTCOMES, min_size=3, max_size=3),
        st.just(CONTINUES * 3),
        st.sampled_from(["save", "restart"]),
    ),
    min_size=20,
    max_size=60,
)


def make_replay(folder: Path, stack: int, num_envs: int, capacity: int, n_step: int) -> FrameReplay:
    storage = FrameStorage(folder, (stack, 2, 2), num_envs, capacity, n_step, GAMMA)
    return FrameReplay(storage, UniformSampler(0))


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
def test_t22_it_equals_a_naive_memory_after_any_sequence_of_steps(steps, num_envs, n_step, stack):
    with tempfile.TemporaryDirectory() as folder:

        def make() -> FrameReplay:
            return make_replay(Path(folder), stack, num_envs, ENV_CAPACITY * num_envs, n_step)

        replay, envs = make(), [NaiveEnv(stack) for _ in range(num_envs)]
        saved = save(replay), copy.deepcopy(envs)
        for step in steps:
            if step == "save" or replay.steps_until_overwrite() < 1:
                saved = save(replay), copy.deepcopy(envs)
            if step == "restart":
                replay, envs = make(), copy.deepcopy(saved[1])
                replay.load_state_dict(saved[0])
                assert replay.storage.ring.missing_rows == 0
            elif step != "save":
                play(replay, envs, step[:num_envs])
            assert_same(replay, envs, ENV_CAPACITY, n_step)
