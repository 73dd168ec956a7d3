"""The process that runs one environment of a `ProcessVectorEnv` and answers through a pipe."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

import gymnasium as gym
from numpy.typing import NDArray

from mario.errors import UsageError
from mario.games.starts.demonstration_reset import OPTION
from mario.games.starts.demonstration_starts import DemonstrationPoint
from mario.games.starts.start_curriculum import StartPoint
from mario.system.plugins import describe_own_error
from mario.vector.replay_point import ActionLog, ReplayPoint
from mario.vector.seeding import SeedFunction, episode_seed
from wrappers.life import ended_by_life_loss


class StepResult(NamedTuple):
    """The result of one step of one environment.

    Attributes:
        observation: The observation; after the end of an episode, the first of the next one.
        reward: Reward of the step.
        terminated: Whether the episode terminated.
        truncated: Whether the episode was truncated.
        info: The info that belongs to the observation.
        final: Last observation and info of the episode that ended, else None.
    """

    observation: NDArray[Any]
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]
    final: tuple[NDArray[Any], dict[str, Any]] | None


class WorkerError(NamedTuple):
    """An exception that ended a worker, sent in place of an answer.

    Attributes:
        kind: Name of the exception's class.
        message: Its text.
        trace: Its traceback, or ``""`` if the message has its place.
    """

    kind: str
    message: str
    trace: str


class EnvRunner:
    """One environment and its episode counter.

    The step that ends an episode also starts the next one.

    Args:
        env: The environment.
        seed: Seed of the run.
        env_index: Index of the environment.
        seed_function: Derives the seed of each episode, see `mario.vector.seeding`.
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        seed: int,
        env_index: int,
        seed_function: SeedFunction = episode_seed,
    ) -> None:
        self._env = env
        self._seed = seed
        self._env_index = env_index
        self._seed_function = seed_function
        self._episode = 0

    def spaces(self) -> tuple[gym.Space[Any], gym.Space[Any], dict[str, Any]]:
        """Return the observation space, the action space and the metadata."""
        return self._env.observation_space, self._env.action_space, self._env.metadata

    def replay(self, seed: int, point: ReplayPoint) -> tuple[NDArray[Any], dict[str, Any]]:
        """Bring the environment to a point by replaying its actions.

        Args:
            seed: Seed of the run.
            point: The point.

        Returns:
            Observation and info at that point.
        """
        self._seed, self._episode = seed, point.episode
        skipped, actions = abs(point.start_offset), point.log.actions
        log = replace(point.log, actions=actions[:skipped])
        start = self._start_point(log, on_farthest=point.start_offset < 0)
        options = {
            "start_point": start,
            "farthest": point.farthest and self._start_point(point.farthest),
        }
        observation, info = self._env.reset(seed=start.seed, options=options)
        for action in actions[skipped:]:
            observation, _, terminated, _, info = self._env.step(action)
            if terminated:  # by a lost life: the game continues
                observation, info = self._env.reset()
        return observation, info

    def step(self, action: int, next_start: DemonstrationPoint | None = None) -> StepResult:
        """Take one step, and start the next episode if this one ended.

        Args:
            action: The action.
            next_start: Point of a demonstration at which the next episode starts, None for the
                beginning of the game.
        """
        observation, reward, terminated, truncated, info = self._env.step(action)
        final = None
        if terminated or truncated:
            final = observation, info
            self._episode += not ended_by_life_loss(info)
            observation, info = self._env.reset(
                seed=self._episode_seed(self._episode), options=_reset_options(next_start)
            )
        return StepResult(
            observation, float(reward), bool(terminated), bool(truncated), info, final
        )

    def _episode_seed(self, episode: int) -> int:
        return self._seed_function(self._seed, self._env_index, episode)

    def _start_point(self, log: ActionLog, on_farthest: bool = False) -> StartPoint:
        seed, options = self._episode_seed(log.start_episode), _reset_options(log.start)
        return StartPoint(seed, log.actions, on_farthest, options)


def _reset_options(start: DemonstrationPoint | None) -> dict[str, Any] | None:
    return None if start is None else {OPTION: start}


def serve(
    connection: Connection,
    make: Callable[[], gym.Env[Any, Any]],
    seed: int,
    env_index: int,
    seed_function: SeedFunction,
) -> None:
    """Answer requests until the pipe closes. This is the body of a worker process.

    Args:
        connection: Receives requests, each the name of an `EnvRunner` method and its arguments.
        make: Makes the environment.
        seed: Seed of the run.
        env_index: Index of the environment.
        seed_function: Derives the seed of each episode.
    """
    _follow_parent()
    try:
        runner = EnvRunner(make(), seed, env_index, seed_function)
        connection.send(runner.spaces())
        while True:
            method, arguments = connection.recv()
            connection.send(getattr(runner, method)(*arguments))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the parent process ended
    except Exception as error:
        with contextlib.suppress(OSError):
            connection.send(_describe(error))


def _describe(error: Exception) -> WorkerError:
    """Describe an error for the parent process; one in code of the user by its place only."""
    kind, trace = type(error).__name__, traceback.format_exc()
    if isinstance(error, UsageError):
        return WorkerError(kind, error.message, trace)
    if (own := describe_own_error(error)) is not None:
        return WorkerError(kind, f"{error} in {own[1]}", "")
    return WorkerError(kind, str(error), trace)


def _follow_parent() -> None:
    """Leave Ctrl-C to the parent process, and end with it even while a game hangs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
