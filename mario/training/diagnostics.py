"""Warnings about a run that is going wrong, early enough to stop it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from mario.config.run_config import DiagnosticsConfig
from mario.evaluation.summary import EvaluationSummary
from mario.metrics.episode_rows import EpisodeRecord
from mario.metrics.running_means import RunningMeans
from mario.training.callbacks import Callback
from mario.training.loop import TrainingStep

MAX_RANDOM_FRACTION = 0.5
"""With more random actions, too few greedy ones are left to judge."""
MAX_ACTION_FRACTION = 0.95
"""Fraction of the greedy actions above which a single action is suspicious."""
GOOD_CLEAR_RATE = 0.9
"""Clear rate from which on an agent need not progress."""


class TrainingDiagnostics(Callback):
    """Checks the run every few thousand steps, and warns of what looks wrong.

    It warns if the agent nearly always chooses the same action, if the learned values exceed what
    the rewards allow, if there is no progress, and if exploration is still high late in the run.
    Each warning is one line, and is repeated only after ``config.repeat_after`` steps.

    Args:
        config: how many steps each check covers, and when to warn.
        num_actions: number of actions.
        gamma: discount factor of the agent; None for an agent without one.
        warn: receives the agent steps so far and the warning.
    """

    name = "diagnostics"

    def __init__(
        self,
        config: DiagnosticsConfig,
        *,
        num_actions: int,
        gamma: float | None,
        warn: Callable[[int, str], None],
    ) -> None:
        self._config, self._gamma, self._warn = config, gamma, warn
        self._action_counts, self._means = [0] * num_actions, RunningMeans()
        self._max_reward, self._max_final_reward = 0.0, 0.0
        self._best_distance, self._best_step = -math.inf, 0
        self._clear_rate = 0.0
        self._warned_at: dict[str, int] = {}

    def on_update(self, metrics: dict[str, float]) -> None:
        """Collect the mean action value."""
        self._means.add({name: scalar for name, scalar in metrics.items() if name == "q"})

    def on_episode(self, record: EpisodeRecord) -> None:
        """Collect how far an episode from the game's start came, or else its reward."""
        if not record.start_offset:
            distance = record.reward if record.best_x is None else record.best_x
            self._means.add({"distance": distance})

    def on_evaluation(self, evaluation: EvaluationSummary, is_best: bool) -> None:
        """Remember the latest clear rate."""
        self._clear_rate = evaluation.clear_rate

    def on_step(self, step: TrainingStep) -> None:
        """Collect actions and rewards, and check the run if there are enough steps."""
        transitions = step.transitions
        for action in transitions.actions[transitions.valid].tolist():
            self._action_counts[action] += 1
        self._means.add({"random": self.trainer.agent.exploration_rate})
        for env_index, size in enumerate(np.abs(transitions.rewards).tolist()):
            if env_index in step.final_infos:
                self._max_final_reward = max(self._max_final_reward, size)
            else:
                self._max_reward = max(self._max_reward, size)
        if sum(self._action_counts) >= self._config.check_every:
            self._check()

    def state_dict(self) -> dict[str, Any]:
        """Return everything that an exact resume needs."""
        return {
            "action_counts": list(self._action_counts),
            "running_means": self._means.mark(),
            "max_reward": self._max_reward,
            "max_final_reward": self._max_final_reward,
            "best_distance": self._best_distance,
            "best_step": self._best_step,
            "clear_rate": self._clear_rate,
            "warned_at": dict(self._warned_at),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue exactly where `state_dict` was taken."""
        self._action_counts = list(state["action_counts"])
        self._means.restore(state["running_means"])
        self._max_reward = state["max_reward"]
        self._max_final_reward = state["max_final_reward"]
        self._best_distance, self._best_step = state["best_distance"], state["best_step"]
        self._clear_rate = state["clear_rate"]
        self._warned_at = dict(state["warned_at"])

    def _check(self) -> None:
        steps, progress = self.trainer.steps, self.trainer.progress
        counts, means = self._action_counts, self._means.means_since({})
        self._action_counts, self._means = [0] * len(counts), RunningMeans()
        warnings = {
            "action": _single_action(counts, means["random"]),
            "values": self._impossible_values(means.get("q", 0.0)),
            "progress": self._no_progress(means.get("distance", -math.inf), steps),
            "exploration": _late_exploration(means["random"], progress),
        }
        repeat_after = self._config.repeat_after
        for name, text in warnings.items():
            if text and steps - self._warned_at.get(name, -repeat_after) >= repeat_after:
                self._warned_at[name] = steps
                self._warn(steps, text)

    def _impossible_values(self, mean: float) -> str:
        """No value can exceed max_reward / (1 - gamma), plus the greatest final reward."""
        if self._gamma is None or self._gamma >= 1:
            return ""
        bound = self._max_reward / (1 - self._gamma) + self._max_final_reward
        if abs(mean) <= bound:
            return ""
        return (
            f"the mean action value is {mean:,.4g}, but rewards up to {self._max_reward:,.4g}, "
            f"final rewards up to {self._max_final_reward:,.4g} and gamma {self._gamma} allow at "
            f"most {bound:,.4g}: the values diverge; try a lower learning rate or less frequent "
            "target updates"
        )

    def _no_progress(self, mean: float, steps: int) -> str:
        if mean > self._best_distance:
            self._best_distance, self._best_step = mean, steps
        idle = steps - self._best_step
        satisfied = self._clear_rate >= GOOD_CLEAR_RATE
        if idle < self._config.patience or satisfied or self._best_distance == -math.inf:
            return ""
        return (
            f"no progress for {idle:,} steps: the best mean over episodes was "
            f"{self._best_distance:,.0f} at step {self._best_step:,}; try other settings or "
            "another seed"
        )


def _single_action(counts: list[int], random: float) -> str:
    """Random actions are uniform, so the excess of an action was chosen by the policy."""
    if random > MAX_RANDOM_FRACTION or len(counts) < 2:
        return ""
    action = int(np.argmax(counts))
    fraction = (counts[action] / sum(counts) - random / len(counts)) / (1 - random)
    if fraction <= MAX_ACTION_FRACTION:
        return ""
    return (
        f"action {action} is {min(fraction, 1.0):.0%} of the non-random actions in the last "
        f"{sum(counts):,} steps: the agent hardly reacts to what it observes; try a lower learning "
        "rate or more exploration"
    )


def _late_exploration(random: float, progress: float) -> str:
    if progress <= 0.5 or random <= MAX_RANDOM_FRACTION:
        return ""
    return (
        f"{random:.0%} of the actions are still random after {progress:.0%} of the run: the "
        "learned policy is hardly used; reduce exploration faster, or train for longer"
    )
