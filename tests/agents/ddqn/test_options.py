"""Tests of the options of an update. The tests of the agent cover learning and resuming."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from corridors import SHAPE, TINY, Corridors, live

from agents.ddqn.loss import double_q_targets, td_errors
from agents.networks.q_network import QNetwork


class TestPriorities:
    CONFIG = replace(
        TINY, priority_alpha=0.6, priority_beta=0.4, priority_beta_steps=100, burnin=10**6
    )

    @pytest.mark.parametrize("threads", [1, 3])
    @pytest.mark.parametrize("double", [True, False])
    def test_an_update_sets_the_priority_of_each_transition(
        self, agents, monkeypatch, threads, double
    ):
        config = replace(self.CONFIG, double_q=double)
        agent, drawn, noted = agents(config, num_envs=2, threads=threads), [], []
        live(agent, Corridors(2), steps=30)
        agent.network.target_head[2].bias += torch.tensor([0.9, 0.0, -0.9])
        recall = agent.recall
        monkeypatch.setattr(agent, "recall", lambda: drawn.append(recall()) or drawn[-1])
        monkeypatch.setattr(agent.replay, "update_priorities", lambda *what: noted.append(what))
        values = QNetwork(SHAPE, 3, hidden_size=TINY.hidden_size)
        values.load_state_dict(agent.network.state_dict())
        agent._update()
        (batch,), ((index, errors),) = drawn, noted
        assert torch.equal(index, batch["index"])
        taken, chooses, target = values.transition_values(batch["state"], batch["next_state"])
        if not double:
            chooses = target
        targets = double_q_targets(batch["reward"], batch["discount"], chooses, target)
        expected = td_errors(taken, batch["action"], targets).detach()
        np.testing.assert_allclose(errors, expected, rtol=1e-4, atol=1e-6)

    def test_importance_weights_reach_full_compensation(self, agents):
        agent = agents(self.CONFIG, num_envs=2)
        for step_count, beta in ((20, 0.52), (50, 0.7), (100, 1.0), (160, 1.0)):
            live(agent, Corridors(2), steps=(step_count - agent.steps) // 2)
            index = agent.replay.sample(4)["index"]
            agent.replay.update_priorities(index, np.array([0.1, 0.2, 0.4, 5], np.float32))
            batch = agent.recall()
            sampler = agent.replay.sampler
            priorities = sampler.priorities()[sampler._positions(batch["index"].numpy())]
            ratios = torch.from_numpy((priorities.min() / priorities) ** beta)
            torch.testing.assert_close(batch["weight"], ratios.float())

    def test_a_skipped_update_keeps_the_priorities(self, agents, monkeypatch):
        agent = agents(self.CONFIG, num_envs=2)
        live(agent, Corridors(2), steps=30)
        monkeypatch.setattr(agent.replay, "update_priorities", None)
        agent.network.target_head[2].bias.fill_(float("nan"))
        assert agent._update() is None

    def test_uniform_batches_have_no_weights(self, agents):
        agent = agents()
        live(agent, Corridors(), steps=9)
        assert set(agent.recall().keys()) == {"state", "action", "reward", "discount", "next_state"}


class TestShift:
    def test_states_and_next_states_are_shifted_independently(self, agents, monkeypatch):
        agent, batches = agents(replace(TINY, random_shift=2, burnin=10**6)), []
        live(agent, Corridors(), steps=30)
        sample = agent.replay.sample
        monkeypatch.setattr(
            agent.replay, "sample", lambda count: batches.append(sample(count)) or batches[0].copy()
        )
        moved, (still,) = agent.recall(), batches
        for side in ("state", "next_state"):
            assert not torch.equal(moved[side], still[side])
            assert moved[side].shape == still[side].shape
        assert torch.equal(moved["reward"], still["reward"])

    def test_there_is_no_shift_by_default(self, agents):
        assert agents()._random_shift is None


def left_over(agent) -> float:
    """Return the gradient norm at the last update."""
    gradients = [each.grad for each in agent.network.parameters() if each.grad is not None]
    return float(torch.nn.utils.get_total_norm(gradients))


def test_gradients_are_clipped_to_the_maximum_norm(agents):
    free, bound = agents(), agents(replace(TINY, max_grad_norm=1e-3))
    for agent in (free, bound):
        live(agent, Corridors(), steps=9)
    assert left_over(free) > 2e-3
    assert left_over(bound) == pytest.approx(1e-3, rel=1e-3)


def test_the_learning_rate_reaches_its_final_value(agents):
    config = replace(TINY, learning_rate=0.5, learning_rate_end=0.1, learning_rate_steps=100)
    agent, games, seen = agents(config), Corridors(), []
    for _ in range(120):
        live(agent, games, steps=1)
        seen.append(agent._learner.optimizer.param_groups[0]["lr"])
    learned = seen[TINY.burnin :]
    assert learned == sorted(learned, reverse=True)
    assert learned[0] == pytest.approx(0.5, abs=0.1)
    assert learned[-1] == pytest.approx(0.1)
