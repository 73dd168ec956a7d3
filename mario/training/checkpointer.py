"""Decides when a run is saved, and saves it; a full disk does not stop training."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

from agents import Agent
from mario.config.run_config import TrainConfig
from mario.config.serialization import to_dict
from mario.evaluation.summary import EvaluationSummary
from mario.runs.checkpoint import FORMAT, Checkpoint
from mario.runs.run_folder import RunFolder
from mario.system.hardware import describe_hardware

FIRST_SAVE_SECONDS = 20.0
RETRY_SECONDS = 10.0
CONFIG_KEYS = (
    "agent", "hyper", "game", "actions", "wrappers", "start_curriculum", "ending_reward", "seed"
)  # fmt: skip
"""The parts of the configuration that a checkpoint contains."""
PACKAGES = ("mario-agents", "torch", "numpy", "gymnasium", "nes-py", "tensordict")


class CheckpointSource(Protocol):
    """What is saved: how far it is, and all that going on needs."""

    steps: int
    episodes: int

    @property
    def seconds(self) -> float:
        """How long the run has been going on, the time between two sessions left out."""

    @property
    def evaluation(self) -> EvaluationSummary | None:
        """The latest evaluation."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that going on exactly here needs."""


class Checkpointer:
    """Writes a run's checkpoints.

    Args:
        config: goes into every checkpoint, so that the agent can be made again.
        run: where to.
        agent: whose weights.
        emulator: which emulator plays.
        report: is told, in one line, of what went wrong.
        clock: seconds; only differences count.
    """

    def __init__(
        self,
        config: TrainConfig[Any],
        run: RunFolder,
        agent: Agent,
        *,
        emulator: str,
        report: Callable[[str], None] = print,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config, self._run, self._agent = config, run, agent
        self._emulator, self._report, self._clock = emulator, report, clock
        self._next_time = clock() + min(FIRST_SAVE_SECONDS, config.save_seconds)
        self._retry_time = clock()
        self._number = -1
        self._hardware = describe_hardware(agent.spec.device)

    def due(self, steps: int) -> bool:
        """Whether it is time: by the clock, by decisions, or for want of room in the memory."""
        now = self._clock()
        if now < self._retry_time:
            return False
        crossed = steps // self._config.save_every > max(self._number, 0)
        return now >= self._next_time or crossed or self._overwrite_is_near()

    def _overwrite_is_near(self) -> bool:
        parts = self._agent.persistent_parts()
        return any(part.steps_until_overwrite() <= 1 for part in parts)

    def save(self, trainer: CheckpointSource) -> bool:
        """Write ``last.chkpt``, and ``mario_net_<n>.chkpt`` when its turn has come.

        Returns:
            Whether it could be written; if not, a line says why, and it will be due again soon.
        """
        self._next_time = self._clock() + self._config.save_seconds
        resume = trainer.state_dict()
        number = trainer.steps // self._config.save_every
        try:
            shipped = self.describe(trainer)
            self._run.save_last({**shipped, "resume": resume})
            for part in self._agent.persistent_parts():
                part.mark_saved()
            if number > self._number:
                self._run.save_numbered(number, shipped)
                self._number = number
        except OSError as error:
            self._report(
                f"could not save at decision {trainer.steps:,}: {error.strerror or error}; "
                "the save before is untouched"
            )
            self._next_time = self._retry_time = self._clock() + RETRY_SECONDS
            return False
        return True

    def save_best(self, trainer: CheckpointSource) -> None:
        """Write ``best.chkpt``."""
        try:
            self._run.save_best(self.describe(trainer))
        except OSError as error:
            self._report(f"could not save the best agent: {error.strerror or error}")

    def resumed(self, checkpoint: Checkpoint) -> None:
        """Take note of what the run already has on disk."""
        self._number = checkpoint["steps"] // self._config.save_every

    def describe(self, trainer: CheckpointSource) -> Checkpoint:
        """The checkpoint of the agent as it is now, without what resuming needs."""
        spec = self._agent.spec
        config = to_dict(self._config)
        return {
            "format": FORMAT,
            "model": self._agent.policy_state_dict(),
            "exploration_rate": float(self._agent.exploration_rate),
            **{key: config[key] for key in CONFIG_KEYS},
            "emulator": self._emulator,
            "state_shape": list(spec.state_shape),
            "num_actions": spec.num_actions,
            "steps": trainer.steps,
            "episodes": trainer.episodes,
            "evaluation": trainer.evaluation.to_dict() if trainer.evaluation else None,
            "training": {
                "preset": self._config.preset,
                "seconds": trainer.seconds,
                "hardware": self._hardware,
            },
            "versions": installed_versions(),
        }


def installed_versions() -> dict[str, str]:
    """The versions of Python and of the packages that decide what a run learns."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
