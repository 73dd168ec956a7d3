"""The process that plays one game for a `ProcessVectorEnv`, asked and answering through a pipe."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple

import gymnasium as gym
from numpy.typing import NDArray

from mario.vector.seeding import SeedOf, episode_seed
from wrappers.life import life_ended


class Outcome(NamedTuple):
    """What one step of one game came to.

    Attributes:
        observation: what is seen now; after an episode's end, the first of the next episode.
        reward: the step's reward.
        terminated: the game ended.
        truncated: the episode was cut short.
        info: what the game says of the observation.
        final: the true last observation and info of the episode that ended, else None.
    """

    observation: NDArray[Any]
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]
    final: tuple[NDArray[Any], dict[str, Any]] | None


class Failed(NamedTuple):
    """What a worker says before it ends on an exception.

    Attributes:
        kind: name of the exception's class.
        message: its text.
        trace: where it happened.
    """

    kind: str
    message: str
    trace: str


class EnvRunner:
    """One game and the count of its episodes; starts the next episode in the step that ends one."""

    def __init__(
        self, env: gym.Env[Any, Any], seed: int, game: int, seed_of: SeedOf = episode_seed
    ) -> None:
        self._env = env
        self._seed = seed
        self._game = game
        self._seed_of = seed_of
        self._episode = 0

    def spaces(self) -> tuple[gym.Space[Any], gym.Space[Any], dict[str, Any]]:
        """The game's observation space, action space and metadata."""
        return self._env.observation_space, self._env.action_space, self._env.metadata

    def replay(
        self,
        seed: int,
        episode: int,
        actions: list[int],
        start: int,
        revisited: int,
        farthest: dict[str, Any] | None = None,
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Play an episode again up to where it was: from its reset, through the actions taken.

        Args:
            seed: the run's seed.
            episode: how many episodes the game ended before.
            actions: from the game's start on.
            start: which episode's seed the game started with.
            revisited: how many of the actions came before the episode, see `wrappers.StartCurriculum`.
            farthest: which episode's seed the farthest way started with, and its actions.
        """
        self._seed, self._episode = seed, episode
        observation, info = self._env.reset(
            seed=self._seed_of(seed, self._game, start),
            options={
                "replay": actions[: abs(revisited)],
                "on_farthest": revisited < 0,
                "farthest": farthest
                and (self._seed_of(seed, self._game, farthest["start"]), farthest["actions"]),
            },
        )
        for action in actions[abs(revisited) :]:
            observation, _, ended, _, info = self._env.step(action)
            if ended:  # with a life: the game goes on
                observation, info = self._env.reset()
        return observation, info

    def step(self, action: int) -> Outcome:
        """Take one step, and begin the next episode if this one ended."""
        observation, reward, terminated, truncated, info = self._env.step(action)
        final = None
        if terminated or truncated:
            final = observation, info
            self._episode += not life_ended(info)
            next_seed = self._seed_of(self._seed, self._game, self._episode)
            observation, info = self._env.reset(seed=next_seed)
        return Outcome(observation, float(reward), bool(terminated), bool(truncated), info, final)


def serve(
    connection: Connection,
    make: Callable[[], gym.Env[Any, Any]],
    seed: int,
    game: int,
    seed_of: SeedOf,
) -> None:
    """Answer every request until the pipe closes; the body of a worker process.

    Args:
        connection: requests come as ``(method of EnvRunner, arguments)``.
        make: makes the game.
        seed: the run's seed.
        game: which of the parallel games this is.
        seed_of: gives the seed of each episode, see `mario.vector.seeding`.
    """
    _stand_alone()
    try:
        player = EnvRunner(make(), seed, game, seed_of)
        connection.send(player.spaces())
        while True:
            method, arguments = connection.recv()
            connection.send(getattr(player, method)(*arguments))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        pass  # the program that asked is gone
    except Exception as error:
        with contextlib.suppress(OSError):
            connection.send(Failed(type(error).__name__, str(error), traceback.format_exc()))


def _stand_alone() -> None:
    """Leave Ctrl-C to the parent, and end with it even while a game hangs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
