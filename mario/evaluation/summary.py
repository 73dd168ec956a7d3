"""Statistics of an evaluation, with 95 % confidence intervals."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from mario.evaluation.episodes import EpisodeResult

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""

BOOTSTRAP_RESAMPLES = 2000
"""Resamples of a bootstrap interval, as in rliable."""

LEVEL_STATISTICS = (
    "clear_rate", "clear_rate_ci95", "mean_x_pos", "max_x_pos", "median_steps_to_clear", "deaths"
)  # fmt: skip
"""Statistics that only a game with levels has."""


@dataclass(frozen=True, kw_only=True)
class EvaluationSummary:
    """Statistics of an evaluation, as ``mario-eval --json`` prints them.

    Attributes:
        game: ID of the game.
        episodes: number of episodes, without crashed ones.
        distinct_episodes: number of episodes that differ in actions, return or distance. The
            intervals take it as the sample size, because the same episode played again is no new
            evidence.
        crashed_episodes: number of episodes in which the environment crashed. They are left out of
            all other statistics.
        clear_rate: fraction of the episodes that reached the flag.
        clear_rate_ci95: Wilson interval of the clear rate.
        mean_return: mean of the episodes' undiscounted returns.
        mean_return_ci95: bootstrap interval of the mean return.
        mean_x_pos: mean of the largest horizontal positions in pixels; None without positions.
        max_x_pos: largest horizontal position of all episodes, or None.
        median_steps_to_clear: median length of the cleared episodes in agent steps, or None.
        deaths: final horizontal position in pixels of each episode that was lost.
        steps_trained: agent steps that the agent was trained for.
        emulator: name of the emulator.
        seed: seed of the evaluation.
        epsilon: probability of a random action in each step.
        repeat_action_probability: probability of a sticky action in each frame.
    """

    game: str
    episodes: int
    distinct_episodes: int | None = None
    crashed_episodes: int = 0
    clear_rate: float
    clear_rate_ci95: list[float]
    mean_return: float
    mean_return_ci95: list[float] = field(default_factory=lambda: [math.nan, math.nan])
    mean_x_pos: float | None
    max_x_pos: int | None
    median_steps_to_clear: float | None
    deaths: list[int]
    steps_trained: int
    emulator: str
    seed: int
    epsilon: float = 0.0
    repeat_action_probability: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return all statistics by name."""
        return asdict(self)

    def report(self) -> dict[str, Any]:
        """Return the statistics by name, without those that the game does not have."""
        hidden = () if self.has_levels else LEVEL_STATISTICS
        return {name: value for name, value in self.to_dict().items() if name not in hidden}

    @property
    def has_levels(self) -> bool:
        """Whether the game has positions and levels to clear, or only a score."""
        return self.mean_x_pos is not None or self.clear_rate > 0

    @property
    def sort_key(self) -> tuple[float, float, float]:
        """Key that orders agents from worst to best: clear rate, then distance, then return."""
        return self.clear_rate, self.mean_x_pos or 0.0, self.mean_return


def wilson_interval(successes: float, trials: int) -> list[float]:
    """Return the 95 % score interval of a success rate (Wilson, 1927).

    Returns:
        The lower and the upper bound; ``[0.0, 1.0]`` without trials.

    >>> [round(bound, 3) for bound in wilson_interval(95, 100)]
    [0.888, 0.978]
    """
    if trials == 0:
        return [0.0, 1.0]
    rate, z2 = successes / trials, Z_95**2
    center = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    variance = rate * (1 - rate) / trials + z2 / (4 * trials**2)
    margin = Z_95 * math.sqrt(variance) / (1 + z2 / trials)
    return [max(0.0, center - margin), min(1.0, center + margin)]


def bootstrap_interval(values: Sequence[float], size: int | None = None) -> list[float]:
    """Return the 95 % percentile bootstrap interval of a mean (Efron, 1979).

    The interval stays within the range of the values, unlike a normal interval near the maximum
    score of a game. The resampling is seeded, so the same values give the same interval.

    Args:
        values: samples; with fewer than about 20 the interval is too narrow.
        size: number of samples in a resample, if fewer of them are independent.

    Returns:
        The lower and the upper bound; ``[nan, nan]`` without values.

    >>> bootstrap_interval([21.0] * 100)
    [21.0, 21.0]
    """
    if not values:
        return [math.nan, math.nan]
    rng, samples = np.random.default_rng(0), np.asarray(values, np.float64)
    count, size = len(samples), size or len(samples)
    means = [samples[rng.integers(count, size=size)].mean() for _ in range(BOOTSTRAP_RESAMPLES)]
    return [float(bound) for bound in np.quantile(means, (0.025, 0.975))]


def summarize(
    results: Sequence[EpisodeResult],
    *,
    game: str,
    steps_trained: int,
    emulator: str,
    seed: int,
    epsilon: float = 0.0,
    repeat_action_probability: float = 0.0,
) -> EvaluationSummary:
    """Return the statistics of evaluation episodes; see `EvaluationSummary` for the arguments."""
    crashed = sum(result.crashed for result in results)
    results = [result for result in results if not result.crashed]
    distinct = _count_distinct(results)
    cleared = sum(result.cleared for result in results)
    clear_lengths = [result.length for result in results if result.cleared]
    distances = [result.best_x for result in results if result.best_x is not None]
    returns = [result.reward for result in results]
    deaths = [result.x_pos for result in results if result.lost]
    return EvaluationSummary(
        game=game,
        episodes=len(results),
        distinct_episodes=distinct,
        crashed_episodes=crashed,
        clear_rate=cleared / len(results) if results else 0.0,
        clear_rate_ci95=wilson_interval(cleared / max(1, len(results)) * distinct, distinct),
        mean_return=statistics.fmean(returns) if returns else 0.0,
        mean_return_ci95=bootstrap_interval(returns, distinct),
        mean_x_pos=statistics.fmean(distances) if distances else None,
        max_x_pos=max(distances, default=None),
        median_steps_to_clear=statistics.median(clear_lengths) if clear_lengths else None,
        deaths=[x_pos for x_pos in deaths if x_pos is not None],
        steps_trained=steps_trained,
        emulator=emulator,
        seed=seed,
        epsilon=epsilon,
        repeat_action_probability=repeat_action_probability,
    )


def _count_distinct(results: Sequence[EpisodeResult]) -> int:
    """Return the number of episodes that do not repeat another one."""
    return len({(result.actions, result.reward, result.best_x) for result in results})
