"""Evaluates a trained agent."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from mario.config.validation import require_at_least
from mario.errors import UsageError
from mario.evaluation.episodes import EpisodeResult, play_episodes
from mario.evaluation.summary import EvaluationSummary, summarize
from mario.runs.trained_agent import TrainedAgent
from mario.vector.base import GameVectorEnv


def evaluate_agent(
    trained: TrainedAgent,
    episodes: int = 100,
    *,
    envs: GameVectorEnv | None = None,
    epsilon: float | None = None,
    seed: int = 0,
    on_episode: Callable[[EpisodeResult], None] = lambda result: None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[list[EpisodeResult], EvaluationSummary]:
    """Play whole episodes with a trained agent and summarize them.

    Args:
        trained: the agent.
        episodes: number of episodes, at least 1.
        envs: environments from `mario.runs.trained_agent.TrainedAgent.make_vector_env`, made with
            the same number of episodes; None to make them with its defaults, which start each
            episode after 0 to 30 no-op frames.
        epsilon: probability that a step takes a random action; None for the value of the
            evaluations during training.
        seed: seed of the random actions and of the agent; use the seed of ``envs``.
        on_episode: called with each result when its episode ends.
        stop: polled after each step; True ends the evaluation early.

    Returns:
        The results in the order in which the episodes ended, and their statistics.

    Raises:
        UsageError: ``trained`` is not a `TrainedAgent`, ``episodes`` is less than 1, or the game
            cannot be made.
    """
    if not isinstance(trained, TrainedAgent):
        raise UsageError(f"cannot evaluate {trained!r}; give what mario.load_agent returns")
    require_at_least("episodes", episodes, 1)
    epsilon = trained.epsilon if epsilon is None else epsilon
    with ExitStack() as stack:
        if envs is None:
            envs = trained.make_vector_env(episodes=episodes, seed=seed)
            stack.callback(envs.close)
        agent = trained.make_agent(envs, seed=seed)
        results = play_episodes(
            agent, envs, episodes, epsilon=epsilon, seed=seed, on_episode=on_episode, stop=stop
        )
        emulator = str(envs.metadata.get("emulator", "auto"))
    summary = summarize(
        results, game=trained.game, steps_trained=trained.steps,
        emulator=emulator, seed=seed, epsilon=epsilon,
        repeat_action_probability=trained.repeat_action_probability,
    )  # fmt: skip
    return results, summary
