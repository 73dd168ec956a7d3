"""The lines at the end of a run: where it is, what it reached, and how to go on.

This module must not import torch, so that the command can print such a line while torch is loaded.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mario.runs.file_kind import CheckpointError
from mario.system.announce import counted
from mario.system.signals import StopLines

if TYPE_CHECKING:
    from mario.config.run_config import TrainConfig
    from mario.training.train import TrainingResult


STOP_LINES = StopLines(
    starting="stopped before training began; there was nothing to save",
    stopping="stopping: the run is saved; a second Ctrl-C ends it without saving",
    aborted=lambda: "ended without saving",
)
"""Lines for a signal to a run of which nothing is known yet."""


def closing_lines(result: TrainingResult, config: TrainConfig[Any]) -> list[str]:
    """Return the lines that ``mario-train`` prints at the end.

    Args:
        result: what the run has reached.
        config: configuration of the run.
    """
    reached = f"{counted(result.episodes, 'episode')}, {counted(result.steps, 'step')}"
    lines = [f"the run is complete: {reached}, in {result.folder}"]
    if not result.complete:
        lines = [
            f"the run was stopped and saved: {reached}",
            f"continue it with: {resume_command(result.folder, config)}",
        ]
    if best := _best_evaluation(result):
        lines.append(f"best evaluation: {best}")
    return [*lines, f"watch the agent with: mario-play {result.checkpoint}{_own_flags(config)}"]


def abort_line(folder: Path, saved_steps: int | None, config: TrainConfig[Any]) -> str:
    """Return the line for a run that ends without saving.

    Args:
        folder: folder of the run.
        saved_steps: agent steps at the latest save, or None before the first one.
        config: configuration of the run.
    """
    if saved_steps is None:
        return "ended before its first save; start it again"
    resume = resume_command(folder, config)
    return f"ended without saving; the latest save is step {saved_steps:,}; continue with: {resume}"


def resume_command(folder: Path, config: TrainConfig[Any]) -> str:
    """Return the command that continues a run.

    Args:
        folder: folder of the run.
        config: configuration of the run.
    """
    callbacks = "".join(f" --callback {name}" for name in config.callback)
    return f"mario-train --resume {folder}{_own_flags(config)}{callbacks}"


def _own_flags(config: TrainConfig[Any]) -> str:
    """Return the flags that name the user's own game and agent, each after a space."""
    named = (("game", config.game), ("agent", config.agent))
    return "".join(f" --{flag} {name}" for flag, name in named if ":" in name)


def _best_evaluation(result: TrainingResult) -> str | None:
    """Return the result of the evaluation of the best agent, or None without evaluations."""
    from mario.evaluation.summary import EvaluationSummary
    from mario.runs.checkpoint import load

    try:
        checkpoint = load(result.checkpoint)
    except CheckpointError:
        return None
    if not checkpoint["evaluation"]:
        return None
    summary = EvaluationSummary(**checkpoint["evaluation"])
    clear_rate = f"{summary.clear_rate:.0%} cleared, " if summary.has_levels else ""
    return (
        f"{clear_rate}mean return {summary.mean_return:.1f} in "
        f"{counted(summary.episodes, 'episode')} at step {summary.steps_trained:,}"
    )
