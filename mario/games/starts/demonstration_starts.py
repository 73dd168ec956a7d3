"""Episodes that start on demonstrations, at points that are drawn by how often the agent fails."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mario.config.env_config import StartCurriculumConfig
from mario.games.endings import FAILURES, SUCCESSES, Ending

BIN_STEPS = 8
"""Steps of a demonstration that share one failure rate."""

DECAY = 0.9
"""Weight of the earlier episodes in a failure rate, per episode."""

MIN_WEIGHT = 0.05
"""Added to the failure rate of each bin, so that every start is drawn now and then."""

MIN_RETURN_SHARE = 0.5
"""An episode that was cut short failed if its return is below this share of the return of the
demonstration over the same steps."""


class DemonstrationPoint(NamedTuple):
    """A point on a demonstration.

    Attributes:
        demonstration: Index of the demonstration.
        position: Number of its steps that lead to the point.
    """

    demonstration: int
    position: int


@dataclass(frozen=True)
class Demonstration:
    """A play from the beginning of a game to its goal.

    Attributes:
        noops: Number of no-op frames before the first step.
        actions: Index of the action of each step.
        rewards: Sum of the game's rewards in each step.
    """

    noops: int
    actions: tuple[int, ...]
    rewards: tuple[float, ...]

    def return_between(self, position: int, length: int) -> float:
        """Return the sum of the rewards of ``length`` steps, fewer at the end.

        >>> Demonstration(0, (1, 1, 1), (1.0, 2.0, 4.0)).return_between(position=1, length=9)
        6.0
        """
        return sum(self.rewards[position : position + length])


class DemonstrationStarts:
    """Draws where episodes start: at the beginning of the game or on a demonstration.

    Each demonstration is divided into bins of `BIN_STEPS` steps. A bin has a failure rate: an
    exponential average over the episodes that started in it, initially 1. A bin is drawn in
    proportion to its failure rate plus `MIN_WEIGHT`, and a position in it uniformly. The agent
    thus practices where it still fails.

    Args:
        demonstrations: One or more demonstrations.
        config: The share of episodes that start on a demonstration.
    """

    def __init__(
        self, demonstrations: Sequence[Demonstration], config: StartCurriculumConfig
    ) -> None:
        self.demonstrations = tuple(demonstrations)
        self._probability = config.demonstration_probability
        self._bins = [
            DemonstrationPoint(index, position)
            for index, demonstration in enumerate(self.demonstrations)
            for position in range(0, len(demonstration.actions), BIN_STEPS)
        ]
        self._bin_indices = {point: index for index, point in enumerate(self._bins)}
        self._failure_rates = np.ones(len(self._bins))

    @property
    def failure_rates(self) -> NDArray[np.float64]:
        """Failure rate of each bin, ``(bins,)``, in the order of the demonstrations."""
        return self._failure_rates.copy()

    def draw(self, seed: int) -> DemonstrationPoint | None:
        """Draw the start of an episode.

        The random numbers are independent of those for other starts, see
        `mario.games.starts.start_curriculum.draw_steps_before_loss`.

        Args:
            seed: Seed of the episode.

        Returns:
            A point on a demonstration, or None for the beginning of the game.
        """
        rng = np.random.default_rng([seed, 2])
        if rng.random() >= self._probability:
            return None
        weights = self._failure_rates + MIN_WEIGHT
        demonstration, first = self._bins[rng.choice(len(weights), p=weights / weights.sum())]
        end = len(self.demonstrations[demonstration].actions)
        position = int(rng.integers(first, min(first + BIN_STEPS, end)))
        return DemonstrationPoint(demonstration, position)

    def record(
        self, start: DemonstrationPoint, ending: str, episode_return: float, length: int
    ) -> None:
        """Update the failure rate of a start with an episode.

        Args:
            start: The start of the episode.
            ending: Its ending, see `mario.games.endings.Ending`.
            episode_return: Sum of the game's rewards.
            length: Number of steps.
        """
        if ending in SUCCESSES:
            failed = False
        elif ending == Ending.TRUNCATED:
            demonstration = self.demonstrations[start.demonstration]
            expected = demonstration.return_between(start.position, length)
            failed = episode_return < MIN_RETURN_SHARE * expected
        elif ending in FAILURES:
            failed = True
        else:  # a crash
            return
        first = start.position - start.position % BIN_STEPS
        index = self._bin_indices[DemonstrationPoint(start.demonstration, first)]
        self._failure_rates[index] += (1 - DECAY) * (failed - self._failure_rates[index])

    def state_dict(self) -> dict[str, Any]:
        """Return the failure rates."""
        return {"failure_rates": self._failure_rates.tolist()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ValueError: The state belongs to other demonstrations.
        """
        rates = np.array(state["failure_rates"], np.float64)
        if rates.shape != self._failure_rates.shape:
            raise ValueError(
                f"the run has failure rates of {len(rates)} starts, the demonstrations have "
                f"{len(self._bins)}; resume with the demonstrations of the run"
            )
        self._failure_rates = rates
