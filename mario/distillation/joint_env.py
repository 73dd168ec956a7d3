"""Several vector environments that are stepped as one, for example of different games."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mario.errors import UsageError
from mario.vector.base import GameVectorEnv, VectorStepResult
from mario.vector.replay_point import ReplayPoint
from mario.vector.seeding import episode_seed


class JointVectorEnv(GameVectorEnv):
    """Vector environments that are stepped as one, in the order in which they are given.

    Args:
        parts: vector environments with equal spaces, which are closed with this one. Each draws
            its own seeds.

    Attributes:
        slices: the environments of each part.

    Raises:
        UsageError: the spaces differ.
    """

    def __init__(self, parts: Sequence[GameVectorEnv]) -> None:
        stops = list(accumulate(part.num_envs for part in parts))
        super().__init__(stops[-1], seed=0, seed_function=episode_seed)
        first = parts[0]
        for part in parts:
            for name in ("single_observation_space", "single_action_space"):
                given, expected = getattr(part, name), getattr(first, name)
                if given != expected:
                    raise UsageError(f"environments need equal spaces, got {given} and {expected}")
        self._parts = tuple(parts)
        self.slices = [
            slice(stop - part.num_envs, stop) for part, stop in zip(parts, stops, strict=True)
        ]
        self._set_spaces(first.single_observation_space, first.single_action_space, first.metadata)

    def episode_seed(self, env_index: int, episode: int) -> int:
        """See `GameVectorEnv.episode_seed`."""
        for part, where in zip(self._parts, self.slices, strict=True):
            if env_index < where.stop:
                return part.episode_seed(env_index - where.start, episode)
        raise IndexError(f"env_index is {env_index}; give less than {self.num_envs}")

    def replay_log(self) -> list[ReplayPoint]:
        """See `GameVectorEnv.replay_log`."""
        return [point for part in self._parts for point in part.replay_log()]

    def restore(self, points: Sequence[ReplayPoint]) -> tuple[NDArray[Any], dict[str, Any]]:
        """See `GameVectorEnv.restore`."""
        restored = [
            part.restore(points[where])
            for part, where in zip(self._parts, self.slices, strict=True)
        ]
        observations = np.concatenate([each for each, _ in restored])
        return observations, self._join([infos for _, infos in restored])

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """See `GameVectorEnv.step_async`."""
        for part, where in zip(self._parts, self.slices, strict=True):
            part.step_async(actions[where])

    def step_wait(self) -> VectorStepResult:
        """See `GameVectorEnv.step_wait`."""
        steps = [part.step_wait() for part in self._parts]
        observations, rewards, terminated, truncated = (
            np.concatenate([step[column] for step in steps]) for column in range(4)
        )
        return observations, rewards, terminated, truncated, self._join([step[4] for step in steps])

    def close_extras(self, **kwargs: Any) -> None:
        """Close the parts."""
        for part in self._parts:
            part.close(**kwargs)

    def _join(self, infos: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        return join_infos(infos, [part.num_envs for part in self._parts])


def join_infos(infos: Sequence[Mapping[str, Any]], sizes: Sequence[int]) -> dict[str, Any]:
    """Join infos of vector environments; what only some of them have is 0, False or None in others.

    Args:
        infos: infos in Gymnasium's format for vector environments, whose values are arrays
            ``(num_envs,)`` and dicts of such arrays.
        sizes: number of environments of each.

    >>> join_infos([{"x": np.array([1, 2])}, {}], [2, 1])
    {'x': array([1, 2, 0])}
    """
    joint: dict[str, Any] = {}
    for key in dict.fromkeys(key for info in infos for key in info):
        values = [info.get(key) for info in infos]
        known = next(value for value in values if value is not None)
        if isinstance(known, Mapping):
            joint[key] = join_infos([value or {} for value in values], sizes)
            continue
        joint[key] = np.concatenate([
            np.full(size, None if known.dtype == object else 0, known.dtype)
            if value is None else value
            for value, size in zip(values, sizes, strict=True)
        ])  # fmt: skip
    return joint
