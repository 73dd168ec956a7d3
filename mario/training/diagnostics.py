"""Says in plain words when a run goes wrong, while there is still time to stop it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mario.config.run_config import DiagnosticsConfig
from mario.metrics.episode_history import RunningMeans
from mario.metrics.logger import EpisodeRecord

MOSTLY_RANDOM = 0.5
"""Share of random actions above which the others are too few to be judged by."""
MOST_OF_THE_TIME = 0.95
CLEARS = 0.9
"""Greedy clear rate from which on no more progress is asked for."""


class TrainingDiagnostics:
    """Looks at what a run did, a few thousand decisions at a time, and warns.

    Each warning is one line, and is not repeated for a while.

    Args:
        config: how much is looked at together, and how patiently.
        num_actions: how many actions there are to choose from.
        gamma: the agent's discount of a reward per decision; None for one that has none.
        warn: is told, with the decisions made so far, of what is wrong.
    """

    def __init__(
        self,
        config: DiagnosticsConfig,
        *,
        num_actions: int,
        gamma: float | None,
        warn: Callable[[int, str], None],
    ) -> None:
        self._config, self._gamma, self._warn = config, gamma, warn
        self._actions, self._tally = [0] * num_actions, RunningMeans()
        self._greatest_reward, self._greatest_end = 0.0, 0.0
        self._best_mean, self._best_at = -math.inf, 0
        self._said: dict[str, int] = {}

    def see(
        self,
        actions: NDArray[np.int64],
        rewards: NDArray[np.float32],
        ended: Iterable[int],
        rate: float,
    ) -> None:
        """Take in one step of every game.

        Args:
            actions: of the valid steps, int64 ``(n,)``.
            rewards: what the agent was given, float32 ``(num_envs,)``.
            ended: the games whose episode ended with it.
            rate: share of actions that are random at present.
        """
        for action in actions.tolist():
            self._actions[action] += 1
        self._tally.add({"random": rate})
        over = set(ended)
        for game, size in enumerate(np.abs(rewards).tolist()):
            if game in over:
                self._greatest_end = max(self._greatest_end, size)
            else:
                self._greatest_reward = max(self._greatest_reward, size)

    def hear(self, learned: dict[str, float]) -> None:
        """Take in what a round of learning reported."""
        self._tally.add({name: scalar for name, scalar in learned.items() if name == "q"})

    def read(self, record: EpisodeRecord) -> None:
        """Take in an episode: how far it came from the game's start, or else what it earned."""
        if record.start_offset:
            return
        self._tally.add({"way": record.reward if record.best_x is None else record.best_x})

    def advise(self, steps: int, *, share_done: float, clear_rate: float) -> None:
        """Warn of what is wrong, if there is enough to be judged since the last time.

        Args:
            steps: decisions so far.
            share_done: how much of the run is done, 0 to 1.
            clear_rate: of the latest greedy evaluation.
        """
        if sum(self._actions) < self._config.check_every:
            return
        actions, means = self._actions, self._tally.means_since({})
        self._actions, self._tally = [0] * len(actions), RunningMeans()
        found = {
            "action": _one_action(actions, means["random"]),
            "values": self._impossible_values(means.get("q", 0.0)),
            "progress": self._no_progress(means.get("way", -math.inf), steps, clear_rate),
            "exploration": _late_exploration(means["random"], share_done),
        }
        for name, text in found.items():
            if (
                text
                and steps - self._said.get(name, -self._config.repeat_after)
                >= self._config.repeat_after
            ):
                self._said[name] = steps
                self._warn(steps, text)

    def state_dict(self) -> dict[str, Any]:
        """Everything that going on exactly here needs."""
        return {
            "actions": list(self._actions),
            "running_means": self._tally.mark(),
            "greatest_reward": self._greatest_reward,
            "greatest_end": self._greatest_end,
            "best_mean": self._best_mean,
            "best_at": self._best_at,
            "said": dict(self._said),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state_dict` was taken."""
        self._actions = list(state["actions"])
        self._tally.return_to(state["running_means"])
        self._greatest_reward = state["greatest_reward"]
        self._greatest_end = state["greatest_end"]
        self._best_mean, self._best_at = state["best_mean"], state["best_at"]
        self._said = dict(state["said"])

    def _impossible_values(self, mean: float) -> str:
        """No value is beyond the greatest reward, earned for ever, and the greatest of an end."""
        if self._gamma is None or self._gamma >= 1:
            return ""
        bound = self._greatest_reward / (1 - self._gamma) + self._greatest_end
        if abs(mean) <= bound:
            return ""
        return (
            f"the values learned are {mean:,.4g} on average, where rewards up to "
            f"{self._greatest_reward:,.4g}, {self._greatest_end:,.4g} at the end, and gamma "
            f"{self._gamma} allow {bound:,.4g}: they grow by themselves; try a lower learning rate "
            "or a target that is synced less often"
        )

    def _no_progress(self, mean: float, steps: int, clear_rate: float) -> str:
        if mean > self._best_mean:
            self._best_mean, self._best_at = mean, steps
        idle = steps - self._best_at
        if idle < self._config.patience or clear_rate >= CLEARS or self._best_mean == -math.inf:
            return ""
        return (
            f"no progress for {idle:,} decisions: episodes came farthest, {self._best_mean:,.0f} "
            f"on average, about decision {self._best_at:,}; try other settings or another seed"
        )


def _one_action(actions: list[int], random: float) -> str:
    """Random actions fall on each action alike: what is beyond that was chosen."""
    if random > MOSTLY_RANDOM or len(actions) < 2:
        return ""
    most = int(np.argmax(actions))
    share = (actions[most] / sum(actions) - random / len(actions)) / (1 - random)
    if share <= MOST_OF_THE_TIME:
        return ""
    return (
        f"action {most} was {min(share, 1.0):.0%} of the last {sum(actions):,} decisions, random "
        "ones left out: the agent hardly looks at the game; try a lower learning rate or more "
        "exploration"
    )


def _late_exploration(random: float, share_done: float) -> str:
    if share_done <= 0.5 or random <= MOSTLY_RANDOM:
        return ""
    return (
        f"{random:.0%} of the actions are still random after {share_done:.0%} of the run: what is "
        "learned is hardly tried; let exploration fall faster, or give the run more time"
    )
