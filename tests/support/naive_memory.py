"""A memory that keeps everything as it came, to compare a clever one with."""

from __future__ import annotations

import io
from dataclasses import dataclass, field

import numpy as np
import torch
from transitions import transitions

from agents.replay.frame_replay import FINAL, FrameReplay

GAMMA = 0.5
GO, TERMINATED, TRUNCATED, BOTH, CRASHED = ".TtB!"


@dataclass
class Row:
    """What a naive memory keeps of a step: everything."""

    state: np.ndarray
    action: int
    reward: float = 0.0
    terminated: bool = False


@dataclass
class Lane:
    """One game whose frames are numbers that never come twice, and all that it did."""

    stack: int
    frames: int = 0
    rows: list[Row] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.state = np.stack([self.draw()] * self.stack)

    def draw(self) -> np.ndarray:
        self.frames += 1
        return np.array([self.frames], "<u4").view(np.uint8).reshape(2, 2)

    def step(self, outcome: str) -> tuple:
        """Play one step; gives what the agent is to cache."""
        state, action, reward = self.state, self.frames % 7, float(self.frames % 5)
        self.state = np.concatenate((state[1:], self.draw()[None]))
        valid = outcome != CRASHED
        if not valid:
            self.state = state
        step = (
            state,
            action,
            reward,
            outcome in (TERMINATED, BOTH),
            outcome in (TRUNCATED, BOTH, CRASHED),
            self.state,
            valid,
        )
        row = Row(state, action, reward, outcome in (TERMINATED, BOTH))
        self.rows.append(row if valid else Row(state, FINAL))
        if outcome == TRUNCATED:
            self.rows.append(Row(self.state, FINAL))
        if outcome != GO:
            self.reset()
        return step

    def transition(self, number: int, n_step: int) -> tuple:
        """State, action, reward, discount, next state, as the rows have it."""
        first, reward, discount = self.rows[number], 0.0, 1.0
        for row in self.rows[number : number + n_step]:
            if row.action == FINAL:
                return first.state, first.action, reward, discount, row.state
            reward, discount = reward + discount * row.reward, discount * GAMMA
            if row.terminated:
                return first.state, first.action, reward, 0.0, None
        return first.state, first.action, reward, discount, self.rows[number + n_step].state


def play(memory: FrameReplay, lanes: list[Lane], outcomes: str) -> None:
    columns = zip(
        *(lane.step(each) for lane, each in zip(lanes, outcomes, strict=True)), strict=True
    )
    memory.cache(transitions(*map(np.array, columns)))


def assert_same(memory: FrameReplay, lanes: list[Lane], share: int, n_step: int) -> None:
    """All that the memory can draw is all that it should, as the naive one has it."""
    assert memory.check_valid() == (True, "")
    expected = [
        (lane, number)
        for lane, game in enumerate(lanes)
        for number in range(max(0, len(game.rows) - n_step - share), len(game.rows) - n_step)
        if game.rows[number].action != FINAL
    ]
    anchors = memory.anchors()
    assert list(zip(*(part.tolist() for part in anchors), strict=True)) == expected
    assert len(memory) == len(expected)
    batch = memory.read(*anchors)
    for index, (lane, number) in enumerate(expected):
        state, action, reward, discount, after = lanes[lane].transition(number, n_step)
        found = batch[index]
        np.testing.assert_array_equal(found["state"], state)
        assert (found["action"], found["reward"], found["discount"]) == (action, reward, discount)
        if after is not None:
            np.testing.assert_array_equal(found["next_state"], after)


def through_a_file(state: dict) -> dict:
    file = io.BytesIO()
    torch.save(state, file)
    return torch.load(io.BytesIO(file.getvalue()), weights_only=True)


def save(memory: FrameReplay) -> dict:
    memory.ring.flush()
    state = through_a_file(memory.state_dict())
    memory.ring.saved()
    return state
