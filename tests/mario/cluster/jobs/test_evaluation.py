"""The evaluation of an agent as jobs."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

from in_process_fleet import InProcessFleet

from mario.cluster.jobs.evaluation import EvaluationPlan, evaluate_on_fleet
from mario.cluster.jobs.independent import JobWorker
from mario.evaluation.evaluate import evaluate_agent
from mario.runs.trained_agent import load_agent

CHECKPOINT = Path(__file__).resolve().parents[4] / "checkpoints" / "mario-1-1.chkpt"


def test_a_cluster_plays_the_same_episodes_as_one_machine():
    trained = load_agent(CHECKPOINT)
    envs = trained.make_vector_env(episodes=6, noop_max=30, num_envs=3, seed=5)
    alone, _ = evaluate_agent(trained, 6, envs=envs, epsilon=0.1, seed=5)
    envs.close()
    plan = EvaluationPlan(6, 30, 0.1, 5, "auto", num_envs=2)
    shown = []
    together, summary = evaluate_on_fleet(
        trained, plan, InProcessFleet(JobWorker, 2), on_episode=shown.append, report=print
    )
    assert shown == together
    assert sorted(together, key=attrgetter("seed")) == sorted(alone, key=attrgetter("seed"))
    assert summary.episodes == 6
