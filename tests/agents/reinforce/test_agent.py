"""Tests of REINFORCE: sampling, updates and learning."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from corridors import SHAPE, Corridors, live, spec
from transitions import transitions

from agents import DDQNConfig
from agents.reinforce.agent import REINFORCE
from agents.reinforce.config import REINFORCEConfig
from agents.reinforce.loss import discounted_returns, standardized

QUICK = REINFORCEConfig(batch_episodes=3, hidden_size=16, learning_rate=1e-2, gamma=0.9)


def agent(config=QUICK, **change):
    return REINFORCE.build(spec(**change), config)


def states(seed, count=1):
    return np.random.default_rng(seed).integers(0, 2, (count, *SHAPE), np.uint8) * 255


def one_step(player, seed, *, reward=0.0, over=False, action=0):
    before = states(seed)
    player.cache(transitions(before, [action], [reward], [over], [False], states(seed + 1)))


def test_actions_are_sampled_by_their_probabilities() -> None:
    player = agent(num_envs=1000, num_actions=3)
    seen = np.repeat(states(0), 1000, axis=0)
    with torch.no_grad():
        changes = torch.from_numpy(seen[:1, 1].astype(np.int16) - seen[:1, 0]).flatten(1)
        likely = player.network(changes).exp()[0].numpy()
    shares = np.bincount(player.act(seen), minlength=3) / 1000
    np.testing.assert_allclose(shares, likely, atol=0.06)
    player.train(False)
    assert set(player.act(seen)) == {likely.argmax()}


def test_weights_are_updated_after_a_batch_of_episodes() -> None:
    player = agent()
    before = copy.deepcopy(player.policy_state_dict())
    for episode in range(3):
        assert player.learn() is None
        one_step(player, 2 * episode, reward=1)
        one_step(player, 2 * episode + 1, over=True)
        told = player.learn()
        changed = not torch.equal(player.policy_state_dict()["first"], before["first"])
        assert changed == ("grad_norm" in told) == (episode == 2)
        assert set(told) - {"grad_norm"} == {"loss", "entropy"}
    assert player.episodes == 3


def test_an_update_equals_the_reference_implementation() -> None:
    """The gradients of the batch are summed, then ``w += rate * g / (sqrt(cache) + 1e-5)``."""
    player = agent(REINFORCEConfig(batch_episodes=2, hidden_size=16), num_actions=2)
    weights = {name: each.double().numpy() for name, each in player.policy_state_dict().items()}
    cache = {name: np.zeros_like(each) for name, each in weights.items()}
    for batch in range(2):
        total = {name: np.zeros_like(each) for name, each in weights.items()}
        for episode in range(2):
            rng = np.random.default_rng(10 * batch + episode)
            seen = rng.integers(0, 2, (12, *SHAPE), np.uint8) * 255
            actions, rewards = rng.integers(2, size=12), rng.choice([-1.0, 0, 0, 1], size=12)
            x = (seen[:, 1].astype(float) - seen[:, 0]).reshape(12, -1) / 255
            hidden = np.maximum(x @ weights["first"], 0)
            p = 1 / (1 + np.exp(-hidden @ weights["second"][:, 0]))
            advantages = standardized(discounted_returns(rewards, 0.99, restart=True))
            dlogp = ((actions == 0) - p) * advantages
            total["second"] += (hidden.T @ dlogp)[:, None]
            total["first"] += x.T @ (np.outer(dlogp, weights["second"]) * (hidden > 0))
            for step in range(12):
                one = slice(step, step + 1)
                player.cache(
                    transitions(
                        seen[one], actions[one], rewards[one], [step == 11], [False], seen[:1]
                    )
                )
        player.learn()
        for name, gradient in total.items():
            cache[name] = 0.99 * cache[name] + 0.01 * gradient**2
            weights[name] = weights[name] + 1e-4 * gradient / (np.sqrt(cache[name]) + 1e-5)
            ours = player.policy_state_dict()[name].numpy()
            np.testing.assert_allclose(ours, weights[name], rtol=1e-4, atol=2e-6)


class Sides:
    """A light is on the left (0) or right (1); moving there gives 1, otherwise -1."""

    def __init__(self, count):
        self.rng, self.count = np.random.default_rng(0), count
        self.show()

    def show(self):
        self.sides = self.rng.integers(2, size=self.count)
        self.states = np.zeros((self.count, 1, 6, 6), np.uint8)
        self.states[self.sides == 0, 0, :, :3] = 255
        self.states[self.sides == 1, 0, :, 3:] = 255

    def play(self, player, points):
        """Play some points of every game, each game an episode; gives the share that was won."""
        no, won = np.zeros(self.count, np.bool_), 0
        for point in range(points):
            before, actions = self.states, player.act(self.states)
            good = actions == self.sides
            won += good.mean() / points
            self.show()
            rewards = np.where(good, 1, -1)
            player.cache(
                transitions(before, actions, rewards, no | (point == points - 1), no, self.states)
            )
        return won


def test_it_learns_to_move_to_the_light() -> None:
    player = agent(state_shape=(1, 6, 6), num_actions=2, num_envs=4)
    games = Sides(4)
    for _ in range(12):
        games.play(player, points=20)
        player.learn()
    player.train(False)
    assert games.play(player, points=10) == pytest.approx(1)
    player.close()


def test_resuming_changes_nothing() -> None:
    whole, games = agent(num_envs=2), Corridors(2)
    live(whole, games, 30)
    while whole.episodes % QUICK.batch_episodes == 0:  # until a batch is partly filled
        live(whole, games, 1)
    state, place = copy.deepcopy(whole.state_dict()), copy.deepcopy(games)
    assert any(len(each["actions"]) for each in state["memory"]["current"])
    part = agent(num_envs=2)
    part.load_state_dict(state)
    assert live(whole, games, 60) == live(part, place, 60)
    for mine, theirs in zip(whole.network.parameters(), part.network.parameters(), strict=True):
        assert torch.equal(mine, theirs)


def test_non_finite_gradients_are_not_applied() -> None:
    player = agent()
    with torch.no_grad():
        player.network.second[0] = torch.nan
    before = player.policy_state_dict()["first"].clone()
    for episode in range(3):
        one_step(player, episode, reward=1)
        one_step(player, episode + 9, over=True)
    with pytest.raises(FloatingPointError, match="gradient of 3 episodes has the norm nan; lower"):
        player.learn()
    assert torch.equal(player.policy_state_dict()["first"], before)


def test_invalid_arguments_are_rejected() -> None:
    with pytest.raises(TypeError, match="give a REINFORCEConfig"):
        agent(DDQNConfig())
    with pytest.raises(ValueError, match="the network has it"):
        agent().load_policy_state_dict(agent(num_actions=2).policy_state_dict())


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("batch_episodes", 0, "1 or more"),
        ("hidden_size", 0, "1 or more"),
        ("gamma", 1.1, "a number from 0 to 1"),
        ("rmsprop_decay", -0.1, "a number from 0 to 1"),
        ("learning_rate", 0.0, "a number above 0"),
        ("rmsprop_epsilon", float("inf"), "a number above 0"),
    ],
)
def test_values_out_of_range_are_rejected(name, value, remedy) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value}; give {remedy}"):
        REINFORCEConfig(**{name: value})
