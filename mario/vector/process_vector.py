"""Several environments, each in its own process, that are stepped together.

An environment that crashes is reported and restarted. Its step is marked in ``infos`` and its
episode is truncated, so that training continues with the data of the other environments.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mario.config.env_config import EnvConfig
from mario.errors import RunError
from mario.games.endings import Ending
from mario.games.starts.demonstration_reset import ResetToDemonstration
from mario.games.starts.demonstration_starts import DemonstrationStarts
from mario.vector.backend import BackendVectorEnv, EpisodeOptions
from mario.vector.base import VectorStepResult
from mario.vector.env import make_env
from mario.vector.replay_point import ReplayPoint
from mario.vector.seeding import SeedFunction, episode_seed
from mario.vector.worker import StepResult
from mario.vector.worker_process import WorkerDied, WorkerProcess
from wrappers.life import ended_by_life_loss

START_SECONDS = 120.0
"""Seconds that a process may take to start; it imports modules, maybe on a busy machine."""

REPLAY_SECONDS_PER_ACTION = 0.1
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0
"""First and longest wait in seconds before a restart; the wait doubles after each failure."""

MAIN_HINT = "; a script must start processes under `if __name__ == '__main__':`"
"""Added to the error if a process ended before it could run its environment."""


class ProcessVectorEnv(BackendVectorEnv):
    """Run any environment in worker processes, one process per environment.

    ``infos["crashed"]`` marks the environments that crashed during a step. Their action had no
    effect.

    Args:
        make: Makes one environment; must be picklable.
        num_envs: Number of environments.
        seed: Seed of the run.
        seed_function: Derives the seed of each episode, see `mario.vector.seeding`.
        timeout: Seconds after which an environment that does not answer counts as crashed.
        max_restarts: Maximum number of restarts of all environments together. The next crash ends
            the run.
        report: Receives one line for each crash.
        starts: Draws episodes that start on demonstrations, which ``make`` must support; None if
            there are none.

    Raises:
        RunError: An environment cannot be started.
    """

    bytes_per_env = 30_000_000
    files_per_env = 4

    def __init__(
        self,
        make: Callable[[], gym.Env[Any, Any]],
        num_envs: int,
        *,
        seed: int = 0,
        seed_function: SeedFunction = episode_seed,
        timeout: float = 60.0,
        max_restarts: int = 10,
        report: Callable[[str], None] = print,
        starts: DemonstrationStarts | None = None,
    ) -> None:
        super().__init__(num_envs, seed=seed, seed_function=seed_function, starts=starts)
        self._make, self._timeout = make, timeout
        self._restarts_left, self._report = max_restarts, report
        self._actions: list[int | None] = [None] * num_envs
        self._observations: list[NDArray[Any]] = []
        self._workers: list[WorkerProcess] = []
        try:
            self._workers = [self._start_worker(index) for index in range(num_envs)]
            spaces = [self._first_answer(index) for index in range(num_envs)]
        except BaseException:
            self.close()
            raise
        self._set_spaces(*spaces[0])

    @classmethod
    def limitation(cls, config: EnvConfig) -> str | None:
        """See `BackendVectorEnv.limitation`; processes can run every configuration."""
        return None

    @classmethod
    def preferred_num_envs(cls, config: EnvConfig) -> int:
        """See `BackendVectorEnv.preferred_num_envs`; each process takes time to start."""
        return 2

    @classmethod
    def create(cls, config: EnvConfig, num_envs: int, options: EpisodeOptions) -> Self:
        """See `BackendVectorEnv.create`."""
        make = partial(make_env, config)
        if options.starts is not None:
            inner = partial(
                ResetToDemonstration,
                demonstrations=options.starts.demonstrations,
                skip=config.wrappers.skip,
            )
            make = partial(make_env, config, inner=inner)
        return cls(make, num_envs, **vars(options))

    @property
    def num_processes(self) -> int:
        """See `GameVectorEnv.num_processes`."""
        return self.num_envs

    def restore(self, points: Sequence[ReplayPoint]) -> tuple[NDArray[Any], dict[str, Any]]:
        """See `GameVectorEnv.restore`.

        Raises:
            RunError: Too many environments crashed.
        """
        self._points = [point.copy() for point in points]
        for worker, point in zip(self._workers, self._points, strict=True):
            worker.request("replay", self._seed, point)
        infos = []
        self._observations = []
        for index, point in enumerate(self._points):
            try:
                observation, info = self._workers[index].answer(self._replay_timeout(point))
            except WorkerDied as death:
                observation, info = self._restart(index, death, point)
            self._observations.append(observation)
            infos.append(info)
        return np.stack(self._observations), self._merge_infos(infos)

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """See `GameVectorEnv.step_async`."""
        self._actions = actions.tolist()
        for worker, action, point in zip(self._workers, self._actions, self._points, strict=True):
            worker.request("step", action, point.next_start)

    def step_wait(self) -> VectorStepResult:
        """See `GameVectorEnv.step_wait`.

        Raises:
            RunError: Too many environments crashed, or a reward is not finite.
        """
        results, infos = [], []
        for index in range(self.num_envs):
            result, crashed = self._finish_step(index)
            extra: dict[str, Any] = {"crashed": True} if crashed else {}
            if result.final is not None:
                self._end_episode(index, result.final[1], result.info)
                extra |= {"final_obs": result.final[0], "final_info": result.final[1]}
            results.append(result)
            infos.append(result.info | extra)
        self._observations = [result.observation for result in results]
        return (
            np.stack(self._observations),
            _finite_rewards([result.reward for result in results]),
            np.array([result.terminated for result in results]),
            np.array([result.truncated for result in results]),
            self._merge_infos(infos),
        )

    def close_extras(self, **kwargs: Any) -> None:
        """End every worker, even one that hangs."""
        del kwargs
        for worker in self._workers:
            worker.stop()
        self._workers = []

    def _start_worker(self, index: int) -> WorkerProcess:
        return WorkerProcess(self._make, self._seed, index, self._seed_function)

    def _first_answer(self, index: int) -> Any:
        try:
            return self._workers[index].answer(START_SECONDS)
        except WorkerDied as death:
            # The process imports the user's script first, which fails without this condition.
            hint = MAIN_HINT if str(death) == "ended with exit code 1" else ""
            raise RunError(f"game {index} could not be started: it {death}{hint}") from None

    def _replay_timeout(self, point: ReplayPoint) -> float:
        farthest = point.farthest.actions if point.farthest else []
        num_actions = len(point.log.actions) + len(farthest)
        return self._timeout + REPLAY_SECONDS_PER_ACTION * num_actions

    def _finish_step(self, index: int) -> tuple[StepResult, bool]:
        """Return the result of one environment's step, and whether it crashed."""
        try:
            result = self._workers[index].answer(self._timeout)
        except WorkerDied as death:
            following = self._points[index].next_episode(farthest_update=0, start_offset=0)
            observation, info = self._restart(index, death, following)
            final = self._observations[index], {"ending": str(Ending.CRASH)}
            return StepResult(observation, 0.0, False, True, info, final), True
        action = self._actions[index]
        assert action is not None
        self._points[index].log.actions.append(action)
        return result, False

    def _end_episode(self, index: int, final_info: dict[str, Any], info: dict[str, Any]) -> None:
        """Record that an episode ended and the next one began."""
        if not ended_by_life_loss(final_info):
            self._begin_next_episode(
                index,
                final_info,
                farthest_update=final_info.get("farthest_update", 0),
                start_offset=info.get("start_offset", 0),
            )

    def _restart(
        self, index: int, death: WorkerDied, point: ReplayPoint
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Restart a crashed environment, with a longer pause after each failure.

        Args:
            index: Index of the environment.
            death: Why its worker died.
            point: The point to restore.

        Raises:
            RunError: No restarts are left.
        """
        pause = FIRST_PAUSE
        while True:
            self._workers[index].stop(timeout=0.1)
            self._count_restart(index, death)
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
            worker = self._workers[index] = self._start_worker(index)
            try:
                worker.answer(START_SECONDS)
                worker.request("replay", self._seed, point)
                observation, info = worker.answer(self._replay_timeout(point))
            except WorkerDied as next_death:
                death = next_death
                continue
            return observation, info

    def _count_restart(self, index: int, death: WorkerDied) -> None:
        """Report a crash, or raise an error if no restarts are left."""
        crash = (
            f"game {index} (process {self._workers[index].pid}, seed {self._seed}, "
            f"episode {self._points[index].episode}, action {self._actions[index]}) {death}"
        )
        if self._restarts_left == 0:
            raise RunError(f"{crash}; no restarts are left")
        self._restarts_left -= 1
        self._report(f"{crash}; restarted, {self._restarts_left} restarts left")


def _finite_rewards(rewards: Sequence[float]) -> NDArray[np.float32]:
    """Return rewards as an array.

    Raises:
        RunError: A reward is NaN, or too large for a float32.
    """
    with np.errstate(over="ignore"):
        array = np.array(rewards, np.float32)
    for index in np.flatnonzero(~np.isfinite(array)).tolist():
        raise RunError(f"game {index} returned the reward {rewards[index]}; it must be finite")
    return array
