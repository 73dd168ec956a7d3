"""Evaluates an agent while it trains, and knows its best evaluation so far."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agents import Agent
from mario.config.run_config import EvaluationConfig
from mario.evaluation.episodes import EpisodeResult, Evaluation, play_episodes, summarize
from mario.vector.base import GameVectorEnv

SEED_OFFSET = 1_000_000_007
"""Keeps the episodes of evaluations apart from those of training."""


class Evaluator:
    """Examines an agent at intervals, on games of its own, always on the same episodes.

    Of many agents that played few episodes each, the one that looks best was mostly the luckiest.
    So one that looks better than the best, and clears levels at all, plays on, from other starts,
    to as many episodes as the best has played; only if it is still better does it take its place.
    One that clears nothing is worth no more than a look: the farther one is the better then.

    Args:
        config: how often and how long.
        make_vector_env: makes the games of one examination, given their seed.
        game: the game's id, for the figures.
        seed: the run's seed.
        emulator: which emulator plays, for the figures.
        elapsed: seconds that the run has been going on.
        report: is told of each evaluation in one line.
        stop: is asked after each step; True ends an evaluation, which then does not count.
    """

    def __init__(
        self,
        config: EvaluationConfig,
        make_vector_env: Callable[[int], GameVectorEnv],
        *,
        game: str,
        seed: int,
        emulator: str,
        elapsed: Callable[[], float],
        report: Callable[[str], None] = print,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._config, self._make_games, self._stop = config, make_vector_env, stop
        self._game, self._seed, self._emulator = game, seed + SEED_OFFSET, emulator
        self._elapsed, self._report = elapsed, report
        self._best: tuple[float, float, float] | None = None
        self._last_steps = 0
        self._seconds = 0.0
        self.latest: Evaluation | None = None

    def due(self, steps: int) -> bool:
        """Whether it is time, ``steps`` decisions into the run."""
        every = self._config.every
        return self._config.episodes > 0 and steps // every > self._last_steps // every

    @property
    def satisfied(self) -> bool:
        """Whether the best agent clears as often as the run is to go on for."""
        until = self._config.target_clear_rate
        return until is not None and self._best is not None and self._best[0] >= until

    def examine(self, agent: Agent, steps: int) -> bool:
        """Evaluate the agent.

        Returns:
            Whether this is the best evaluation so far.
        """
        if self._config.episodes == 0 or (self.latest and steps == self._last_steps):
            return False
        began = self._elapsed()
        try:
            self.latest = self._figures(agent, steps)
        except _Stopped:
            return False
        self._last_steps = steps
        self._seconds += self._elapsed() - began
        self._report(self._line(self.latest, self._elapsed() - began))
        best = self._looks_best(self.latest)
        if best:
            self._best = self.latest.rank
        return best

    def state_dict(self) -> dict[str, Any]:
        """The best and the latest evaluation, and how long all of them took."""
        return {
            "best": None if self._best is None else list(self._best),
            "last_steps": self._last_steps,
            "latest": self.latest.to_dict() if self.latest else None,
            "seconds": self._seconds,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken."""
        self._best = None if state["best"] is None else tuple(state["best"])
        self._last_steps = state["last_steps"]
        self.latest = Evaluation(**state["latest"]) if state["latest"] else None
        self._seconds = state["seconds"]

    def _figures(self, agent: Agent, steps: int) -> Evaluation:
        few, many = self._config.episodes, self._config.confirm_episodes
        played = self._play(agent, self._seed, few)
        figures = self._summarize(played, steps)
        if few < many and figures.clear_rate and self._looks_best(figures):
            played += self._play(agent, self._seed + 1, many - few)
            figures = self._summarize(played, steps)
        return figures

    def _looks_best(self, figures: Evaluation) -> bool:
        return self._best is None or figures.rank > self._best

    def _play(self, agent: Agent, seed: int, episodes: int) -> list[EpisodeResult]:
        games = self._make_games(seed)
        try:
            played = play_episodes(
                agent, games, episodes, epsilon=self._config.epsilon, seed=seed, stop=self._stop
            )
        finally:
            games.close()
        if len(played) < episodes:
            raise _Stopped
        return played

    def _summarize(self, played: list[EpisodeResult], steps: int) -> Evaluation:
        return summarize(
            played, game=self._game, steps_trained=steps, emulator=self._emulator,
            seed=self._seed, epsilon=self._config.epsilon,
        )  # fmt: skip

    def _line(self, figures: Evaluation, seconds: float) -> str:
        x = "" if figures.mean_x_pos is None else f" - Mean X {figures.mean_x_pos:.0f}"
        cleared = f" - Clear Rate {figures.clear_rate:.2f}" if figures.has_levels else ""
        share = self._seconds / max(self._elapsed(), self._seconds, 1e-9)
        return (
            f"Evaluation at step {figures.steps_trained:,} - {figures.episodes} episodes"
            f"{cleared} - Mean Return {figures.mean_return:.1f}{x} - "
            f"Seconds {seconds:.1f} (evaluations: {share:.0%} of the run)"
        )


class _Stopped(Exception):
    """Raised out of an evaluation that was cut short."""
