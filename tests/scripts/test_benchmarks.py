"""Tests of what the benchmarks measure; speed itself is not tested."""

from __future__ import annotations

import itertools
import math

import child
import contender
import numpy as np
import pytest
import torch
from contender import Contender, measure, median_ratio, rates
from contenders import numpy_policy_gradient as reference
from contenders.learner import FLOP_PER_SAMPLE
from groups import Group, all_groups
from report import add_limits, make_rows, plot, table

from agents import QNetwork
from agents.networks.policy_mlp import PolicyNetwork
from agents.reinforce.loss import discounted_returns, reinforce_loss, standardized
from wrappers.pong import binarize_pong


@pytest.fixture
def clock(monkeypatch):
    """A clock that advances by a second with each reading."""
    monkeypatch.setattr(child.time, "perf_counter", itertools.count().__next__)


def test_counts_are_summed_by_name(clock):
    work = ({"steps": 2, "acting": 0.5} for _ in itertools.count())
    assert child.work_for(work, seconds=4) == {"steps": 6, "acting": 1.5, "seconds": 4}


def test_rates_are_per_second_and_ratios_within_a_round():
    assert rates([{"frames": 10.0, "seconds": 2.0}], "frames") == [5.0]
    # the machine was slower in the second round for both
    assert median_ratio([20.0, 2.0, 20.0], [10.0, 1.0, 10.0]) == 2.0


def test_contenders_run_in_processes_in_turns():
    pair = [
        Contender(f"{count} envs", "contenders.learner:acts", {"num_envs": count}, unit="states")
        for count in (1, 2)
    ]
    samples, errors = measure(pair, rounds=2, seconds=0.02)
    assert errors == {}
    for count, name in enumerate(samples, start=1):
        assert [sample["states"] % count for sample in samples[name]] == [0, 0]
        assert all(rate > 0 for rate in rates(samples[name], "states"))


def test_contenders_that_fail_are_left_out_with_the_reason():
    samples, errors = measure(
        [
            Contender("broken", "contenders.learner:updates", {"batch_size": 0}),
            Contender("gone", "no:thing"),
        ],
        rounds=1,
        seconds=0.01,
    )
    assert samples == {}
    assert "threads" in errors["broken"]
    assert errors["gone"] == "ModuleNotFoundError: No module named 'no'"


def make_group(names: list[str], **change) -> Group:
    contenders = [Contender(name, "a:b", x=2**index) for index, name in enumerate(names)]
    return Group(
        **{"title": "t", "unit": "steps", "baseline": names[0]} | change, contenders=contenders
    )


def test_rows_contain_medians_ratios_and_shares(tmp_path):
    slow = {"steps": 10.0, "seconds": 1.0}
    spent = dict.fromkeys(("emulation", "acting", "recall", "caching"), 0.25) | {"learning": 1.0}
    fast = {"steps": 60.0, "seconds": 2.0, **spent}
    group_of_three = make_group(["slow", "fast", "gone"], axis="environments")
    table_rows = make_rows(
        group_of_three, {"slow": [slow] * 3, "fast": [fast] * 3}, {"gone": "why"}
    )
    assert [row.get("median") for row in table_rows] == [10.0, 30.0, None]
    assert [row.get("ratio") for row in table_rows] == [1.0, 3.0, None]
    assert table_rows[1]["shares"]["learning"] == 0.5
    text = table(group_of_three, table_rows)
    assert "gone                                          skipped: why" in text
    assert "emulation 12%, acting 12%, recall 12%, learning 50%, caching 12%" in text
    plot(group_of_three, table_rows, tmp_path)
    assert (tmp_path / "t.png").stat().st_size > 1000


def test_updates_are_compared_with_matrix_products_of_equal_precision():
    learner = [{"name": "u", "curve": "bfloat16, 2 threads", "median": 1e9 / FLOP_PER_SAMPLE}]
    add_limits(learner, [{"name": "bfloat16, 2 threads", "median": 4.0}], FLOP_PER_SAMPLE)
    assert learner[0]["share_of_peak"] == pytest.approx(0.25)


