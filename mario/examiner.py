"""Evaluates an agent while it trains, and knows its best evaluation so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents import Agent
from mario.config import EvaluationConfig
from mario.evaluation import Evaluation, play_episodes, summarize
from mario.vector_games import VectorGames

SEED_OFFSET = 1_000_000_007
"""Keeps the episodes of evaluations apart from those of training."""


class Examiner:
    """Examines an agent at intervals, on games of its own, always on the same episodes.

    Args:
        config: how often and how long.
        make_games: makes the games of one examination, given their seed.
        game: the game's id, for the figures.
        seed: the run's seed.
        emulator: which emulator plays, for the figures.
        report: is told of each evaluation in one line.
        stop: is asked after each step; True ends an evaluation, which then does not count.
    """

    def __init__(
        self,
        config: EvaluationConfig,
        make_games: Callable[[int], VectorGames],
        *,
        game: str,
        seed: int,
        emulator: str,
        report: Callable[[str], None] = print,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._config, self._make_games, self._stop = config, make_games, stop
        self._game, self._seed, self._emulator = game, seed + SEED_OFFSET, emulator
        self._report = report
        self._best: tuple[float, float, float] | None = None
        self._last_steps = 0
        self.latest: Evaluation | None = None

    def due(self, steps: int) -> bool:
        """Whether it is time, ``steps`` decisions into the run."""
        every = self._config.every
        return self._config.episodes > 0 and steps // every > self._last_steps // every

    def examine(self, agent: Agent, steps: int) -> bool:
        """Evaluate the agent.

        Returns:
            Whether this is the best evaluation so far.
        """
        if self._config.episodes == 0 or (self.latest and steps == self._last_steps):
            return False
        games = self._make_games(self._seed)
        try:
            played = play_episodes(agent, games, self._config.episodes, stop=self._stop)
        finally:
            games.close()
        if len(played) < self._config.episodes:
            return False
        self._last_steps = steps
        self.latest = summarize(
            played, game=self._game, steps_trained=steps, emulator=self._emulator, seed=self._seed
        )
        self._report(_line(self.latest))
        best = self._best is None or self.latest.rank > self._best
        if best:
            self._best = self.latest.rank
        return best

    def state_dict(self) -> dict[str, Any]:
        """The best and the latest evaluation."""
        return {
            "best": None if self._best is None else list(self._best),
            "last_steps": self._last_steps,
            "latest": self.latest.to_dict() if self.latest else None,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self._best = None if state["best"] is None else tuple(state["best"])
        self._last_steps = state["last_steps"]
        self.latest = Evaluation(**state["latest"]) if state["latest"] else None


def _line(evaluation: Evaluation) -> str:
    x = "" if evaluation.mean_x_pos is None else f" - Mean X {evaluation.mean_x_pos:.0f}"
    return (
        f"Evaluation at step {evaluation.steps_trained:,} - {evaluation.episodes} episodes - "
        f"Clear Rate {evaluation.clear_rate:.2f} - Mean Return {evaluation.mean_return:.1f}{x}"
    )
