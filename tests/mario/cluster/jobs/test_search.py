"""Searches as jobs of the workers of a cluster."""

from __future__ import annotations

from in_process_fleet import InProcessFleet

from mario.cluster.jobs.independent import JobWorker
from mario.cluster.jobs.search import Search, search_on_fleet
from mario.search.find import SearchOptions, find_demonstration

QUICK = {"max_steps": 4096, "shorten_steps": 0, "widen_steps": 0}


def test_a_cluster_finds_what_one_machine_finds():
    searches = [
        Search("SuperMarioBros-1-4-v0", SearchOptions(seed=seed, **QUICK), 600) for seed in (0, 1)
    ]
    fleet = InProcessFleet(JobWorker, 2)
    found = list(search_on_fleet(searches, fleet, report=print, stop=lambda: False))
    assert [search for search, _ in found] == searches
    for search, report in found:
        alone = find_demonstration(search.game, search.options)
        assert report.demonstration == alone.demonstration


def test_a_search_ends_after_its_seconds():
    search = Search("SuperMarioBros-8-4-v0", SearchOptions(), 0.0)
    fleet = InProcessFleet(JobWorker, 1)
    ((_, report),) = search_on_fleet([search], fleet, report=print, stop=lambda: False)
    assert not report.solved
