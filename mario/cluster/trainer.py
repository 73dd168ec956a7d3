"""A trainer whose steps are taken by the workers of a cluster."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from agents import DDQN, Agent
from mario.cluster.gradients import GradientRounds
from mario.cluster.players import Players
from mario.cluster.protocol import Fleet
from mario.cluster.roster import Roster
from mario.cluster.workers.building import find_learner, module_names
from mario.cluster.workers.messages import Start, WorkerSetup
from mario.metrics.batch_log import BatchLog
from mario.training.callbacks import Callback
from mario.training.loop import TrainingStep
from mario.training.trainer import Trainer
from mario.vector.base import GameVectorEnv

MakeSetup = Callable[[int, int], WorkerSetup]
"""Returns the setup of a worker from its index and its life, see `WorkerSetup`."""


class ClusterTrainer(Trainer, ABC):
    """Base class of trainers whose steps are taken by workers.

    Args:
        agent: learns, and is evaluated and saved.
        envs: an environment of the run, which is not played.
        callbacks: see `Trainer`.
        fleet: the workers; closed with the trainer.
        make_setup: returns the setup of a worker.
        report: receives one line for each event of the cluster.
        **limits: ``total_episodes``, ``total_steps`` and ``stop`` of `Trainer`.

    Attributes:
        fleet: the given fleet.
    """

    def __init__(
        self,
        agent: Agent,
        envs: GameVectorEnv,
        callbacks: Sequence[Callback],
        *,
        fleet: Fleet,
        make_setup: MakeSetup,
        report: Callable[[str], None],
        **limits: Any,
    ) -> None:
        super().__init__(agent, envs, callbacks, **limits)
        self.resumable = False
        self._total_steps: int | None = limits.get("total_steps")
        self.fleet, self._make_setup, self._report = fleet, make_setup, report
        self._roster = Roster(fleet, self._make_start, report)
        self._log = BatchLog(fleet.size, report)
        self._saved: list[dict[str, Any] | None] = [None] * fleet.size
        self._lives = [0] * fleet.size

    @property
    def num_ready(self) -> int:
        """Number of workers that take part in training."""
        return len(self._roster.ready)

    @property
    def stopping(self) -> bool:
        """Whether training was asked to stop, or the cluster is in trouble."""
        return super().stopping or self.fleet.trouble is not None

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ValueError: the run has another number of workers.
        """
        workers = len(state["envs"]["workers"])
        if workers != self.fleet.size:
            raise ValueError(f"it has {workers} workers; add --workers {workers}")
        super().load_state_dict(state)

    def close(self) -> None:
        """Stop the workers and close all callbacks."""
        try:
            super().close()
        finally:
            self.fleet.close()

    def _run(self) -> None:
        lives = [state["life"] if state else 0 for state in self._saved]
        self.fleet.hire(self._make_setup, lives)
        self._direct()
        if self.fleet.trouble is not None:
            raise self.fleet.trouble

    @abstractmethod
    def _direct(self) -> None:
        """Direct the workers until the run is complete or stops."""

    @abstractmethod
    def _make_start(self, worker: int, life: int) -> Start:
        """Return where a worker starts: at its saved state, or with new episodes."""

    def _process_all(self, steps: Sequence[TrainingStep], resumable: bool) -> None:
        """Process steps; only the last one may be at a point that can be saved."""
        infos = [info for step in steps for info in step.final_infos.values()]
        rewards = [float(info["episode"]["r"]) for info in infos if "episode" in info]
        self._log.add(sum(step.num_steps for step in steps), rewards)
        self.resumable = False
        for index, step in enumerate(steps):
            self.resumable = resumable and index == len(steps) - 1
            self._process(step)


class GradientTrainer(ClusterTrainer):
    """Trains an agent with the gradients of workers; the agent needs no replay memory."""

    def _direct(self) -> None:
        rounds = GradientRounds(
            self.fleet, self._roster, find_learner(self.agent),
            stopping=lambda: self.stopping, steps_left=self._steps_left, report=self._report,
        )  # fmt: skip
        for barrier in rounds.barriers():
            num_steps = sum(step.num_steps for step in barrier.steps)
            self.agent.start_at(self.steps + num_steps)
            self._process_all(barrier.steps, barrier.resumable)
            self._log.write(rounds.version, workers=self.num_ready, nbytes=rounds.bytes)
            if self.complete:
                return
            if self.stopping and (barrier.resumable or not self._roster.ready):
                return

    def _steps_left(self) -> int | None:
        return None if self._total_steps is None else self._total_steps - self.steps

    def _make_start(self, worker: int, life: int) -> Start:
        state, self._saved[worker] = self._saved[worker], None
        policy = self.agent.policy_state_dict()
        return Start(policy, self.steps // self.fleet.size, state)

    def _envs_state(self) -> Any:
        """Return the states of the workers, None for those whose state cannot be saved now."""
        states: list[Any] = list(self._saved)  # of workers that have not started yet
        if self.resumable and self._roster.ready:
            first = min(self._roster.ready)
            calls = {worker: ("state_dict", worker == first) for worker in self._roster.ready}
            for worker, state in self._roster.collect(calls).items():
                states[worker] = state
        return {"workers": states}

    def _restore_envs(self, state: Any) -> None:
        """Keep the states of the workers until they start; all of them have the same networks."""
        states = state["workers"]
        complete = next((each["agent"] for each in states if each is not None), None)
        if complete is not None:
            modules = {name: complete[name] for name in module_names(self.agent)}
            self._saved = [
                each and {**each, "agent": {**modules, **each["agent"]}} for each in states
            ]


class PlayerTrainer(ClusterTrainer):
    """Trains a DDQN agent, which owns the replay memory, with the steps of players."""

    _players: Players | None = None

    def _direct(self) -> None:
        assert isinstance(self.agent, DDQN)
        num_envs = self.agent.spec.num_envs // self.fleet.size
        players = self._players = Players(self.fleet, self._roster, self.agent, num_envs)
        for steps in players.chunks(lambda: self.stopping):
            self._process_all(steps, resumable=True)
            self._log.write(
                players.version, workers=self.num_ready,
                nbytes=players.bytes, age=players.age,
            )  # fmt: skip
            if self.complete or self.stopping:
                return

    def _make_start(self, worker: int, life: int) -> Start:
        state = self._worker_states()[worker]
        self._lives[worker] = life
        policy = self.agent.policy_state_dict()
        return Start(policy, self.steps // self.fleet.size, state)

    def _envs_state(self) -> Any:
        return {"workers": self._worker_states()}

    def _restore_envs(self, state: Any) -> None:
        self._saved = list(state["workers"])

    def _worker_states(self) -> list[dict[str, Any] | None]:
        """Return where each player was after its latest chunk; None if it has not played yet.

        The next player has another life, and so other random numbers.
        """
        points = {} if self._players is None else self._players.points
        return [
            {"life": self._lives[worker] + 1, "envs": points[worker]} if worker in points else saved
            for worker, saved in enumerate(self._saved)
        ]
