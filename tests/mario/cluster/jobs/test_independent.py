"""Independent jobs, of which each is done once."""

from __future__ import annotations

import pytest
from in_process_fleet import InProcessFleet

from mario.cluster.jobs.independent import JobWorker, run_jobs
from mario.errors import RunError


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
