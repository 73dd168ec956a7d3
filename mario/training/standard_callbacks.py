"""Callbacks for metrics, figures, the progress bar and evaluations.

They connect the trainer to packages that do not know it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mario.config.run_config import TrainConfig
from mario.errors import RunError
from mario.evaluation.evaluator import Evaluator
from mario.evaluation.summary import EvaluationSummary
from mario.metrics.episode_rows import EpisodeRecord
from mario.metrics.logger import MetricLogger
from mario.metrics.progress_bar import ProgressBar
from mario.training.callbacks import Callback
from mario.training.loop import TrainingStep


class MetricsCallback(Callback):
    """Logs rounds of learning, episodes and evaluations.

    Args:
        logger: writes them; closed with the callback.
    """

    name = "metrics"

    def __init__(self, logger: MetricLogger) -> None:
        self._logger = logger

    def on_update(self, metrics: dict[str, float]) -> None:
        """Log the scalars of one call of `Agent.learn`."""
        self._logger.log_update(metrics)

    def on_episode(self, record: EpisodeRecord) -> None:
        """Log an episode."""
        self._logger.log_episode(record, self.trainer.agent.exploration_rate)

    def on_evaluation(self, evaluation: EvaluationSummary, is_best: bool) -> None:
        """Log an evaluation."""
        self._logger.log_evaluation(evaluation.to_dict())

    def on_close(self) -> None:
        """Close the logger."""
        self._logger.close()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the logger."""
        return self._logger.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of the logger."""
        self._logger.load_state_dict(state)


class FiguresCallback(Callback):
    """Writes figures of the agent to TensorBoard at each evaluation.

    The figures show what the first environments observe, and the filters and feature maps of the
    agent's network, see `mario.evaluation.figures.agent_figures`.

    Args:
        logger: writes the figures.
        report: receives a line if the agent has no convolutional network.
    """

    name = "figures"

    def __init__(self, logger: MetricLogger, report: Callable[[str], None]) -> None:
        self._logger, self._report = logger, report
        self._states: NDArray[np.uint8] | None = None
        self._reported = False

    def on_step(self, step: TrainingStep) -> None:
        """Keep the latest observations, if the step has any."""
        if len(step.transitions.next_states):
            self._states = step.transitions.next_states

    def on_evaluation(self, evaluation: EvaluationSummary, is_best: bool) -> None:
        """Write the figures."""
        if self._states is not None:
            self._logger.log_images(self._draw, self.trainer.steps)

    def _draw(self) -> dict[str, Any]:
        # Imported here because it is slow, and runs without TensorBoard do not need it.
        from mario.evaluation.figures import NUM_STATES, agent_figures, explain_missing

        assert self._states is not None
        figures = agent_figures(self.trainer.agent, self._states[:NUM_STATES])
        if "feature_maps" not in figures and not self._reported:
            self._reported = True
            reason = explain_missing(self.trainer.agent)
            self._report(f"TensorBoard gets no images of feature maps, because {reason}")
        return {f"figures/{name}": figure for name, figure in figures.items()}


def make_progress_bar(config: TrainConfig[Any]) -> ProgressBar:
    """Make the progress bar. The default number of episodes is no goal if there is another one."""
    target, minutes = config.evaluation.target_clear_rate, config.minutes
    goals = [] if minutes is None else [f"for {minutes:g} minutes"]
    if target is not None:
        goals.append(f"until {target:.0%} are cleared")
    if not goals:
        return ProgressBar(config.total_episodes, config.steps)
    return ProgressBar(config.episodes, config.steps, " or ".join(goals))


class ProgressCallback(Callback):
    """Shows the progress of the run.

    Args:
        bar: the progress bar.
    """

    name = "progress"

    def __init__(self, bar: ProgressBar) -> None:
        self._bar = bar

    def on_step(self, step: TrainingStep) -> None:
        """Update the bar."""
        self._bar.update(self.trainer.steps, self.trainer.episodes)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Start the bar where the last session ended."""
        self._bar.start_at(self.trainer.steps, self.trainer.episodes)


class TimeLimit(Callback):
    """Ends the run after some time.

    Args:
        minutes: total time of the run; None for no limit.
        elapsed: returns the duration of the run in seconds.
    """

    name = "time limit"

    def __init__(self, minutes: float | None, elapsed: Callable[[], float]) -> None:
        self._minutes, self._elapsed = minutes, elapsed

    @property
    def complete(self) -> bool:
        """Whether the time is over."""
        return self._minutes is not None and self._elapsed() >= 60 * self._minutes


class EvaluationCallback(Callback):
    """Evaluates the agent at intervals and at the end, and reports the results to the trainer.

    Args:
        evaluator: evaluates the agent, and decides when.
    """

    name = "evaluator"

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    @property
    def complete(self) -> bool:
        """Whether the agent has reached the target clear rate."""
        return self._evaluator.complete

    def on_step(self, step: TrainingStep) -> None:
        """Evaluate the agent if it is time."""
        if self._evaluator.due(self.trainer.steps):
            self._evaluate()

    def on_end(self, error: RunError | None) -> None:
        """Evaluate the agent unless the run failed or was stopped."""
        if error is None and not self.trainer.stopping:
            self._evaluate()

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the evaluator."""
        return self._evaluator.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore the state of the evaluator."""
        self._evaluator.load_state_dict(state)

    def _evaluate(self) -> None:
        last = self._evaluator.latest
        is_best = self._evaluator.evaluate(self.trainer.agent, self.trainer.steps)
        latest = self._evaluator.latest
        if latest is not None and latest is not last:
            self.trainer.report_evaluation(latest, is_best)
