"""Plays episodes and passes every frame and every agent step to callbacks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from agents import Agent
from agents.agent import EPISODE_START
from mario.evaluation.acting import choose_actions
from mario.evaluation.episodes import EpisodeResult

Frame = NDArray[np.uint8]
FrameCallback = Callable[[Frame], bool]
"""Receives a frame; returns False to stop the playback."""


class StopPlayback(Exception):
    """Raised when a frame callback asks to stop."""


@dataclass(frozen=True)
class PlaybackStep:
    """An agent step, just before the environment executes it.

    Attributes:
        state: Observation of the agent, uint8 ``state_shape``.
        action: Chosen action.
        action_names: Name of each action.
        action_values: Score of each action, float32 ``(num_actions,)``, see
            `agents.Agent.action_values`; None if the agent has no scores.
        action_values_name: What the scores are, e.g. ``"Q value"``.
        episode_return: Sum of the game's own rewards so far.
        step: Number of the step in the episode, from 1.
        info: Info of the previous step or reset.
    """

    state: NDArray[np.uint8]
    action: int
    action_names: Sequence[str]
    action_values: NDArray[np.float32] | None
    action_values_name: str
    episode_return: float
    step: int
    info: dict[str, Any]


class FrameObserver(gym.Wrapper[Any, Any, Any, Any]):
    """Passes every emulator frame to callbacks, including those that frame skipping hides.

    Args:
        env: The unwrapped game: its observations are frames, uint8 ``(height, width, 3)``.
        callbacks: Called in order with each frame.
    """

    def __init__(self, env: gym.Env[Any, Any], callbacks: Sequence[FrameCallback]) -> None:
        super().__init__(env)
        self._callbacks = callbacks

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Step the game and pass its frame to the callbacks.

        Raises:
            StopPlayback: A callback returned False.
        """
        result = self.env.step(action)
        self._pass_on(result[0])
        return result

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        """Reset the game and pass its first frame to the callbacks.

        Raises:
            StopPlayback: A callback returned False.
        """
        result = self.env.reset(**kwargs)
        self._pass_on(result[0])
        return result

    def _pass_on(self, frame: Frame) -> None:
        for callback in self._callbacks:
            if not callback(frame):
                raise StopPlayback


class Player(Protocol):
    """Plays a game: one trained agent, or several that share the game."""

    @property
    def game(self) -> str:
        """ID of the game."""

    def make_env(
        self,
        emulator: str = "auto",
        *,
        noop_max: int = 0,
        inner: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]] | None = None,
    ) -> gym.Env[Any, Any]:
        """Make the environment, see `mario.runs.trained_agent.TrainedAgent.make_env`."""

    def make_agent(self, env: gym.Env[Any, Any], *, seed: int = 0) -> Agent:
        """Make the agent that plays in the environment."""


def watch_episodes(
    player: Player,
    on_frame: FrameCallback,
    *,
    episodes: int = 1,
    noop_max: int = 30,
    epsilon: float = 0.0,
    seed: int = 0,
    emulator: str = "auto",
    on_step: Callable[[PlaybackStep], None] | None = None,
) -> Iterator[EpisodeResult]:
    """Play episodes until there are enough or ``on_frame`` returns False.

    Args:
        player: Makes the environment and the agent, for example a `TrainedAgent`.
        on_frame: Receives every frame of the emulator, uint8 ``(height, width, 3)``.
        episodes: Number of episodes.
        noop_max: Maximum number of no-op frames at the start of an episode; the number is drawn.
        epsilon: Probability of a random action in each step.
        seed: Seed of the first episode; each further episode adds 1.
        emulator: Name of the emulator of NES games.
        on_step: See `watch_episode`.

    Yields:
        The result of each episode that was played to its end.
    """
    env = player.make_env(
        emulator, noop_max=noop_max, inner=partial(FrameObserver, callbacks=[on_frame])
    )
    with closing(env):
        agent = player.make_agent(env, seed=seed)
        for episode_seed in range(seed, seed + episodes):
            try:
                result = watch_episode(
                    agent, env, seed=episode_seed, epsilon=epsilon, on_step=on_step
                )
            except StopPlayback:
                return
            yield result


def watch_episode(
    agent: Agent,
    env: gym.Env[Any, Any],
    *,
    seed: int,
    epsilon: float = 0.0,
    on_step: Callable[[PlaybackStep], None] | None = None,
) -> EpisodeResult:
    """Play one episode.

    Args:
        agent: Agent for a single environment.
        env: Environment with the wrappers that the agent expects.
        seed: Seed of the environment and of the random actions.
        epsilon: Probability of a random action in each step.
        on_step: Called with each step before the environment executes it.

    Raises:
        StopPlayback: A `FrameObserver` in the environment stopped the playback.
    """
    rng = np.random.default_rng(seed)
    state, info = env.reset(seed=seed)
    agent.carry_recurrent_state(np.array([EPISODE_START]))
    ended, step = False, 0
    while not ended:
        step += 1
        action = int(choose_actions(agent, state[None])[0])
        if rng.random() < epsilon:
            action = int(rng.integers(agent.spec.num_actions))
        if on_step is not None:
            on_step(_describe_step(agent, env, state, action, step, info))
        state, _, terminated, truncated, info = env.step(action)
        ended = terminated or truncated
    return EpisodeResult(
        reward=float(info["episode"]["r"]),
        length=int(info["episode"]["l"]),
        x_pos=info.get("x_pos"),
        best_x=info.get("best_x"),
        ending=str(info.get("ending", "")),
    )


def _describe_step(
    agent: Agent,
    env: gym.Env[Any, Any],
    state: NDArray[np.uint8],
    action: int,
    step: int,
    info: dict[str, Any],
) -> PlaybackStep:
    action_values = agent.action_values(state[None])
    if env.has_wrapper_attr("action_names"):
        action_names = env.get_wrapper_attr("action_names")
    else:
        action_names = tuple(map(str, range(agent.spec.num_actions)))
    return PlaybackStep(
        state=state,
        action=action,
        action_names=action_names,
        action_values=None if action_values is None else action_values[0],
        action_values_name=agent.action_values_name,
        episode_return=float(env.get_wrapper_attr("episode_returns")),
        step=step,
        info=info,
    )
