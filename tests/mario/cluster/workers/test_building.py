"""A worker has its part of what a run without a cluster has."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from cluster_runs import HYPER, config

from mario.cluster.workers.building import make_noise
from mario.cluster.workers.messages import WorkerSetup
from mario.training.noise import ActionNoise

AGENT = SimpleNamespace(spec=SimpleNamespace(num_actions=3))
ACTIONS = np.full(3, 9)


def noise(tmp_path, worker, rates, life=0):
    setup = WorkerSetup(
        config(tmp_path).env_config, "ppo", HYPER["ppo"], 3, 7,
        worker=worker, num_workers=2, threads=1, folder=tmp_path, life=life, noise=rates,
    )  # fmt: skip
    return make_noise(setup, AGENT)


def test_the_shares_of_random_actions_are_those_of_the_environments_of_the_run(tmp_path):
    first, second = (noise(tmp_path, worker, (0.0, 1.0)).apply(ACTIONS) for worker in (0, 1))
    assert (first == 9).tolist() == [True, False, True]
    assert (second == 9).tolist() == [False, True, False], "environments 3 to 5 of the run"


def test_worker_0_has_the_random_actions_of_a_run_without_a_cluster_and_others_have_their_own(
    tmp_path,
):
    def actions(noise):
        return [noise.apply(ACTIONS).tolist() for _ in range(20)]

    alone = actions(ActionNoise([0.5], 3, num_actions=3, seed=7))
    assert actions(noise(tmp_path, 0, (0.5,))) == alone
    assert actions(noise(tmp_path, 1, (0.5,))) != alone
    assert actions(noise(tmp_path, 0, (0.5,), life=1)) != alone


def test_without_noise_there_is_none(tmp_path):
    assert noise(tmp_path, 0, ()) is None
