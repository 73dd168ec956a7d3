"""DDQN that learns from demonstrations besides its own experience."""

from __future__ import annotations

import copy
import shutil

import numpy as np
import pytest
import torch
from corridors import TINY, Corridors, live
from tensordict import TensorDict

from agents.ddqn.agent import DDQN
from agents.ddqn.config import DDQNConfig
from agents.ddqn.loss import double_q_loss, large_margin_losses
from agents.networks.q_network import QNetwork

RIGHT = 1
SHARE = DDQNConfig(**vars(TINY) | {"demonstration_share": 0.5, "demonstration_margin_steps": 100})


class Walks:
    """Three walks to the right through a corridor, of three steps each."""

    count = 9

    def __iter__(self):
        games = Corridors()
        for _ in range(self.count):
            yield games.step(np.array([RIGHT]))


def changed(**change) -> DDQNConfig:
    return DDQNConfig(**vars(SHARE) | change)


def cached(agent: DDQN, steps: int = 6) -> DDQN:
    games = Corridors()
    for _ in range(steps):
        agent.cache(games.step(np.array([0])))
    return agent


@pytest.mark.parametrize("n_step", [1, 2, 5])
def test_every_transition_of_the_demonstrations_is_sampled_and_none_else(agents, n_step):
    agent = agents(changed(n_step=n_step, batch_size=128), demonstrations=Walks())
    batch = cached(agent, 2 * n_step + 2).recall()[64:]
    assert len(agent._demonstrations) == Walks.count
    assert set(batch["action"].tolist()) == {RIGHT}
    won = batch["discount"] == 0
    assert (won == (batch["reward"] > 0)).all()
    fraction = min(n_step, 3) / 3
    assert won.float().mean() == pytest.approx(fraction, abs=0.2)


def test_a_fixed_share_of_each_batch_is_from_demonstrations(agents):
    agent = cached(agents(changed(batch_size=8, demonstration_share=0.25), demonstrations=Walks()))
    batch = agent.recall()
    assert (batch["margin_coef"] > 0).tolist() == [False] * 6 + [True] * 2
    assert batch["action"].tolist() == [0] * 6 + [RIGHT] * 2


def test_the_weight_of_the_margin_decreases_to_zero(agents):
    agent = cached(agents(changed(demonstration_margin_coef=0.5), demonstrations=Walks()))
    weights = []
    for agent.steps in (0, 50, 100, 1000):
        weights.append(agent.recall()["margin_coef"][-1].item())
    assert weights == [0.5, 0.25, 0.0, 0.0]


def test_the_margin_loss_is_the_difference_to_the_best_other_action_plus_the_margin():
    values = torch.tensor([[1.0, 3.0, 2.0], [1.0, 3.0, 2.0]])
    losses = large_margin_losses(values, torch.tensor([0, 1]), margin=0.25)
    assert losses.tolist() == [2.25, 0.0]


def test_the_margin_loss_is_added_for_demonstrated_rows_only():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = QNetwork((2, 36, 36), 3, hidden_size=8)
    states = torch.randint(0, 256, (4, 2, 36, 36), dtype=torch.uint8)
    batch = TensorDict(
        {
            "state": states, "next_state": states, "action": torch.tensor([0, 1, 2, 0]),
            "reward": torch.ones(4), "discount": torch.zeros(4),
        },
        batch_size=[4],
    )  # fmt: skip
    plain = double_q_loss(network, batch)["loss"]
    batch["margin_coef"] = torch.tensor([0.0, 0.0, 0.5, 0.5])
    losses = large_margin_losses(network.online(states), batch["action"], 0.8)
    expected = plain + losses[2:].sum() * 0.5 / 4
    assert torch.allclose(double_q_loss(network, batch, margin=0.8)["loss"], expected)


def test_the_demonstrated_action_becomes_the_best_one(agents):
    config = changed(demonstration_margin_steps=10**6, learning_rate=1e-3, exploration_start=0.5)
    agent = agents(config, demonstrations=Walks())
    live(agent, Corridors(), 200)
    agent.train(False)
    states = np.concatenate([step.states for step in Walks()])
    assert set(agent.act(states)) == {RIGHT}


@pytest.mark.parametrize("alpha", [0.0, 0.6])
def test_priorities_of_own_transitions_are_updated(agents, alpha):
    agent = agents(changed(priority_alpha=alpha), demonstrations=Walks())
    assert any(live(agent, Corridors(), 30))


def test_a_resumed_agent_continues_exactly(agents, tmp_path):
    agent = agents(SHARE, demonstrations=Walks(), folder=tmp_path / "one")
    games = Corridors()
    live(agent, games, 25)
    state, games_then = copy.deepcopy(agent.state_dict()), copy.deepcopy(games)
    agent.replay.flush()
    shutil.copytree(tmp_path / "one", tmp_path / "other")
    expected = live(agent, games, 25)
    resumed = agents(SHARE, demonstrations=Walks(), folder=tmp_path / "other")
    resumed.load_state_dict(state)
    assert live(resumed, games_then, 25) == expected


def test_other_demonstrations_are_refused_when_resuming(agents):
    class One(Walks):
        count = 3

    state = agents(SHARE, demonstrations=Walks()).state_dict()
    with pytest.raises(ValueError, match="the run has 9 transitions of demonstrations, .* have 3"):
        agents(SHARE, demonstrations=One()).load_state_dict(state)


def test_without_a_share_demonstrations_change_nothing(agents):
    plain, given = agents(TINY), agents(TINY, demonstrations=Walks())
    assert live(plain, Corridors(), 40) == live(given, Corridors(), 40)


def test_a_share_without_demonstrations_is_refused(agents):
    with pytest.raises(ValueError, match=r"demonstration_share is 0\.5, but .* --demos"):
        agents(SHARE)
    agents(SHARE, training=False)


def test_a_share_of_less_than_one_transition_is_refused(agents):
    with pytest.raises(ValueError, match=r"demonstration_share is 0\.01, which is 0 of 4"):
        agents(changed(demonstration_share=0.01), demonstrations=Walks())
