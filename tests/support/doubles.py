"""A game that ends, crashes or hangs on command. Imports no torch, because workers load it."""

from __future__ import annotations

import ctypes
import os
import time
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar

import gymnasium as gym
import numpy as np

SHAPE = (2, 4, 4)


@dataclass(frozen=True)
class Fault:
    """A failure at step ``at`` of an episode, or only the first time if ``once`` is given.

    ``at`` is 0 for the reset and -1 for the constructor. ``once`` is a file that marks that the
    failure has happened.
    """

    kind: str
    at: int
    once: Path | None = None

    def strike(self, step: int) -> None:
        if step != self.at:
            return
        if self.once is not None:
            try:
                self.once.touch(exist_ok=False)
            except FileExistsError:
                return
        if self.kind == "raise":
            raise RuntimeError("the game broke")
        if self.kind == "segfault":
            ctypes.string_at(0)
        if self.kind == "exit":
            os._exit(3)
        if self.kind == "hang":
            time.sleep(600)


class FakeGame(gym.Env):
    """A game whose observation is filled with the seed of the episode % 100 + the step.

    It ends after ``length`` steps, by the flag, or by truncation if ``truncates``.
    """

    metadata: ClassVar = {"render_modes": [], "emulator": "none"}
    observation_space = gym.spaces.Box(0, 255, SHAPE, np.uint8)
    action_space = gym.spaces.Discrete(3)

    def __init__(self, length: int = 5, truncates: bool = False, fault: Fault | None = None):
        self.length, self.truncates, self.fault = length, truncates, fault
        self.strike(-1)

    def strike(self, step):
        if self.fault:
            self.fault.strike(step)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.base = (seed or 0) % 100
        self.steps, self.total_reward = 0, 0.0
        self.strike(0)
        return self.observe(), {"x_pos": 0}

    def step(self, action):
        self.steps += 1
        self.strike(self.steps)
        self.total_reward += action
        ended = self.steps == self.length
        info = {"x_pos": self.steps, "best_x": self.steps, "ending": ""}
        if ended:
            info["ending"] = "truncated" if self.truncates else "flag"
            info["episode"] = {"r": self.total_reward, "l": self.steps}
        terminated, truncated = ended and not self.truncates, ended and self.truncates
        return self.observe(), float(action), terminated, truncated, info

    def observe(self):
        return np.full(SHAPE, self.base + self.steps, np.uint8)


def fake_game(**kwargs):
    """Return a picklable function that makes a `FakeGame`."""
    return partial(FakeGame, **kwargs)
