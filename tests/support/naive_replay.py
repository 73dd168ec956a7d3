"""A replay memory that stores every transition in full, to compare `FrameReplay` with."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
import torch
from transitions import transitions

from agents.replay.frame_replay import FrameReplay
from agents.replay.memory_map import NO_ACTION

GAMMA = 0.5
CONTINUES, TERMINATED, TRUNCATED, BOTH, CRASHED = ".TtB!"


@dataclass
class Row:
    """What the naive memory stores of a step."""

    state: np.ndarray
    action: int
    reward: float = 0.0
    terminated: bool = False


@dataclass
class NaiveEnv:
    """An environment whose frames are numbers that never repeat, and all the rows it produced."""

    stack: int
    frames: int = 0
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.state = np.stack([self.next_frame()] * self.stack)

    def next_frame(self) -> np.ndarray:
        self.frames += 1
        return np.array([self.frames], "<u4").view(np.uint8).reshape(2, 2)

    def step(self, outcome: str) -> tuple:
        """Take one step; return the fields of its `Transitions`."""
        state, action, reward = self.state, self.frames % 7, float(self.frames % 5)
        terminated, valid = outcome in (TERMINATED, BOTH), outcome != CRASHED
        if valid:
            self.state = np.concatenate((state[1:], self.next_frame()[None]))
        truncated = outcome in (TRUNCATED, BOTH, CRASHED)
        step = state, action, reward, terminated, truncated, self.state, valid
        row = Row(state, action, reward, terminated)
        self.rows.append(row if valid else Row(state, NO_ACTION))
        if outcome == TRUNCATED:
            self.rows.append(Row(self.state, NO_ACTION))
        if outcome != CONTINUES:
            self.reset()
        return step

    def transition(self, time: int, n_step: int) -> tuple:
        """Return state, action, reward, discount and next state."""
        first, reward, discount = self.rows[time], 0.0, 1.0
        for row in self.rows[time : time + n_step]:
            if row.action == NO_ACTION:
                return first.state, first.action, reward, discount, row.state
            reward, discount = reward + discount * row.reward, discount * GAMMA
            if row.terminated:
                return first.state, first.action, reward, 0.0, None
        return first.state, first.action, reward, discount, self.rows[time + n_step].state


def play(replay: FrameReplay, envs: list[NaiveEnv], outcomes: str) -> None:
    """Take one step in every environment and cache it."""
    steps = (env.step(outcome) for env, outcome in zip(envs, outcomes, strict=True))
    replay.cache(transitions(*map(np.array, zip(*steps, strict=True))))


def play_and_overwrite(replay: FrameReplay) -> list[NaiveEnv]:
    """Play two environments until the replay memory was overwritten several times; return them."""
    envs = [NaiveEnv(4), NaiveEnv(4)]
    for step in range(200):
        first = TERMINATED if step % 9 == 0 else CONTINUES
        second = TRUNCATED if step % 7 == 0 else CONTINUES
        play(replay, envs, first + second)
    return envs


def assert_same(replay: FrameReplay, envs: list[NaiveEnv], env_capacity: int, n_step: int) -> None:
    """Assert that exactly the transitions of the naive memory can be sampled."""
    storage = replay.storage
    assert storage.check_valid() == (True, "")
    expected = [
        (time, env)
        for env, naive in enumerate(envs)
        for time in range(max(0, len(naive.rows) - n_step - env_capacity), len(naive.rows) - n_step)
        if naive.rows[time].action != NO_ACTION
    ]
    index = storage.indices()
    assert split(index, len(envs)) == expected
    assert len(replay) == len(expected)
    batch = storage.get(index)
    for row, (time, env) in zip(batch, expected, strict=True):
        state, action, reward, discount, next_state = envs[env].transition(time, n_step)
        np.testing.assert_array_equal(row["state"], state)
        assert (row["action"], row["reward"], row["discount"]) == (action, reward, discount)
        if next_state is not None:
            np.testing.assert_array_equal(row["next_state"], next_state)


def split(index: np.ndarray | torch.Tensor, num_envs: int) -> list[tuple[int, int]]:
    """Return the time and the environment of transitions."""
    return [divmod(each, num_envs) for each in index.tolist()]


def through_a_file(state: dict) -> dict:
    """Save and load a state."""
    file = io.BytesIO()
    torch.save(state, file)
    return torch.load(io.BytesIO(file.getvalue()), weights_only=True)


def save(replay: FrameReplay) -> dict:
    """Save a replay memory in the order that a checkpoint does; return its loaded state."""
    replay.flush()
    state = through_a_file(replay.state_dict())
    replay.mark_saved()
    return state
