"""The model of throughput over many workers."""

from __future__ import annotations

import json
import math

import pytest

from scripts.experiments import cluster_model
from scripts.experiments.cluster_model import Costs, Network

COSTS = Costs(
    play_seconds=0.1, load_seconds=0.0, add_seconds=0.001, update_seconds=0.01,
    message_bytes=10**7, steps_per_update=32, cores=2,
    trained={"0": (300.0, 310.0), "2": (280.0, 290.0)},
)  # fmt: skip
FAST = Network(1e10)


def test_more_workers_take_more_steps_but_ever_less_each():
    rates = [cluster_model.steps_per_second(COSTS, count, FAST) for count in (1, 10, 100, 1000)]
    assert rates == sorted(rates)
    each = [rate / count for rate, count in zip(rates, (1, 10, 100, 1000), strict=True)]
    assert each == sorted(each, reverse=True)


def test_the_first_bottleneck_is_named():
    def largest(workers, network):
        return cluster_model.largest(cluster_model.update_parts(COSTS, workers, network))

    assert largest(1, FAST) == "workers: play and learn"
    assert largest(1000, FAST) in ("driver: adding", "network: gradients")
    assert largest(100, Network(1e8)) == "network: gradients"


def test_every_remedy_raises_the_throughput_of_many_workers():
    network = Network(1e9)
    plain = cluster_model.steps_per_second(COSTS, 512, network)
    remedies = cluster_model.with_remedies(COSTS, 512, network)
    assert len(remedies) == 3
    assert all(rate > plain for rate, _ in remedies.values())


def test_workers_on_one_machine_share_its_cores():
    machine = Network(math.inf, cores=2)
    two, four = (cluster_model.steps_per_second(COSTS, count, machine) for count in (2, 4))
    assert four == pytest.approx(two, rel=0.1)
    assert two == pytest.approx(2 * 32 / (0.1 + 0.01 + 2 * (0.001 + cluster_model.CALL_SECONDS)))


def test_predict_prints_the_predictions_beside_the_measurements(tmp_path, capsys):
    file = tmp_path / "costs.json"
    file.write_text(json.dumps(vars(COSTS)))
    cluster_model.main([str(file), "--gbit-per-second", "25"])
    output = capsys.readouterr().out
    assert "| no cluster | | 300 | | 310 |" in output
    assert "| 2 | 566 | 280 | 300 | 290 |" in output
    assert "| 1,000 |" in output
