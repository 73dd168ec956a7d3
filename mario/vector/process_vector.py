"""Several games at once, each in a process of its own, stepped together.

A game that dies is named in one line and started again; the step it died in is marked lost and its
episode truncated, so that training goes on with the others' data intact.
"""

from __future__ import annotations

import contextlib
import multiprocessing as mp
import signal
import time
from collections.abc import Callable, Sequence
from multiprocessing.context import ForkServerContext, SpawnContext
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mario.errors import RunError, UsageError
from mario.vector.base import Entry, GameVectorEnv, Results, entry_after, entry_of
from mario.vector.seeding import SeedOf, episode_seed
from mario.vector.worker import Failed, Outcome, serve
from wrappers.life import life_ended

START_SECONDS = 120.0
"""How long a process may take to start: it imports, on a machine that may be busy."""


class WorkerDied(Exception):
    """Raised within this module when a game's process ended, hung or failed."""


class _Worker:
    """A process that plays one game, seen from this side of its pipe."""

    def __init__(
        self, make: Callable[[], gym.Env[Any, Any]], seed: int, game: int, seed_of: SeedOf
    ) -> None:
        context = _context()
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(
            target=serve,
            args=(theirs, make, seed, game, seed_of),
            name=f"game-{game}",
            daemon=True,
        )
        self._process.start()
        theirs.close()

    def ask(self, method: str, *arguments: Any) -> None:
        """Send a request; a process that is gone is noticed by `answer`."""
        with contextlib.suppress(OSError):
            self._pipe.send((method, arguments))

    def answer(self, timeout: float) -> Any:
        """Wait for the answer to the oldest request.

        Raises:
            WorkerDied: there will be none; says why.
        """
        try:
            if not self._pipe.poll(timeout):
                raise WorkerDied(f"gave no answer for {timeout:g} s")
            answer = self._pipe.recv()
        except (EOFError, OSError):
            raise WorkerDied(self._cause()) from None
        if not isinstance(answer, Failed):
            return answer
        if answer.kind == UsageError.__name__:
            raise UsageError(answer.message)
        raise WorkerDied(f"raised {answer.kind}: {answer.message}\n{answer.trace.rstrip()}")

    def _cause(self) -> str:
        self._process.join(1)
        code = self._process.exitcode
        if code is not None and code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    @property
    def pid(self) -> int | None:
        """The process's id."""
        return self._process.pid

    def stop(self, patience: float = 1.0) -> None:
        """End the process: asked, then told, then killed. Stopping twice is harmless."""
        self._pipe.close()
        self._process.join(patience)
        for end in (self._process.terminate, self._process.kill):
            if self._process.exitcode is not None:
                return
            end()
            self._process.join(patience)


