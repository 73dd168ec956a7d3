"""The lines at the end of a run: where it is, what it reached, and how to go on."""

from __future__ import annotations

from typing import Any

from mario.config.run_config import TrainConfig
from mario.evaluation.summary import EvaluationSummary
from mario.runs.checkpoint import CheckpointError, load
from mario.training.train import TrainingResult


def closing_lines(result: TrainingResult, config: TrainConfig[Any]) -> list[str]:
    """Return the lines that ``mario-train`` prints at the end.

    Args:
        result: what the run has reached.
        config: configuration of the run.
    """
    own = [
        f" --{flag} {name}"
        for flag, name in (("game", config.game), ("agent", config.agent))
        if ":" in name
    ]
    reached = f"{result.episodes:,} episodes, {result.steps:,} steps"
    callbacks = "".join(f" --callback {name}" for name in config.callback)
    lines = [f"the run is complete: {reached}, in {result.folder}"]
    if not result.complete:
        lines = [
            f"the run was stopped and saved: {reached}",
            f"continue it with: mario-train --resume {result.folder}{''.join(own)}{callbacks}",
        ]
    if best := _best_evaluation(result):
        lines.append(f"best evaluation: {best}")
    return [*lines, f"watch the agent with: mario-play {result.checkpoint}{''.join(own)}"]


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
        f"{clear_rate}mean return {summary.mean_return:.1f} in {summary.episodes} episodes "
        f"at step {summary.steps_trained:,}"
    )
