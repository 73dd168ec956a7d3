"""Plays whole evaluation episodes with a trained agent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import Agent
from agents.agent import EPISODE_START
from mario.evaluation.acting import choose_actions
from mario.games.endings import FAILURES, SUCCESSES, Ending
from mario.vector.base import GameVectorEnv, final_info

LevelArea = tuple[int, int, int]
"""World, stage and area of Super Mario Bros.; coordinates are relative to one area."""


@dataclass(frozen=True)
class EpisodeResult:
    """Result of one evaluation episode.

    Attributes:
        reward: sum of the game's own rewards, before any reward wrapper.
        length: agent steps.
        x_pos: horizontal position at the end in pixels; None for a game without positions.
        best_x: largest horizontal position of the episode, or None.
        ending: why the episode ended, see `mario.games.endings.Ending`.
        y_pos: height at the end in pixels, or None.
        level_area: area in which the episode ended, or None for a game without levels.
        seed: seed of the episode.
        actions: the actions; with the seed they reproduce the episode.
    """

    reward: float
    length: int
    x_pos: int | None
    best_x: int | None
    ending: str
    y_pos: int | None = None
    level_area: LevelArea | None = None
    seed: int = 0
    actions: tuple[int, ...] = ()

    @property
    def cleared(self) -> bool:
        """Whether the episode reached the goal of the game."""
        return self.ending in SUCCESSES

    @property
    def crashed(self) -> bool:
        """Whether the environment crashed, so that the result says nothing about the agent."""
        return self.ending == Ending.CRASH

    @property
    def lost(self) -> bool:
        """Whether the episode ended in a death or because the game's clock ran out."""
        return self.ending in FAILURES


def play_episodes(
    agent: Agent,
    envs: GameVectorEnv,
    episodes: int,
    *,
    epsilon: float = 0.0,
    seed: int = 0,
    on_episode: Callable[[EpisodeResult], None] = lambda result: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[EpisodeResult]:
    """Play whole episodes with the greedy policy.

    Every environment plays a fixed share of the episodes. Taking the first episodes that finish
    would favor short ones. An environment that has played its share is no longer passed to the
    agent. The random actions of an episode depend only on its seed, so that the results do not
    depend on the number of environments.

    Args:
        agent: its training mode is restored at the end.
        envs: the environments; they are reset first.
        episodes: number of episodes to play.
        epsilon: probability that a step takes a random action instead of the agent's.
        seed: seed of the random actions.
        on_episode: called with each result when its episode ends.
        stop: polled after each step; True ends the evaluation early.

    Returns:
        The results in the order in which the episodes ended.

    Raises:
        RunError: the agent does not return one existing action per environment.
    """
    num_envs = envs.num_envs
    remaining = np.array([len(range(index, episodes, num_envs)) for index in range(num_envs)])
    recorder, results = _EpisodeRecorder(envs), list[EpisodeResult]()
    noise = _RandomActions(agent.spec.num_actions, epsilon, seed)
    was_training = agent.training
    agent.train(False)
    states, _ = envs.reset()
    agent.carry_recurrent_state(np.full(num_envs, EPISODE_START))
    while (active := np.flatnonzero(remaining)).size and not stop():
        actions = np.zeros(num_envs, np.int64)
        actions[active] = choose_actions(agent, states[active])
        for env_index in active.tolist() if epsilon else ():
            episode_seed = recorder.episode_seed(env_index)
            actions[env_index] = noise.replace(int(actions[env_index]), episode_seed)
        states, _, terminated, truncated, infos = envs.step(actions)
        recorder.record(actions)
        ended = (terminated | truncated)[active]
        for env_index in active[ended].tolist():
            results.append(recorder.finish(env_index, infos))
            remaining[env_index] -= 1
            on_episode(results[-1])
        indices = np.where(ended, EPISODE_START, np.arange(len(active)))
        agent.carry_recurrent_state(indices[remaining[active] > 0])
    agent.train(was_training)
    return results


class _EpisodeRecorder:
    """Collects the actions of the running episode of every environment.

    Args:
        envs: the environments, which were just reset.
    """

    def __init__(self, envs: GameVectorEnv) -> None:
        self._envs = envs
        self._episode = [0] * envs.num_envs
        # Kept, because finding a seed with a given number of no-ops takes a while.
        self._seeds = [envs.episode_seed(env_index, 0) for env_index in range(envs.num_envs)]
        self._actions = [list[int]() for _ in range(envs.num_envs)]

    def episode_seed(self, env_index: int) -> int:
        """Return the seed of the running episode of an environment."""
        return self._seeds[env_index]

    def record(self, actions: NDArray[np.int64]) -> None:
        """Add one action for every environment."""
        for recorded, action in zip(self._actions, actions.tolist(), strict=True):
            recorded.append(action)

    def finish(self, env_index: int, infos: dict[str, Any]) -> EpisodeResult:
        """Return the result of the episode that just ended, and begin the next one."""
        seed = self.episode_seed(env_index)
        result = _episode_result(final_info(infos, env_index), seed, self._actions[env_index])
        self._episode[env_index] += 1
        self._seeds[env_index] = self._envs.episode_seed(env_index, self._episode[env_index])
        self._actions[env_index] = []
        return result


class _RandomActions:
    """Replaces actions by random ones, with one random generator per episode.

    Args:
        num_actions: number of actions.
        epsilon: probability of a random action.
        seed: seed of the evaluation.
    """

    def __init__(self, num_actions: int, epsilon: float, seed: int) -> None:
        self._num_actions, self._epsilon, self._seed = num_actions, epsilon, seed
        self._rngs: dict[int, np.random.Generator] = {}

    def replace(self, action: int, episode_seed: int) -> int:
        """Return the action of the next step of an episode."""
        if episode_seed not in self._rngs:
            self._rngs[episode_seed] = np.random.default_rng((self._seed, episode_seed))
        rng = self._rngs[episode_seed]
        is_random, random_action = rng.random() < self._epsilon, rng.integers(self._num_actions)
        return int(random_action) if is_random else action


def _episode_result(info: dict[str, Any], seed: int, actions: list[int]) -> EpisodeResult:
    episode = info.get("episode", {"r": 0.0, "l": 0})
    x_pos, best_x, y_pos = (
        None if (position := info.get(name)) is None else int(position)
        for name in ("x_pos", "best_x", "y_pos")
    )
    level_area = None
    if "area" in info:
        level_area = int(info["world"]), int(info["stage"]), int(info["area"])
    return EpisodeResult(
        reward=float(episode["r"]),
        length=int(episode["l"]),
        x_pos=x_pos,
        best_x=best_x,
        ending=str(info.get("ending", "")),
        y_pos=y_pos,
        level_area=level_area,
        seed=seed,
        actions=tuple(actions),
    )
