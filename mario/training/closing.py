"""The lines at the end of a run: where it is, what it reached, and how to go on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from mario.config.run_config import TrainConfig
from mario.evaluation.summary import EvaluationSummary
from mario.runs.checkpoint import load
from mario.runs.file_kind import CheckpointError
from mario.system.announce import counted

if TYPE_CHECKING:
    from mario.training.train import TrainingResult


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
