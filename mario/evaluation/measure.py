"""Measures how well a trained agent plays."""

from __future__ import annotations

from collections.abc import Callable

from mario.evaluation.episodes import EpisodeResult, Evaluation, play_episodes, summarize
from mario.runs.trained_agent import TrainedAgent
from mario.vector.base import GameVectorEnv


def measure(
    trained: TrainedAgent,
    games: GameVectorEnv,
    episodes: int,
    *,
    epsilon: float | None = None,
    seed: int = 0,
    on_episode: Callable[[EpisodeResult], None] = lambda played: None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[list[EpisodeResult], Evaluation]:
    """Play whole episodes, greedily but for a share of the decisions.

    Args:
        trained: the agent.
        games: see `mario.runs.trained_agent.TrainedAgent.make_vector_env`.
        episodes: how many, at least 1.
        epsilon: share of the decisions that are random; None for as many as in training.
        seed: of what is drawn at random, that of the games.
        on_episode: is told of each episode as it ends.
        stop: asked after each step; True ends it early.

    Returns:
        What was played, in the order in which the episodes ended, and the figures of that.
    """
    epsilon = trained.epsilon if epsilon is None else epsilon
    played = play_episodes(
        trained.make_agent(games, seed=seed), games, episodes, epsilon=epsilon, seed=seed,
        on_episode=on_episode, stop=stop,
    )  # fmt: skip
    figures = summarize(
        played, game=trained.game, steps_trained=trained.steps,
        emulator=str(games.metadata.get("emulator", "auto")), seed=seed, epsilon=epsilon,
    )  # fmt: skip
    return played, figures
