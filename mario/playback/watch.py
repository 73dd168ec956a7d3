"""Shows a game as it is played, frame by frame: in a window, in a video, or both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from agents import Agent
from agents.agent import EPISODE_START
from mario.evaluation.episodes import EpisodeResult

Frame = NDArray[np.uint8]
Sink = Callable[[Frame], bool]
"""Takes a frame; False to stop."""


class Closed(Exception):
    """Raised out of a game when whoever looks on has seen enough."""


@dataclass(frozen=True)
class WatchedStep:
    """A decision, as those who look on are told of it just before it is played.

    Attributes:
        state: what the agent sees, uint8 ``state_shape``.
        action: what it does.
        names: what people call each action.
        action_values: what the agent makes of each action, float32 ``(num_actions,)``, or None.
        action_values_name: what those numbers are.
        reward: what the game itself has rewarded so far.
        decision: its number in the episode, from 1.
        info: what the game tells.
    """

    state: NDArray[np.uint8]
    action: int
    names: Sequence[str]
    action_values: NDArray[np.float32] | None
    action_values_name: str
    reward: float
    decision: int
    info: dict[str, Any]


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
    agent: Agent,
    env: gym.Env[Any, Any],
    *,
    seed: int,
    epsilon: float = 0.0,
    on_decision: Callable[[WatchedStep], None] | None = None,
) -> EpisodeResult:
    """Play one episode.

    Args:
        agent: chooses the actions.
        env: one game, wrapped as the agent sees it.
        seed: seeds the game's start and the random actions.
        epsilon: share of the actions that are random.
        on_decision: is told of each decision before it is played.

    Raises:
        Closed: a sink has seen enough.
    """
    rng = np.random.default_rng(seed)
    state, info = env.reset(seed=seed)
    agent.carry_recurrent_state(np.array([EPISODE_START]))
    ended, decision = False, 0
    while not ended:
        decision += 1
        action = int(agent.act(state[None])[0])
        if rng.random() < epsilon:
            action = int(rng.integers(agent.spec.num_actions))
        if on_decision is not None:
            on_decision(_moment(agent, env, state, action, decision, info))
        state, _, terminated, truncated, info = env.step(action)
        ended = terminated or truncated
    return EpisodeResult(
        reward=float(info["episode"]["r"]),
        length=int(info["episode"]["l"]),
        x_pos=info.get("x_pos"),
        best_x=info.get("best_x"),
        ending=str(info.get("ending", "")),
    )


def _moment(
    agent: Agent,
    env: gym.Env[Any, Any],
    state: NDArray[np.uint8],
    action: int,
    decision: int,
    info: dict[str, Any],
) -> WatchedStep:
    action_values = agent.action_values(state[None])
    named = env.has_wrapper_attr("action_names")
    numbers = tuple(map(str, range(agent.spec.num_actions)))
    return WatchedStep(
        state=state,
        action=action,
        names=env.get_wrapper_attr("action_names") if named else numbers,
        action_values=None if action_values is None else action_values[0],
        action_values_name=agent.action_values_name,
        reward=float(env.get_wrapper_attr("episode_returns")),
        decision=decision,
        info=info,
    )
