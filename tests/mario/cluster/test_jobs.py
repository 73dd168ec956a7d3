"""Independent jobs, and the evaluation of an agent as jobs."""

from __future__ import annotations

from operator import attrgetter
from pathlib import Path

import pytest
from in_process_fleet import InProcessFleet

from mario.cluster.evaluation import EvaluationPlan, evaluate_on_fleet
from mario.cluster.jobs import JobWorker, run_jobs
from mario.errors import RunError
from mario.evaluation.evaluate import evaluate_agent
from mario.runs.trained_agent import load_agent

CHECKPOINT = Path(__file__).resolve().parents[3] / "checkpoints" / "mario-1-1.chkpt"


def square(number):
    return number**2


class FragileWorker(JobWorker):
    """Fails in its second job, once."""

    jobs = 0

    def run(self, *arguments):
        type(self).jobs += 1
        if type(self).jobs == 2:
            raise RuntimeError("the machine died")
        return super().run(*arguments)


@pytest.mark.parametrize("worker", [JobWorker, FragileWorker])
def test_every_job_is_done_once_also_if_a_worker_is_lost(worker, monkeypatch):
    monkeypatch.setattr(FragileWorker, "jobs", 0)
    lines = []
    fleet = InProcessFleet(worker, 2)
    jobs = [(number,) for number in range(5)]
    results = list(run_jobs(fleet, square, jobs, report=lines.append))
    assert sorted(results) == [(number, number**2) for number in range(5)]
    assert len(lines) == (worker is FragileWorker)


def test_jobs_end_when_the_cluster_is_in_trouble():
    fleet = InProcessFleet(JobWorker, 1)
    fleet.trouble = RunError("the head is gone")
    with pytest.raises(RunError, match="the head is gone"):
        list(run_jobs(fleet, square, [(1,)], report=print))


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
