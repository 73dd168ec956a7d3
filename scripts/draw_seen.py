"""Draws what the agent sees of Super Mario Bros. 1-1: python scripts/draw_seen.py docs/seen.png."""

from __future__ import annotations

import sys

import cv2
import gymnasium as gym
import numpy as np

import mario  # noqa: F401 - registers the games
from mario.games import make_game
from wrappers import WrapperConfig, wrap

DECISIONS = 92
"""Runs and jumps until there is something to see."""
SCALE, GAP = 3, 6


def play() -> np.ndarray:
    """The state after some decisions: run to the right, and jump now and then."""
    env: gym.Env[np.ndarray, int] = wrap(make_game("SuperMarioBros-1-1-v0"), WrapperConfig())
    state, _ = env.reset(seed=0)
    for decision in range(DECISIONS):
        jump = decision % 16 >= 8
        state, _, terminated, _, _ = env.step(4 if jump else 3)
        if terminated:
            break
    env.close()
    return state


def draw(state: np.ndarray) -> np.ndarray:
    """The frames of a state, ``(stack, height, width)``, side by side and enlarged."""
    frames = [np.kron(frame, np.ones((SCALE, SCALE), np.uint8)) for frame in state]
    gap = np.full((frames[0].shape[0], GAP), 255, np.uint8)
    return np.hstack([part for frame in frames for part in (frame, gap)][:-1])


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    cv2.imwrite(sys.argv[1], draw(play()))
