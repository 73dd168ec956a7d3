"""Evaluation over a cluster: the same episodes as without one, spread over the workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mario.cluster.jobs.independent import run_jobs
from mario.cluster.protocol import Fleet
from mario.evaluation.episodes import EpisodeResult, play_episodes
from mario.evaluation.summary import EvaluationSummary, summarize
from mario.runs.trained_agent import TrainedAgent
from mario.vector.backend import EpisodeOptions
from mario.vector.make import preferred_num_envs, vector_env_class
from mario.vector.seeding import stratified_seeds

JOBS_PER_WORKER = 4
"""Parts of the evaluation per worker; a lost worker costs one part."""


@dataclass(frozen=True)
class EvaluationPlan:
    """Which episodes to play, and how.

    Attributes:
        episodes: number of episodes.
        noop_max: maximum number of no-op frames at the start of an episode.
        epsilon: probability of a random action.
        seed: seed of the episodes and of the random actions.
        emulator: name of the emulator.
        noop_min: minimum number of no-op frames at the start of an episode.
        num_envs: environments of each worker; None for the number that runs fastest.
    """

    episodes: int
    noop_max: int
    epsilon: float
    seed: int
    emulator: str
    num_envs: int | None = None
    noop_min: int = 0


def evaluate_on_fleet(
    trained: TrainedAgent,
    plan: EvaluationPlan,
    fleet: Fleet,
    *,
    on_episode: Callable[[EpisodeResult], None],
    report: Callable[[str], None],
    stop: Callable[[], bool] = lambda: False,
) -> tuple[list[EpisodeResult], EvaluationSummary]:
    """Play whole episodes on the workers of a fleet and summarize them.

    The set of episodes does not depend on the number of workers.

    Args:
        trained: the agent.
        plan: the episodes.
        fleet: `mario.cluster.jobs.independent.JobWorker` objects, which are not hired yet.
        on_episode: called with each result when its part of the evaluation ends.
        report: receives one line for each worker that is lost.
        stop: polled; True ends the evaluation early.

    Returns:
        The results in the order of their parts, and their statistics.
    """
    size = -(-plan.episodes // (fleet.size * JOBS_PER_WORKER))
    firsts = range(0, plan.episodes, size)
    message = fleet.publish(replace(trained, device="cpu"))
    jobs = [(message, plan, first, min(size, plan.episodes - first)) for first in firsts]
    parts: dict[int, list[EpisodeResult]] = {}
    emulator = plan.emulator
    for index, (used, results) in run_jobs(fleet, play_part, jobs, report=report, stop=stop):
        parts[index], emulator = results, used
        for result in results:
            on_episode(result)
    results = [result for index in sorted(parts) for result in parts[index]]
    summary = summarize(
        results, game=trained.game, steps_trained=trained.steps,
        emulator=emulator, seed=plan.seed, epsilon=plan.epsilon,
        repeat_action_probability=trained.repeat_action_probability,
    )  # fmt: skip
    return results, summary


def play_part(
    trained: TrainedAgent, plan: EvaluationPlan, first: int, episodes: int
) -> tuple[str, list[EpisodeResult]]:
    """Play a part of the episodes of an evaluation.

    Args:
        trained: the agent.
        plan: the evaluation.
        first: index of the first episode.
        episodes: number of episodes.

    Returns:
        The name of the emulator, and the results.
    """
    config = trained.evaluation_config(plan.emulator, plan.noop_max)
    num_envs = min(plan.num_envs or preferred_num_envs(config), episodes)
    seeds = stratified_seeds(num_envs, (plan.noop_min, plan.noop_max), plan.episodes, first)
    envs = vector_env_class(config).create(config, num_envs, EpisodeOptions(plan.seed, seeds))
    try:
        agent = trained.make_agent(envs, seed=plan.seed + first)
        results = play_episodes(agent, envs, episodes, epsilon=plan.epsilon, seed=plan.seed)
        agent.close()
    finally:
        envs.close()
    return str(envs.metadata.get("emulator", plan.emulator)), results
