"""Environments that can return to any earlier point, in compiled code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, cast

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mario.config.env_config import EnvConfig
from mario.games import _native
from mario.system.threads import available_cores
from mario.vector.native_factory import (
    MarioOptions,
    button_masks,
    invalid_values_as_usage_errors,
    native_config,
)

INFO_KEYS = _native.INFO_KEYS[:-2]
"""Names of the columns of `EnvStep.info`: without those that describe the start of an episode."""


class EnvStep(NamedTuple):
    """One step of some environments, or their current state.

    Attributes:
        observations: uint8 ``(envs, *state_shape)``.
        rewards: rewards of the game, float64 ``(envs,)``; 0 for a current state.
        endings: index into `mario.games._native.ENDINGS`, 0 while the episode runs; int64
            ``(envs,)``.
        info: the values of `INFO_KEYS`, int64 ``(envs, keys)``.
    """

    observations: NDArray[np.uint8]
    rewards: NDArray[np.float64]
    endings: NDArray[np.int64]
    info: NDArray[np.int64]

    def select(self, envs: NDArray[np.bool_]) -> EnvStep:
        """Return the rows of some environments, bool ``(envs,)``."""
        return EnvStep(
            self.observations[envs], self.rewards[envs], self.endings[envs], self.info[envs]
        )

    def column(self, key: str) -> NDArray[np.int64]:
        """Return a value of the info of each environment, int64 ``(envs,)``."""
        column: NDArray[np.int64] = self.info[:, INFO_KEYS.index(key)]
        return column


class SaveStateEnvs:
    """Environments of Super Mario Bros. with save-states.

    Any subset of them can be stepped. An environment is not reset when its episode ends.

    Args:
        config: the configuration of each environment.
        num_envs: number of environments.
        threads: number of threads, which does not affect the results; None for one per core.

    Attributes:
        num_actions: number of actions.

    Raises:
        UsageError: the level, look, action set or ROM is unknown, or the ROM is not supported.
    """

    def __init__(self, config: EnvConfig, num_envs: int, threads: int | None = None) -> None:
        options = cast("MarioOptions", gym.registry[config.game].kwargs)
        self._shape = config.wrappers.observation_space.shape
        self.num_actions = len(button_masks(config))
        with invalid_values_as_usage_errors():
            self._env = _native.SaveStateEnv(
                native_config(config, options), num_envs, threads or available_cores()
            )

    def reset(self, env: int, *, noops: int, seed: int) -> None:
        """Start an episode.

        Args:
            env: index of the environment.
            noops: number of frames without buttons at the start.
            seed: seed of sticky actions.
        """
        self._env.reset(env, noops, seed)

    def save_state(self, env: int) -> _native.RunnerState:
        """Return the current point of an environment, with its observation."""
        return self._env.save_state(env)

    def load_state(self, env: int, state: _native.RunnerState) -> None:
        """Return to a point that `save_state` of any of these environments returned."""
        self._env.load_state(env, state)

    def step(self, envs: Sequence[int], actions: NDArray[np.int64]) -> EnvStep:
        """Take one step in some environments.

        Args:
            envs: indices of different environments.
            actions: an action for each of them, int64 ``(envs,)``.
        """
        step = self._new_step(len(envs))
        self._env.step(envs, np.ascontiguousarray(actions, np.int64), *step)
        return step

    def observe(self, envs: Sequence[int]) -> EnvStep:
        """Return the current state of some environments."""
        step = self._new_step(len(envs))
        self._env.observe(envs, step.observations, step.info)
        return step

    def _new_step(self, count: int) -> EnvStep:
        return EnvStep(
            np.empty((count, *self._shape), np.uint8),
            np.zeros(count),
            np.zeros(count, np.int64),
            np.empty((count, len(INFO_KEYS)), np.int64),
        )
