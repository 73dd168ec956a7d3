"""Many games of Super Mario Bros. in one process, stepped by threads in compiled code.

A single call, which releases the GIL, steps all games. The compiled code replaces the processes,
the wrappers and the Python code for the console's RAM that a `ProcessVectorEnv` uses. Both return
the same results, except that pixels may differ by one gray level. Differential tests check this.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Self, Unpack, cast

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mario.config.env_config import EnvConfig
from mario.emulators.emulator import SCREEN_SHAPE
from mario.games import _native
from mario.games.endings import ending_rewards
from mario.games.registry import MARIO, has_extras
from mario.games.starts.demonstration_starts import DemonstrationPoint, DemonstrationStarts
from mario.games.starts.start_curriculum import draw_steps_before_loss
from mario.games.super_mario_bros import SuperMarioBros
from mario.system.threads import available_cores
from mario.vector.backend import BackendVectorEnv, EpisodeOptions
from mario.vector.base import VectorStepResult
from mario.vector.native_factory import (
    FinalBuffers,
    MarioOptions,
    StepBuffers,
    button_masks,
    invalid_values_as_usage_errors,
    native_config,
)
from mario.vector.replay_point import ActionLog, ReplayPoint
from mario.vector.seeding import SeedFunction, episode_seed
from wrappers.noop_reset import sample_noops
from wrappers.observation import GRAYSCALE_CONVERSIONS

STATUSES = np.array(_native.STATUSES, object)
ENDINGS = np.array(_native.ENDINGS, object)
NO_DEMONSTRATION = DemonstrationPoint(-1, 0)
FLAG, STATUS, START_OFFSET, FARTHEST_UPDATE = map(
    _native.INFO_KEYS.index, ("flag_get", "status", "start_offset", "farthest_update")
)


class NativeMarioVectorEnv(BackendVectorEnv):
    """Run games of Super Mario Bros. in compiled code.

    Later steps never overwrite the returned arrays.

    Args:
        config: The configuration of each environment.
        num_envs: Number of environments.
        seed: Seed of the run.
        seed_function: Derives the seed of each episode, see `mario.vector.seeding`.
        threads: Number of threads, which does not affect the results; None for one per core.
        starts: Draws episodes that start on demonstrations, which keep a save-state of about 14 kB
            per step of each demonstration; None if there are none.
        **overrides: Options of the game that replace those registered for ``config.game``.

    Raises:
        UsageError: The level, look, action set or ROM is unknown, or the ROM is not supported.
    """

    def __init__(
        self,
        config: EnvConfig,
        num_envs: int,
        *,
        seed: int = 0,
        seed_function: SeedFunction = episode_seed,
        threads: int | None = None,
        starts: DemonstrationStarts | None = None,
        **overrides: Unpack[MarioOptions],
    ) -> None:
        super().__init__(num_envs, seed=seed, seed_function=seed_function, starts=starts)
        self._config, self._wrappers = config, config.wrappers
        self._set_spaces(
            self._wrappers.observation_space,
            gym.spaces.Discrete(len(button_masks(config))),
            SuperMarioBros.metadata | {"emulator": "native"},
        )
        options = cast("MarioOptions", gym.registry[config.game].kwargs | overrides)
        demonstrations = starts.demonstrations if starts else ()
        num_threads = min(threads or available_cores(), num_envs)
        with invalid_values_as_usage_errors():
            self._env: _native.VectorEnv | None = _native.VectorEnv(
                native_config(config, options, demonstrations), num_envs, num_threads
            )
        self._next_noops, self._next_steps_before_loss = np.zeros((2, num_envs), np.int64)
        self._next_demonstrations, self._next_positions = np.zeros((2, num_envs), np.int64)
        self._next_seeds = np.zeros(num_envs, np.uint64)
        rewards = ending_rewards(config.ending_reward)
        self._ending_rewards = np.array([rewards.get(end, 0.0) for end in ENDINGS], np.float32)
        self._constant_infos = self._make_constant_infos()
        self._step: StepBuffers | None = None
        self._is_reset = False
        self._final = FinalBuffers.create(self._new_observations(), self._new_info())

    @classmethod
    def limitation(cls, config: EnvConfig) -> str | None:
        """See `BackendVectorEnv.limitation`.

        The game must be Super Mario Bros. on the native emulator, with images that are not larger
        than the screen and without the wrappers for Atari games.
        """
        spec, wrappers = gym.registry.get(config.game), config.wrappers
        if spec is None or spec.entry_point != MARIO:
            return f"{config.game} is not a built-in level of Super Mario Bros."
        if has_extras(spec):
            return f"{config.game} was registered with a time limit or wrappers"
        if config.emulator not in ("auto", "native"):
            return f"--emulator is {config.emulator}"
        if wrappers.size > SCREEN_SHAPE[0] - wrappers.crop_top:
            return f"--wrappers.size {wrappers.size} is larger than the cropped screen"
        if wrappers.observation not in GRAYSCALE_CONVERSIONS:
            return f"--wrappers.observation is {wrappers.observation}"
        return config.first_in_use("max_pool", "fire_reset", "terminal_on_life_loss")

    @classmethod
    def preferred_num_envs(cls, config: EnvConfig) -> int:
        """See `BackendVectorEnv.preferred_num_envs`; the network is fastest with large batches."""
        return 32

    @classmethod
    def create(cls, config: EnvConfig, num_envs: int, options: EpisodeOptions) -> Self:
        """See `BackendVectorEnv.create`; threads do not crash by themselves."""
        return cls(
            config, num_envs, seed=options.seed, seed_function=options.seed_function,
            starts=options.starts,
        )  # fmt: skip

    def replay_log(self) -> list[ReplayPoint]:
        """See `GameVectorEnv.replay_log`."""
        points = []
        for point, (actions, farthest_actions) in zip(
            self._points, self._open_env().action_logs(), strict=True
        ):
            farthest = point.farthest
            if farthest is not None:
                assert farthest_actions is not None
                farthest = replace(farthest, actions=farthest_actions)
            points.append(
                replace(point, log=replace(point.log, actions=actions), farthest=farthest)
            )
        return points

    def restore(self, points: Sequence[ReplayPoint]) -> tuple[NDArray[Any], dict[str, Any]]:
        """See `GameVectorEnv.restore`."""
        observations, info = self._new_observations(), self._new_info()
        self._open_env().restore(
            [
                (
                    self._trajectory(index, point.log),
                    point.start_offset,
                    self._trajectory(index, point.farthest) if point.farthest else None,
                )
                for index, point in enumerate(points)
            ],
            observations,
            info,
        )
        self._points, self._is_reset = [_without_actions(point) for point in points], True
        self._draw_next(range(self.num_envs))
        return observations, self._infos(info)

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """See `GameVectorEnv.step_async`.

        Raises:
            gymnasium.error.ResetNeeded: No episode has started.
        """
        self._start_step(actions, caller_waits=False)

    def step_wait(self) -> VectorStepResult:
        """See `GameVectorEnv.step_wait`; the waiting thread runs games as well."""
        self._open_env().wait()
        step, self._step = self._step, None
        assert step is not None, "step_wait was called without step_async"
        infos = self._infos(step.info)
        rewards = self._wrappers.transform_rewards(step.rewards).astype(np.float32)
        ended = step.terminated | step.truncated
        if ended.any():
            infos |= self._final_infos(ended)
            rewards[ended] += self._ending_rewards[self._final.endings[ended]]
            self._end_episodes(np.flatnonzero(ended).tolist(), step.info[START_OFFSET])
        return step.observations, rewards, step.terminated, step.truncated, infos

    def step(self, actions: NDArray[np.int64]) -> VectorStepResult:
        """See `GameVectorEnv.step`."""
        self._start_step(actions, caller_waits=True)
        return self.step_wait()

    def close_extras(self, **kwargs: Any) -> None:
        """End the threads."""
        del kwargs
        self._env = None

    def _open_env(self) -> _native.VectorEnv:
        if self._env is None:
            raise ValueError("the vector environment is closed; make a new one")
        return self._env

    def _start_step(self, actions: NDArray[np.int64], *, caller_waits: bool) -> None:
        if not self._is_reset:
            raise gym.error.ResetNeeded("no episode has started; call reset first")
        step = StepBuffers(
            np.array(actions, np.int64),  # a copy that the caller cannot change during the step
            self._next_noops,
            self._next_seeds,
            self._next_steps_before_loss,
            self._next_demonstrations,
            self._next_positions,
            self._new_observations(),
            rewards=np.empty(self.num_envs),
            terminated=np.empty(self.num_envs, np.bool_),
            truncated=np.empty(self.num_envs, np.bool_),
            info=self._new_info(),
        )
        self._open_env().start_step((*step, *self._final), caller_waits)
        self._step = step

    def _infos(self, info: NDArray[np.int64]) -> dict[str, Any]:
        """Return infos in Gymnasium's format for vector environments."""
        infos: dict[str, Any] = dict(zip(_native.INFO_KEYS, info, strict=True))
        infos |= {"flag_get": info[FLAG].astype(np.bool_), "status": STATUSES[info[STATUS]]}
        return infos | self._constant_infos

    def _final_infos(self, ended: NDArray[np.bool_]) -> dict[str, Any]:
        """Return the last observations and infos of the episodes that ended."""
        final, observations = self._final, np.full(self.num_envs, None, object)
        for index in np.flatnonzero(ended):
            observations[index] = final.observations[index].copy()
        infos = self._infos(np.where(ended, final.info, 0))
        infos |= dict.fromkeys((key for key in infos if key.startswith("_")), ended)
        infos["ending"] = ENDINGS[np.where(ended, final.endings, 0)]
        infos["episode"] = {"r": final.returns.copy(), "l": final.lengths.copy()}
        infos["episode"] |= {"_r": ended, "_l": ended}
        return {
            "final_obs": observations, "_final_obs": ended,
            "final_info": infos | {"_episode": ended}, "_final_info": ended,
        }  # fmt: skip

    def _end_episodes(self, indices: Iterable[int], start_offsets: NDArray[np.int64]) -> None:
        """Record that episodes ended and the next ones began."""
        for index in indices:
            final = self._final
            episode = {"r": final.returns[index], "l": final.lengths[index]}
            self._begin_next_episode(
                index, {"ending": ENDINGS[final.endings[index]], "episode": episode},
                farthest_update=int(final.info[FARTHEST_UPDATE, index]),
                start_offset=int(start_offsets[index]),
            )  # fmt: skip
        self._draw_next(indices)

    def _draw_next(self, indices: Iterable[int]) -> None:
        """Draw the starts of the episodes that follow the current ones."""
        for index in indices:
            noops, seed = self._draw_start(index, self._points[index].episode + 1)
            self._next_noops[index], self._next_seeds[index] = noops, seed
            start = self._points[index].next_start or NO_DEMONSTRATION
            self._next_demonstrations[index], self._next_positions[index] = start
            self._next_steps_before_loss[index] = draw_steps_before_loss(
                self._config.start_curriculum, seed
            )

    def _trajectory(self, index: int, log: ActionLog) -> _native.Trajectory:
        """Return a log's number of no-op frames, seed, start on a demonstration and actions."""
        return *self._draw_start(index, log.start_episode), log.start, log.actions

    def _draw_start(self, index: int, episode: int) -> tuple[int, int]:
        """Return the number of no-op frames, drawn as in `NoopReset`, and the episode's seed."""
        seed = self.episode_seed(index, episode)
        return sample_noops(seed, self._wrappers.noop_max), seed

    def _make_constant_infos(self) -> dict[str, Any]:
        """Return the part of the infos that is the same in every step."""
        present = np.ones(self.num_envs, np.bool_)
        constant: dict[str, Any] = {f"_{key}": present for key in (*_native.INFO_KEYS, "ending")}
        return constant | {"ending": np.full(self.num_envs, "", object)}

    def _new_observations(self) -> NDArray[np.uint8]:
        return np.empty(self.observation_space.shape or (), np.uint8)

    def _new_info(self) -> NDArray[np.int64]:
        return np.empty((len(_native.INFO_KEYS), self.num_envs), np.int64)


def _without_actions(point: ReplayPoint) -> ReplayPoint:
    """Return a copy of a point without actions, because the compiled code records them."""
    farthest = point.farthest and replace(point.farthest, actions=[])
    return replace(point, log=replace(point.log, actions=[]), farthest=farthest)
