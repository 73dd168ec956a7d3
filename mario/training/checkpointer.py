"""Saves a run at intervals. A full disk does not stop training."""

from __future__ import annotations

import platform
import shutil
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from agents import Agent
from mario.config.run_config import TrainConfig
from mario.config.serialization import to_dict
from mario.errors import RunError, UsageError
from mario.evaluation.summary import EvaluationSummary
from mario.runs.checkpoint import FORMAT, Checkpoint
from mario.runs.run_folder import RunFolder
from mario.system.hardware import describe_hardware
from mario.training.callbacks import Callback
from mario.training.loop import TrainingStep

CHECKPOINTS_AT_ONCE = 8
"""Checkpoints that must fit on the disk: last, previous, best and a numbered one, and for each of
them a temporary file with its replacement."""
FIRST_SAVE_SECONDS = 20.0
RETRY_SECONDS = 10.0
MAX_FAILED_SAVES = 60
"""Failed saves in a row after which the run stops."""
CONFIG_KEYS = (
    "agent", "hyper", "game", "actions", "wrappers", "start_curriculum", "ending_reward", "seed"
)  # fmt: skip
"""The parts of the configuration that a checkpoint contains."""
PACKAGES = ("mario-agents", "torch", "numpy", "gymnasium", "nes-py", "tensordict")


class Checkpointer(Callback):
    """Writes the checkpoints of a run.

    It saves at regular intervals of time and of agent steps, and before the replay buffer would
    overwrite transitions that the last save needs.

    Args:
        config: configuration of the run. Every checkpoint contains its `CONFIG_KEYS`, so that the
            agent can be created from a checkpoint.
        run: folder for the checkpoints.
        agent: the agent to save.
        emulator: name of the emulator in use, saved in every checkpoint.
        elapsed: returns the duration of the run in seconds, saved in every checkpoint.
        report: receives one line for each save that failed.
        clock: returns the time of a monotonic clock in seconds.

    Attributes:
        saved_steps: agent steps at the latest save of the run, None before its first save.
    """

    name = "checkpointer"

    def __init__(
        self,
        config: TrainConfig[Any],
        run: RunFolder,
        agent: Agent,
        *,
        emulator: str,
        elapsed: Callable[[], float],
        report: Callable[[str], None] = print,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._config, self._run, self._agent = config, run, agent
        self._emulator, self._elapsed, self._report = emulator, elapsed, report
        self._clock = clock
        self._next_time = clock() + min(FIRST_SAVE_SECONDS, config.save_seconds)
        self._retry_time = clock()
        self.saved_steps: int | None = None
        self._number = -1
        self._num_failed = 0
        self._evaluation: dict[str, Any] | None = None
        self._hardware = describe_hardware(agent.spec.device)

    def on_step(self, step: TrainingStep) -> None:
        """Save if a save is due; `on_end` makes the last save."""
        trainer = self.trainer
        ending = trainer.complete or trainer.stopping
        if trainer.resumable and not ending and self.due(trainer.steps):
            self.save()

    def on_evaluation(self, evaluation: EvaluationSummary, is_best: bool) -> None:
        """Store the evaluation for later checkpoints, and write ``best.chkpt`` if it is the best.

        If the write fails, this is reported and training continues.
        """
        self._evaluation = evaluation.to_dict()
        if not is_best:
            return
        try:
            self._run.save_best(self.describe())
        except OSError as error:
            self._report(f"could not save the best agent: {error.strerror or error}")

    def on_end(self, error: RunError | None) -> None:
        """Save the run.

        Raises:
            RunError: the save failed at the end of a run that had no error itself.
        """
        saved = self.save()
        if error is None and not saved:
            raise RunError("the end of the run is not saved; free disk space and use --resume")

    def due(self, steps: int) -> bool:
        """Return whether a save is due.

        Args:
            steps: agent steps so far.
        """
        now = self._clock()
        if now < self._retry_time:
            return False
        crossed = steps // self._config.save_every > max(self._number, 0)
        return now >= self._next_time or crossed or self._overwrite_is_near()

    def save(self) -> bool:
        """Write ``last.chkpt``, and ``mario_net_<n>.chkpt`` after a new multiple of ``save_every``.

        Returns:
            Whether the files were written. If not, one line is reported, and the next save is due
            after `RETRY_SECONDS`.

        Raises:
            RunError: a weight is not finite, or `MAX_FAILED_SAVES` saves in a row failed.
        """
        self._next_time = self._clock() + self._config.save_seconds
        steps = self.trainer.steps
        number = steps // self._config.save_every
        try:
            resume = self.trainer.state_dict()  # writes the replay memory to disk
            checkpoint = self.describe()
            if damage := self._run.save_last({**checkpoint, "resume": resume}):
                self._report(damage)
            self.saved_steps = steps
            for part in self._agent.persistent_parts():
                part.mark_saved()
            if number > self._number:
                self._run.save_numbered(number, checkpoint)
                self._number = number
        except OSError as error:
            self._handle_failure(steps, error)
            return False
        self._num_failed = 0
        return True

    def describe(self) -> Checkpoint:
        """Return a checkpoint of the agent, without the state for an exact resume."""
        spec, trainer = self._agent.spec, self.trainer
        config = to_dict(self._config)
        return {
            "format": FORMAT,
            "model": self._agent.policy_state_dict(),
            "exploration_rate": float(self._agent.exploration_rate),
            **{key: config[key] for key in CONFIG_KEYS},
            "state_shape": list(spec.state_shape),
            "num_actions": spec.num_actions,
            "steps": trainer.steps,
            "episodes": trainer.episodes,
            "evaluation": self._evaluation,
            **self.machine,
        }

    @property
    def machine(self) -> dict[str, Any]:
        """What a checkpoint says about this machine and session."""
        return {
            "emulator": self._emulator,
            "training": {
                "preset": self._config.preset,
                "seconds": self._elapsed(),
                "hardware": self._hardware,
                "threads": self._agent.spec.threads,
            },
            "versions": installed_versions(),
        }

    def state_dict(self) -> dict[str, Any]:
        """Return the latest evaluation."""
        return {"evaluation": self._evaluation}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the latest evaluation, and continue the numbering of ``mario_net_<n>.chkpt``."""
        self._evaluation = state["evaluation"]
        self.saved_steps = self.trainer.steps
        self._number = self.trainer.steps // self._config.save_every

    def _handle_failure(self, steps: int, error: OSError) -> None:
        reason = f"could not save at step {steps:,}: {error.strerror or error}"
        self._num_failed += 1
        if self._num_failed == MAX_FAILED_SAVES:
            raise RunError(
                f"{reason}; this was the {MAX_FAILED_SAVES}th failed save in a row; "
                "free disk space and use --resume"
            )
        self._report(f"{reason}; the previous save is intact")
        self._next_time = self._retry_time = self._clock() + RETRY_SECONDS

    def _overwrite_is_near(self) -> bool:
        parts = self._agent.persistent_parts()
        return any(part.steps_until_overwrite() <= 1 for part in parts)


def check_disk(folder: Path, agent: Agent) -> None:
    """Check that the checkpoints fit on the disk.

    Raises:
        UsageError: too little space is free.
    """
    size = sum(tensor.nbytes for tensor in agent.policy_state_dict().values())
    needed = CHECKPOINTS_AT_ONCE * 4 * size  # weights, two moments of Adam, target network
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise UsageError(
            f"checkpoints need {needed / 1e9:.2f} GB in {folder}, {free / 1e9:.2f} GB are free; "
            "free disk space or choose another --save-dir"
        )


def installed_versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that affect what a run learns."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return versions
