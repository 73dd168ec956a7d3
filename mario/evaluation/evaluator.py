"""Evaluates an agent periodically during training and keeps track of the best evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from agents import Agent
from mario.config.run_config import EvaluationConfig
from mario.evaluation.episodes import EpisodeResult, play_episodes
from mario.evaluation.summary import EvaluationSummary, summarize
from mario.system.announce import announced, counted
from mario.vector.base import GameVectorEnv

SEED_OFFSET = 1_000_000_007
"""Added to the seed of the run, so that evaluation episodes differ from training episodes."""
Results = dict[str, list[EpisodeResult]]
"""The results of the episodes of each game."""
ANNOUNCED_SECONDS = 10.0
"""Evaluations that take longer are announced, so that the run does not seem to hang."""


class Evaluator:
    """Evaluates an agent periodically, always with the same seeds.

    The best result of many evaluations with few episodes is often due to chance. If an agent
    clears levels and its result exceeds the best one so far, it therefore plays further episodes
    with other seeds, until it has played ``confirm_episodes`` in total. It becomes the best agent
    only if its total result is still better. An agent that clears no level needs no confirmation.

    An agent of several games plays the same number of episodes of each of them. Its result is that
    of all episodes together.

    Args:
        config: interval and number of episodes of the evaluations of each game.
        make_vector_env: makes the environments of one evaluation from the ID of a game, a seed and
            the number of episodes.
        games: IDs of the games.
        seed: the run's seed.
        emulator: name of the emulator, for the summary.
        elapsed: returns the duration of the run in seconds.
        report: called with one line for each evaluation.
        stop: polled after each step; True aborts the evaluation, which is then discarded.

    Attributes:
        latest: the latest complete evaluation.
    """

    def __init__(
        self,
        config: EvaluationConfig,
        make_vector_env: Callable[[str, int, int], GameVectorEnv],
        *,
        games: Sequence[str],
        seed: int,
        emulator: str,
        elapsed: Callable[[], float],
        report: Callable[[str], None] = print,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self._config, self._make_vector_env, self._stop = config, make_vector_env, stop
        self._games, self._seed, self._emulator = tuple(games), seed + SEED_OFFSET, emulator
        self._elapsed, self._report = elapsed, report
        self._best: tuple[float, float, float] | None = None
        self._last_steps = 0
        self._seconds = 0.0
        self.latest: EvaluationSummary | None = None

    @property
    def complete(self) -> bool:
        """Whether the best agent has reached ``target_clear_rate``, which ends the run."""
        target = self._config.target_clear_rate
        return target is not None and self._best is not None and self._best[0] >= target

    def due(self, steps: int) -> bool:
        """Return whether an evaluation is due after ``steps`` agent steps."""
        every = self._config.every
        return self._config.episodes > 0 and steps // every > self._last_steps // every

    def evaluate(self, agent: Agent, steps: int) -> bool:
        """Evaluate the agent, unless it was already evaluated at this step.

        Args:
            agent: the agent; its training mode is restored.
            steps: agent steps that the agent was trained for.

        Returns:
            Whether this is the best evaluation so far; False if it was skipped or aborted.
        """
        if self._config.episodes == 0 or (self.latest and steps == self._last_steps):
            return False
        start = self._elapsed()
        try:
            results = self._evaluate_and_confirm(agent, steps)
        except _StoppedError:
            return False
        summary = self._summarize(results, steps)
        self.latest, self._last_steps = summary, steps
        self._seconds += self._elapsed() - start
        if len(results) > 1:
            for game, episodes in results.items():
                self._report(game_line(game, self._summarize({game: episodes}, steps)))
        self._report(self._line(summary, self._elapsed() - start))
        is_best = self._looks_best(summary)
        if is_best:
            self._best = summary.sort_key
        return is_best

    def state_dict(self) -> dict[str, Any]:
        """Return the best and the latest evaluation, and the total duration of evaluations."""
        return {
            "best": None if self._best is None else list(self._best),
            "last_steps": self._last_steps,
            "latest": self.latest.to_dict() if self.latest else None,
            "seconds": self._seconds,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self._best = None if state["best"] is None else tuple(state["best"])
        self._last_steps = state["last_steps"]
        self.latest = EvaluationSummary(**state["latest"]) if state["latest"] else None
        self._seconds = state["seconds"]

    def _evaluate_and_confirm(self, agent: Agent, steps: int) -> Results:
        episodes, confirm_episodes = self._config.episodes, self._config.confirm_episodes
        results = self._play(agent, self._seed, episodes)
        summary = self._summarize(results, steps)
        if episodes < confirm_episodes and summary.clear_rate and self._looks_best(summary):
            more = self._play(agent, self._seed + 1, confirm_episodes - episodes)
            results = {game: results[game] + more[game] for game in results}
        return results

    def _looks_best(self, summary: EvaluationSummary) -> bool:
        if any(map(math.isnan, summary.sort_key)):  # nothing would exceed it later
            return False
        return self._best is None or summary.sort_key > self._best

    def _play(self, agent: Agent, seed: int, episodes: int) -> Results:
        step = f"evaluating the agent in {counted(episodes * len(self._games), 'episode')}"
        with announced(step, self._report, ANNOUNCED_SECONDS):
            return {game: self._play_game(game, agent, seed, episodes) for game in self._games}

    def _play_game(self, game: str, agent: Agent, seed: int, episodes: int) -> list[EpisodeResult]:
        envs = self._make_vector_env(game, seed, episodes)
        try:
            results = play_episodes(
                agent, envs, episodes, epsilon=self._config.epsilon, seed=seed, stop=self._stop
            )
        finally:
            envs.close()
        if len(results) < episodes:
            raise _StoppedError
        return results

    def _summarize(self, results: Results, steps: int) -> EvaluationSummary:
        game, *others = results
        return summarize(
            list(chain(*results.values())), game=f"{len(results)} games" if others else game,
            steps_trained=steps, emulator=self._emulator,
            seed=self._seed, epsilon=self._config.epsilon,
            repeat_action_probability=self._config.repeat_action_probability,
        )  # fmt: skip

    def _line(self, summary: EvaluationSummary, seconds: float) -> str:
        crashed = f" - {summary.crashed_episodes} crashed" if summary.crashed_episodes else ""
        mean_x = "" if summary.mean_x_pos is None else f" - Mean X {summary.mean_x_pos:.0f}"
        clear_rate = f" - Clear Rate {summary.clear_rate:.2f}" if summary.has_levels else ""
        fraction = self._seconds / max(self._elapsed(), self._seconds, 1e-9)
        return (
            f"Evaluation at step {summary.steps_trained:,} - {counted(summary.episodes, 'episode')}"
            f"{crashed}"
            f"{clear_rate} - Mean Return {summary.mean_return:.1f}{mean_x} - "
            f"Seconds {seconds:.1f} (evaluations: {fraction:.0%} of the run)"
        )


def game_line(game: str, summary: EvaluationSummary) -> str:
    """Return a line about the result in one of several games."""
    score = f"Mean Return {summary.mean_return:.1f}"
    if summary.has_levels:
        score = f"Clear Rate {summary.clear_rate:.2f} - Mean X {summary.mean_x_pos:.0f}"
    return f"  {game} - {score}"


class _StoppedError(Exception):
    """Raised when an evaluation was aborted."""
