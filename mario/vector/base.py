"""The interface of vector environments."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mario.errors import UsageError
from mario.games.starts.demonstration_starts import DemonstrationStarts
from mario.games.starts.start_curriculum import UNCHANGED
from mario.vector.replay_point import ReplayPoint
from mario.vector.seeding import SeedFunction

VectorStepResult = tuple[
    NDArray[Any], NDArray[np.float32], NDArray[np.bool_], NDArray[np.bool_], dict[str, Any]
]
"""Observations ``(num_envs, ...)``; rewards, terminations, truncations ``(num_envs,)``; infos."""


class GameVectorEnv(VectorEnv[NDArray[Any], NDArray[np.int64], Any], ABC):
    """Several copies of one game that are stepped together.

    This is Gymnasium's vector interface with two additions. `step` can be split into `step_async`
    and `step_wait`, so that the agent can learn while the games run. `replay_log` and `restore`
    return the games to an earlier point.

    An environment whose episode ends is reset in the same step (`AutoresetMode.SAME_STEP`). Then
    ``infos["final_obs"]`` contains the last observation of the episode, and ``infos["final_info"]``
    its last info.

    Args:
        num_envs: Number of environments.
        seed: Seed of the run.
        seed_function: Derives the seed of each episode, see `mario.vector.seeding`.
        starts: Draws episodes that start on demonstrations; None if there are none.

    Attributes:
        starts: The argument. Its state is not part of `replay_log`.
        Point: The class of the points of `replay_log`.
    """

    Point: ClassVar[type[ReplayPoint]] = ReplayPoint

    def __init__(
        self,
        num_envs: int,
        *,
        seed: int,
        seed_function: SeedFunction,
        starts: DemonstrationStarts | None = None,
    ) -> None:
        self.num_envs, self.starts = num_envs, starts
        self._seed, self._seed_function = seed, seed_function
        self._points = [ReplayPoint.at_reset(0) for _ in range(num_envs)]

    @property
    def num_processes(self) -> int:
        """Number of processes, besides this one, that the environments keep busy."""
        return 0

    def episode_seed(self, env_index: int, episode: int) -> int:
        """Return the seed of an episode.

        Args:
            env_index: Index of the environment.
            episode: Index of the episode in that environment.
        """
        return self._seed_function(self._seed, env_index, episode)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Start the first episode of every environment.

        Args:
            seed: Replaces the seed given at construction.
            options: Must be empty.

        Raises:
            UsageError: ``options`` is not empty.
        """
        if options:
            raise UsageError(f"a vector environment has no reset options, got {options!r}")
        self._seed = self._seed if seed is None else seed
        first = self.Point.at_reset(0)
        return self.restore([self._with_next_start(i, first) for i in range(self.num_envs)])

    def step(self, actions: NDArray[np.int64]) -> VectorStepResult:
        """Take one step in every environment.

        Args:
            actions: One action per environment, int64 ``(num_envs,)``.
        """
        self.step_async(actions)
        return self.step_wait()

    @abstractmethod
    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Start one step in every environment; `step_wait` returns its result."""

    @abstractmethod
    def step_wait(self) -> VectorStepResult:
        """Return the result of the step that `step_async` started."""

    def replay_log(self) -> list[ReplayPoint]:
        """Return the current point of every environment, as `restore` accepts it."""
        return [point.copy() for point in self._points]

    @abstractmethod
    def restore(self, points: Sequence[ReplayPoint]) -> tuple[NDArray[Any], dict[str, Any]]:
        """Bring every environment to a point by replaying its actions.

        Args:
            points: One point per environment, as `replay_log` returned them.

        Returns:
            Observations and infos at these points.
        """

    def _begin_next_episode(
        self,
        index: int,
        final_info: Mapping[str, Any],
        *,
        farthest_update: int = UNCHANGED,
        start_offset: int = 0,
    ) -> None:
        """Update the point of an environment whose episode ended, and the rule of the starts.

        Args:
            index: Index of the environment.
            final_info: The last info of the episode; of it, ``ending`` and ``episode``.
            farthest_update: See `ReplayPoint.next_episode`.
            start_offset: See `ReplayPoint.next_episode`.
        """
        point = self._points[index]
        start, episode = point.log.start, final_info.get("episode")
        if self.starts and start and episode and not point.start_offset:
            self.starts.record(
                start, str(final_info["ending"]), float(episode["r"]), int(episode["l"])
            )
        following = point.next_episode(farthest_update, start_offset)
        self._points[index] = self._with_next_start(index, following)

    def _with_next_start(self, index: int, point: ReplayPoint) -> ReplayPoint:
        """Draw the start of the episode that follows the one of a point."""
        if self.starts is None:
            return point
        seed = self.episode_seed(index, point.episode + 1)
        return replace(point, next_start=self.starts.draw(seed))

    def _set_spaces(
        self,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        metadata: Mapping[str, Any],
    ) -> None:
        """Set the attributes that Gymnasium requires, from those of a single environment."""
        self.single_observation_space, self.single_action_space = observation_space, action_space
        self.observation_space = batch_space(observation_space, self.num_envs)
        self.action_space = batch_space(action_space, self.num_envs)
        self.metadata = {**metadata, "autoreset_mode": AutoresetMode.SAME_STEP}

    def _merge_infos(self, infos: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Merge one info per environment into Gymnasium's format for vector environments."""
        merged: dict[str, Any] = {}
        for index, info in enumerate(infos):
            merged = self._add_info(merged, info, index)
        return merged


def final_info(infos: dict[str, Any], env_index: int) -> dict[str, Any]:
    """Return the last info of an episode that ended, from the infos of a vector environment.

    Args:
        infos: Infos of a step, with the key ``"final_info"``.
        env_index: Index of the environment whose episode ended.
    """
    info: dict[str, Any] = {}
    for key, value in infos["final_info"].items():
        present = infos["final_info"].get(f"_{key}")
        if key.startswith("_") or (present is not None and not present[env_index]):
            continue
        if isinstance(value, dict):
            info[key] = final_info({"final_info": value}, env_index)
        else:
            info[key] = value[env_index]
    return info
