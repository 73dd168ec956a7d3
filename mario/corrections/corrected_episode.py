"""An episode whose failures are corrected, and the points to which it can be restored."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from mario.corrections.save_states import EnvStep
from mario.games import _native
from mario.games.super_mario_bros import MAX_X
from mario.vector.replay_point import ReplayPoint


@dataclass(frozen=True)
class CorrectedPoint(ReplayPoint):
    """A point of an environment whose failures are corrected.

    Attributes:
        planned: actions that the environment takes next in place of the agent's.
        num_corrections: number of corrections of the episode so far.
        num_states: number of latest states to which the episode can return.
    """

    planned: tuple[int, ...] = ()
    num_corrections: int = 0
    num_states: int = 0

    def to_dict(self) -> dict[str, Any]:
        """See `ReplayPoint.to_dict`."""
        return super().to_dict() | {
            "planned": list(self.planned),
            "num_corrections": self.num_corrections,
            "num_states": self.num_states,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """See `ReplayPoint.from_dict`."""
        return replace(
            super().from_dict(values),
            planned=tuple(values["planned"]),
            num_corrections=values["num_corrections"],
            num_states=values["num_states"],
        )


@dataclass
class CorrectedEpisode:
    """An episode whose failures are corrected.

    Attributes:
        point: where the episode stands, with all actions that remain after the corrections.
        seed: seed of the episode.
        history: the save-states before the latest steps.
        rewards: reward of each action since the reset.
        planned: actions that the environment takes next in place of the agent's.
        best_x: farthest position since the last correction.
        idle_steps: steps since then without progress.
    """

    point: CorrectedPoint
    seed: int
    history: deque[_native.RunnerState]
    rewards: list[float] = field(default_factory=list)
    planned: deque[int] = field(default_factory=deque)
    best_x: int = -1
    idle_steps: int = 0

    @property
    def length(self) -> int:
        """Number of actions since the reset."""
        return len(self.point.log.actions)

    def record(self, action: int, step: EnvStep, row: int) -> None:
        """Add a step to the episode; ``row`` is the row of its environment in the step."""
        self.point.log.actions.append(action)
        self.rewards.append(float(step.rewards[row]))
        x = int(step.column("x_pos")[row])
        if x > MAX_X:
            x = -1
        self.idle_steps = 0 if x > self.best_x else self.idle_steps + 1
        self.best_x = max(self.best_x, x)

    def restart_progress(self) -> None:
        """Measure progress from the current position on."""
        self.best_x, self.idle_steps = -1, 0
