"""Shows a game as it is played, frame by frame: in a window, in a video, or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from agents import Agent
from mario.evaluation import Played

Frame = NDArray[np.uint8]
Sink = Callable[[Frame], bool]
"""Takes a frame; False to stop."""


class Closed(Exception):
    """Raised out of a game when whoever looks on has seen enough."""


class FrameTap(gym.Wrapper[Any, Any, Any, Any]):
    """Hands every frame of the bare game to sinks, also those that the agent's wrappers skip.

    Args:
        env: the bare game: its observations are frames, uint8 ``(height, width, 3)``.
        sinks: each is handed each frame.
    """

    def __init__(self, env: gym.Env[Any, Any], sinks: Sequence[Sink]) -> None:
        super().__init__(env)
        self._sinks = sinks

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the game and show its frame."""
        result = self.env.step(action)
        self._show(result[0])
        return result

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset the game and show its first frame."""
        result = self.env.reset(**kwargs)
        self._show(result[0])
        return result

    def _show(self, frame: Frame) -> None:
        for sink in self._sinks:
            if not sink(frame):
                raise Closed


def watch_episode(
    agent: Agent, env: gym.Env[Any, Any], *, seed: int, epsilon: float = 0.0
) -> Played:
    """Play one episode.

    Args:
        agent: chooses the actions.
        env: one game, wrapped as the agent sees it.
        seed: seeds the game's start and the random actions.
        epsilon: share of the actions that are random.

    Raises:
        Closed: a sink has seen enough.
    """
    rng = np.random.default_rng(seed)
    state, info = env.reset(seed=seed)
    ended = False
    while not ended:
        action = int(agent.act(state[None])[0])
        if rng.random() < epsilon:
            action = int(rng.integers(agent.setting.num_actions))
        state, _, terminated, truncated, info = env.step(action)
        ended = terminated or truncated
    return Played(
        reward=float(info["episode"]["r"]),
        length=int(info["episode"]["l"]),
        x_pos=info.get("x_pos"),
        best_x=info.get("best_x"),
        ended_by=str(info.get("ended_by", "")),
    )