def test_the_operation_count_of_an_update_matches_the_network():
    network, counted = QNetwork((4, 84, 84), 1), 0
    for layer, positions in {0: 20 * 20, 2: 9 * 9, 4: 7 * 7}.items():
        counted += 2 * positions * network.features[layer].weight.numel()
    forward = counted + 2 * network.online_head[0].weight.numel()
    first = 2 * 20 * 20 * network.features[0].weight.numel()
    head = 2 * network.target_head[0].weight.numel()
    assert forward * 4 + head - first == FLOP_PER_SAMPLE


@pytest.mark.parametrize("quick", [False, True])
def test_every_group_has_unique_names_and_a_baseline(quick):
    for group in all_groups(peer_python=contender.CHILD, quick=quick):
        names = [contender.name for contender in group.contenders]
        assert len(set(names)) == len(names)
        assert group.baseline in names
        assert {contender.unit for contender in group.contenders} == {group.unit}
        if group.axis:
            assert any(contender.x is not None for contender in group.contenders)


def test_matrix_products_are_counted_in_billions(monkeypatch):
    from contenders import learner

    before = torch.get_num_threads()
    monkeypatch.setitem(learner.SIDE, "cpu", 10)
    monkeypatch.setattr(learner, "resolve_device", lambda name: "cpu")
    assert math.isclose(next(learner.products("float32", threads=before))["gflop"], 2e-6)


def test_the_numpy_reference_computes_the_same_gradient():
    generator = np.random.default_rng(0)
    torch.manual_seed(0)
    network = PolicyNetwork(reference.PIXELS, num_actions=2, hidden_size=reference.HIDDEN)
    first, second = (each.detach().double().numpy() for each in network.parameters())
    model = {"first": first.T.copy(), "second": second[:, 0].copy()}
    changes = generator.integers(-1, 2, (30, reference.PIXELS))
    ups, rewards = generator.random(30) < 0.5, np.zeros(30)
    rewards[[9, 20, 29]] = 1, -1, 1
    features = np.maximum(changes @ first, 0)
    errors = ups - 1 / (1 + np.exp(-features @ model["second"]))
    expected = reference.gradient(model, [*zip(changes, features, errors, rewards, strict=True)])
    returns = standardized(discounted_returns(rewards.astype(np.float32), 0.99, restart=True))
    log_probs = network(torch.from_numpy((255 * changes).astype(np.int16)))
    actions = torch.from_numpy(1 - ups.astype(np.int64))
    loss = reinforce_loss(log_probs, actions, torch.from_numpy(returns))["loss"] * len(actions)
    to_first, to_second = torch.autograd.grad(loss, list(network.parameters()))
    np.testing.assert_allclose(-to_first.numpy().T, expected["first"], atol=1e-4)
    np.testing.assert_allclose(-to_second.numpy()[:, 0], expected["second"], atol=1e-4)


def test_the_numpy_reference_preprocesses_equally():
    screen = np.random.default_rng(0).choice([0, 109, 144, 236], (210, 160, 3)).astype(np.uint8)
    np.testing.assert_array_equal(255 * reference.preprocess(screen), binarize_pong(screen).ravel())


@pytest.mark.slow
def test_every_contender_trains_over_ray():
    pytest.importorskip("ray")
    groups = [group for group in all_groups(None, quick=True) if "Ray" in group.title]
    for group in groups:
        samples, errors = measure(group.contenders, rounds=1, seconds=0.01)
        assert errors == {}
        assert all(rates(each, "steps")[0] > 0 for each in samples.values())
    assert len(groups) == 2


@pytest.mark.slow
def test_the_reference_and_every_agent_learn_pong():
    contenders = [Contender("NumPy", "contenders.numpy_policy_gradient:steps")]
    contenders += [
        Contender(algorithm, "contenders.pong:ours", {"algorithm": algorithm})
        for algorithm in ("dqn", "ppo", "reinforce")
    ]
    samples, errors = measure(contenders, rounds=1, seconds=0.01)
    assert errors == {}
    assert all(rates(each, "steps")[0] > 0 for each in samples.values())
