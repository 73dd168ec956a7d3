"""Damage in the files of a replay memory is found, and never reaches a training batch."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from naive_replay import (
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
)

from agents.replay import FrameReplay, FrameStorage, PrioritizedSampler, UniformSampler
from agents.replay.memory_map import COLUMNS, NO_ACTION

ENV_CAPACITY = 40
OUTCOMES = CONTINUES * 8 + TERMINATED + TRUNCATED + CRASHED


def make_replay(folder, stack=4, num_envs=1, n_step=1, prioritized=False):
    storage = FrameStorage(folder, (stack, 2, 2), num_envs, ENV_CAPACITY * num_envs, n_step, GAMMA)
    return FrameReplay(storage, PrioritizedSampler(storage) if prioritized else UniformSampler())


def flip(folder: Path, name: str, storage: FrameStorage, env: int, time: int):
    """Flip all bits of the first byte of a row."""
    path = folder / f"{name}.memmap"
    content = bytearray(path.read_bytes())
    table = storage.ring.table
    row_bytes = len(content) // table.numel()
    content[int(storage.ring.slots(np.array(env), np.array(time))) * row_bytes] ^= 255
    path.write_bytes(content)


def exclude(env: NaiveEnv, time: int, stack: int, n_step: int):
    """Mark the transitions that need a row as no transitions."""
    for row in env.rows[max(0, time - n_step) : time + stack]:
        row.action = NO_ACTION


@settings(max_examples=60, deadline=None)
@example("T" * 68 + "t" * 23, [(11, "stamp")], 1, 3, False)  # looks like a row of the next round
@given(
    st.text(OUTCOMES, min_size=60, max_size=90),
    st.lists(st.tuples(st.integers(5, 30), st.sampled_from([*COLUMNS, "frame"])), max_size=3),
    st.integers(1, 4),
    st.integers(1, 4),
    st.booleans(),
)
def test_the_remaining_transitions_are_exactly_those_that_need_no_damaged_row(
    outcomes, damages, n_step, stack, prioritized
):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        replay, envs = make_replay(folder, stack, 1, n_step, prioritized), [NaiveEnv(stack)]
        for outcome in outcomes:
            play(replay, envs, outcome)
        state, head = save(replay), len(envs[0].rows)
        rows = {(head - age, column) for age, column in damages}
        for time, column in rows:
            flip(folder, column, replay.storage, 0, time)
            exclude(envs[0], time, stack, n_step)
        resumed = make_replay(folder, stack, 1, n_step, prioritized)
        resumed.load_state_dict(state)
        assert_same(resumed, envs, ENV_CAPACITY, n_step)
        assert bool(resumed.describe_loss()) == bool(rows)
        for outcome in outcomes:  # what follows is stored as if nothing had happened
            play(resumed, envs, outcome)
        assert_same(resumed, envs, ENV_CAPACITY, n_step)


@pytest.mark.parametrize("age", [1, 2, 3])
def test_no_later_state_contains_a_damaged_frame(tmp_path, age):
    replay, envs = make_replay(tmp_path), [NaiveEnv(4)]
    for _ in range(30):
        play(replay, envs, CONTINUES)
    state = save(replay)
    flip(tmp_path, "frame", replay.storage, 0, 30 - age)
    resumed = make_replay(tmp_path)
    resumed.load_state_dict(state)
    assert len(resumed) == 0
    for _ in range(10):
        play(resumed, envs, CONTINUES)
    batch = resumed.storage.get(resumed.storage.indices())
    expected = [row.state for row in envs[0].rows[33:39]]
    np.testing.assert_array_equal(batch["state"], expected)


@pytest.mark.parametrize("age", [1, 3, 10])
@pytest.mark.parametrize("name", ["frame", "reward"])
def test_a_second_resume_from_the_same_state_finds_the_same_damage(tmp_path, age, name):
    """A run that is killed before its next save loads the state again."""
    replay, envs = make_replay(tmp_path), [NaiveEnv(4)]
    for _ in range(30):
        play(replay, envs, CONTINUES)
    state = save(replay)
    flip(tmp_path, name, replay.storage, 0, 30 - age)
    resumed = [make_replay(tmp_path) for _ in range(3)]
    found = []
    for each in resumed:
        each.load_state_dict(state)
        each.flush()
        found.append((each.describe_loss(), each.storage.indices().tolist()))
    assert "1 are damaged" in found[0][0] or "are missing" in found[0][0]
    assert found == [found[0]] * 3


def test_the_loss_is_described(tmp_path):
    replay = make_replay(tmp_path, num_envs=2)
    envs = play_and_overwrite(replay)
    state = save(replay)
    assert replay.describe_loss() == ""
    flip(tmp_path, "reward", replay.storage, 1, len(envs[1].rows) - 20)
    resumed = make_replay(tmp_path, num_envs=2)
    resumed.load_state_dict(state)
    assert resumed.describe_loss() == (
        f"the replay memory at {tmp_path} has lost rows: 1 are damaged and 0 are missing; "
        f"{len(resumed)} transitions remain"
    )
    (tmp_path / "frame.memmap").unlink()
    resumed = make_replay(tmp_path, num_envs=2)
    resumed.load_state_dict(state)
    assert "and 88 are missing; 0 transitions remain" in resumed.describe_loss()


@pytest.mark.parametrize("name", ["frame", "reward"])
def test_links_are_refused(tmp_path, name):
    make_replay(tmp_path / "memory").close()
    file, outside = tmp_path / "memory" / f"{name}.memmap", tmp_path / "outside"
    file.rename(outside)
    content = outside.read_bytes()
    for link in (file.symlink_to, file.hardlink_to):
        link(outside)
        with pytest.raises(ValueError, match=f"{name}.memmap is a link"):
            make_replay(tmp_path / "memory")
        assert outside.read_bytes() == content
        file.unlink()
