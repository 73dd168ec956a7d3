"""Tests of weight averaging and of an agent that acts with averaged weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from corridors import SHAPE, TINY, Corridors, live
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from agents.compute.averaging import AVERAGING_INTERVAL, WeightAverage, ema_weight

AVERAGING = replace(TINY, weight_average_updates=40)


def walk(network, averaged, updates, seed=0):
    """Update the weights at random and return the sampled weights."""
    random, looks = np.random.default_rng(seed), []
    for update in range(updates):
        for weight in network.parameters():
            weight.data += torch.tensor(random.normal(size=weight.shape), dtype=weight.dtype)
        if update % AVERAGING_INTERVAL == 0:
            looks.append(nn.utils.parameters_to_vector(network.parameters()).detach().clone())
        averaged.update()
    return looks


def means(averaged):
    return nn.utils.parameters_to_vector(averaged.network.parameters())


@given(values=st.lists(st.floats(-100, 100), min_size=1, max_size=30))
def test_the_first_average_is_the_mean_of_all_samples(values):
    mean = 0.0
    for looks, value in enumerate(values):
        mean += ema_weight(looks, span=30) * (value - mean)
    assert mean == pytest.approx(np.mean(values), abs=1e-9)


@pytest.mark.parametrize(
    "updates", [1, AVERAGING_INTERVAL, AVERAGING_INTERVAL + 1, 5 * AVERAGING_INTERVAL]
)
def test_weights_are_averages_of_the_sampled_weights(updates):
    network = nn.Linear(3, 2)
    averaged = WeightAverage(network, num_updates=10**6)
    looks = walk(network, averaged, updates)
    torch.testing.assert_close(means(averaged), torch.stack(looks).mean(dim=0))


def test_later_averages_equal_torchs_exponential_average():
    network = nn.Linear(3, 2)
    averaged = WeightAverage(network, num_updates=4 * AVERAGING_INTERVAL)
    walk(network, averaged, 3 * AVERAGING_INTERVAL + 1)
    theirs = AveragedModel(averaged.network, multi_avg_fn=get_ema_multi_avg_fn(1 - 1 / 4))
    theirs.n_averaged += 1
    for _ in range(6):
        walk(network, averaged, AVERAGING_INTERVAL)
        theirs.update_parameters(network)
    expected = nn.utils.parameters_to_vector(theirs.parameters())
    torch.testing.assert_close(means(averaged), expected)


def test_the_network_is_unchanged_and_frozen_weights_are_not_averaged():
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2).requires_grad_(False))
    averaged = WeightAverage(network, num_updates=AVERAGING_INTERVAL)
    network[1].weight.data += 1
    before = network.state_dict()["0.weight"].clone()
    averaged.update()
    assert torch.equal(network.state_dict()["0.weight"], before)
    assert not torch.equal(averaged.network[1].weight, network[1].weight)
    assert not any(each.requires_grad for each in averaged.network.parameters())


class TestAgent:
    def lived(self, agents, config=AVERAGING, **kwargs):
        agent = agents(config, num_envs=2, **kwargs)
        live(agent, Corridors(2), steps=60)
        return agent

    def states(self):
        return np.random.default_rng(3).integers(0, 256, (64, *SHAPE), dtype=np.uint8)

    def test_averaging_does_not_change_learning(self, agents):
        averaging, plain = self.lived(agents), self.lived(agents, TINY)
        for mine, theirs in zip(
            averaging.network.parameters(), plain.network.parameters(), strict=True
        ):
            assert torch.equal(mine, theirs)

    def test_evaluation_uses_averaged_and_training_latest_weights(self, agents):
        agent, states = self.lived(agents), self.states()
        plain = self.lived(agents, TINY)
        np.testing.assert_array_equal(agent.action_values(states), plain.action_values(states))
        for each in (agent, plain):
            each.train(False)
        steady = agent._average.network.online(torch.tensor(states)).numpy()
        np.testing.assert_array_equal(agent.action_values(states), steady)
        assert (steady != plain.action_values(states)).any()

    def test_the_policy_state_holds_the_averaged_weights(self, agents):
        agent, states = self.lived(agents), self.states()
        other = agents(AVERAGING, num_envs=2, training=False)
        other.load_policy_state_dict(agent.policy_state_dict())
        agent.train(False)
        np.testing.assert_array_equal(other.action_values(states), agent.action_values(states))

    def test_loading_weights_restarts_the_average(self, agents):
        agent, other = self.lived(agents), self.lived(agents, seed=1)
        other.load_policy_state_dict(agent.policy_state_dict())
        for each in (agent, other):
            each.train(False)
        states = self.states()
        np.testing.assert_array_equal(other.action_values(states), agent.action_values(states))