class ProcessVectorEnv(GameVectorEnv):
    """Plays ``num_envs`` games of any kind, each in a worker process.

    ``infos["lost"]`` marks the games that died in a step: their action never happened.

    Args:
        make: makes one game; must be picklable.
        num_envs: how many games.
        seed: seeds every episode of every game.
        seed_of: how, see `mario.vector.seeding`.
        timeout: seconds after which a game that does not answer is taken for dead.
        restarts: how many dead games are started again before the run is stopped.
        report: is told of each death, in one line.
    """

    def __init__(
        self,
        make: Callable[[], gym.Env[Any, Any]],
        num_envs: int,
        *,
        seed: int = 0,
        seed_of: SeedOf = episode_seed,
        timeout: float = 60.0,
        restarts: int = 10,
        report: Callable[[str], None] = print,
    ) -> None:
        self.num_envs = num_envs
        self._make, self._timeout = make, timeout
        self._seed, self._seed_of = seed, seed_of
        self._restarts_left, self._report = restarts, report
        self._journal = [entry_of(0) for _ in range(num_envs)]
        self._actions: list[int | None] = [None] * num_envs
        self._workers: list[_Worker] = []
        try:
            self._workers = [_Worker(make, seed, game, seed_of) for game in range(num_envs)]
            spaces = [self._first_answer(game) for game in range(num_envs)]
        except BaseException:
            self.close()
            raise
        self.single_observation_space, self.single_action_space, metadata = spaces[0]
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.metadata = {**metadata, "autoreset_mode": AutoresetMode.SAME_STEP}
        self._seen: list[NDArray[Any]] = []

    @property
    def processes(self) -> int:
        """See `GameVectorEnv.processes`: one for each game."""
        return self.num_envs

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Begin the first episode of every game.

        Args:
            seed: takes the place of the seed given at construction.
            options: must be empty.
        """
        if options:
            raise UsageError(f"a vector of games takes no reset options, got {options!r}")
        self._seed = self._seed if seed is None else seed
        return self.restore([entry_of(0) for _ in range(self.num_envs)])

    def journal(self) -> list[Entry]:
        """See `GameVectorEnv.journal`."""
        return [entry | {"actions": list(entry["actions"])} for entry in self._journal]

    def restore(self, journal: Sequence[Entry]) -> tuple[NDArray[Any], dict[str, Any]]:
        """See `GameVectorEnv.restore`."""
        self._journal = [
            entry_of(entry["episode"]) | entry | {"actions": list(entry["actions"])}
            for entry in journal
        ]
        for worker, entry in zip(self._workers, self._journal, strict=True):
            worker.ask("replay", self._seed, *_place(entry))
        infos: dict[str, Any] = {}
        self._seen = []
        for game, entry in enumerate(self._journal):
            try:
                observation, info = self._workers[game].answer(self._patience(entry))
            except WorkerDied as death:
                observation, info = self._revive(game, death, entry)
            self._seen.append(observation)
            infos = self._add_info(infos, info, game)
        return np.stack(self._seen), infos

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """See `GameVectorEnv.step_async`."""
        self._actions = actions.tolist()
        for worker, action in zip(self._workers, self._actions, strict=True):
            worker.ask("step", action)

    def step_wait(self) -> Results:
        """See `GameVectorEnv.step_wait`.

        Raises:
            RunError: too many games died.
        """
        outcomes = [self._collect(game) for game in range(self.num_envs)]
        infos: dict[str, Any] = {}
        for game, (outcome, lost) in enumerate(outcomes):
            extra: dict[str, Any] = {"lost": True} if lost else {}
            if outcome.final is not None:
                if not life_ended(outcome.final[1]):
                    self._journal[game] = entry_after(
                        self._journal[game], outcome.final[1].get("farthest", 0),
                        outcome.info.get("revisited", 0),
                    )  # fmt: skip
                extra |= {"final_obs": outcome.final[0], "final_info": outcome.final[1]}
            infos = self._add_info(infos, outcome.info | extra, game)
        steps = [outcome for outcome, _ in outcomes]
        self._seen = [step.observation for step in steps]
        return (
            np.stack(self._seen),
            np.array([step.reward for step in steps], np.float32),
            np.array([step.terminated for step in steps]),
            np.array([step.truncated for step in steps]),
            infos,
        )

    def step(self, actions: NDArray[np.int64]) -> Results:
        """Take one step of every game."""
        self.step_async(actions)
        return self.step_wait()

    def close(self, **kwargs: Any) -> None:
        """End every worker; never hangs, and closing twice is harmless."""
        del kwargs
        for worker in self._workers:
            worker.stop()
        self._workers = []
        self.closed = True

    def _patience(self, entry: Entry) -> float:
        farthest = entry["farthest"] or {"actions": []}
        return self._timeout + 0.1 * (len(entry["actions"]) + len(farthest["actions"]))

    def _first_answer(self, game: int) -> Any:
        try:
            return self._workers[game].answer(START_SECONDS)
        except WorkerDied as death:
            raise RunError(f"game {game} could not be started: it {death}") from None

    def _collect(self, game: int) -> tuple[Outcome, bool]:
        """The outcome of one game's step, and whether the step was lost with the game."""
        try:
            outcome = self._workers[game].answer(self._timeout)
            self._journal[game]["actions"].append(self._actions[game])
            return outcome, False
        except WorkerDied as death:
            last = self._seen[game]
            ended = self._journal[game]
            following = entry_of(ended["episode"] + 1, ended["farthest"])
            observation, info = self._revive(game, death, following)
            final = last, {"ending": "crash"}
            return Outcome(observation, 0.0, False, True, info, final), True

    def _revive(
        self, game: int, death: WorkerDied, entry: Entry
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Start a dead game again, within the budget, with growing pauses against crash loops."""
        pause = 0.05
        while True:
            dead = self._workers[game]
            dead.stop(patience=0.1)
            where = (
                f"game {game} (process {dead.pid}, seed {self._seed}, episode "
                f"{self._journal[game]['episode']}, action {self._actions[game]}) {death}"
            )
            if self._restarts_left == 0:
                raise RunError(f"{where}; no restarts are left")
            self._restarts_left -= 1
            self._report(f"{where}; started again, {self._restarts_left} restarts left")
            time.sleep(pause)
            pause = min(2 * pause, 5.0)
            worker = self._workers[game] = _Worker(self._make, self._seed, game, self._seed_of)
            try:
                worker.answer(START_SECONDS)
                worker.ask("replay", self._seed, *_place(entry))
                observation, info = worker.answer(self._patience(entry))
            except WorkerDied as again:
                death = again
                continue
            return observation, info


def _place(entry: Entry) -> list[Any]:
    """What `mario.vector.worker.EnvRunner.replay` takes of an entry."""
    return [entry[name] for name in ("episode", "actions", "start", "revisited", "farthest")]


def _context() -> ForkServerContext | SpawnContext:
    """Never plain fork: a copy of a process with torch's threads can deadlock."""
    if "forkserver" not in mp.get_all_start_methods():
        return mp.get_context("spawn")
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(["mario.vector.worker", "mario.games", "wrappers"])
    return context
