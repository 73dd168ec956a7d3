"""REINFORCE: how it acts, when it updates, and that it learns."""

from __future__ import annotations

import copy
import io

import numpy as np
import pytest
import torch
from corridors import SHAPE, Corridors, live, spec
from transitions import transitions

from agents import DDQNConfig
from agents.compute.learner import MAX_SKIPPED_UPDATES
from agents.reinforce.agent import REINFORCE
from agents.reinforce.config import REINFORCEConfig
from agents.reinforce.loss import discounted_returns, standardized

QUICK = REINFORCEConfig(batch_episodes=3, hidden_size=16, learning_rate=1e-2, gamma=0.9)


@pytest.fixture
def agents():
    """Build agents and close them after the test."""
    made = []

    def make(config=QUICK, **change):
        made.append(REINFORCE.build(spec(**change), config))
        return made[-1]

    yield make
    for agent in made:
        agent.close()


def states(seed, count=1):
    return np.random.default_rng(seed).integers(0, 2, (count, *SHAPE), np.uint8) * 255


def cache_step(agent, seed, *, reward=0.0, terminated=False):
    agent.cache(transitions(states(seed), [0], [reward], [terminated], [False], states(seed + 1)))


def cache_episode(agent, seed):
    cache_step(agent, 2 * seed, reward=1)
    cache_step(agent, 2 * seed + 1, terminated=True)


def test_nothing_is_learned_from_unknown_returns_of_truncated_episodes(agents) -> None:
    agent = agents()
    rewards = [0.0, 1.0, -1.0, 0.0, 0.0]
    for step, reward in enumerate(rewards):
        truncated = step == len(rewards) - 1
        agent.cache(transitions(states(step), [0], [reward], [False], [truncated], states(step)))
    advantages = agent.recall()["advantage"]
    returns = discounted_returns(np.array(rewards[:3], np.float32), QUICK.gamma, restart=True)
    np.testing.assert_allclose(advantages[:3], standardized(returns))
    assert not advantages[3:].any()


def test_actions_are_sampled_with_the_probabilities_of_the_policy(agents) -> None:
    agent = agents(num_envs=1000, num_actions=3)
    same_states = np.repeat(states(0), 1000, axis=0)
    with torch.no_grad():
        difference = same_states[:1, 1].astype(np.int16) - same_states[:1, 0]
        probabilities = agent.network(torch.from_numpy(difference).flatten(1)).exp()[0].numpy()
    frequencies = np.bincount(agent.act(same_states), minlength=3) / 1000
    np.testing.assert_allclose(frequencies, probabilities, atol=0.06)
    agent.train(False)
    assert set(agent.act(same_states)) == {probabilities.argmax()}


def test_the_weights_are_updated_once_the_batch_is_full(agents) -> None:
    agent = agents()
    before = copy.deepcopy(agent.policy_state_dict())
    for episode in range(3):
        assert agent.learn() is None
        cache_episode(agent, episode)
        scalars = agent.learn()
        changed = not torch.equal(agent.policy_state_dict()["first"], before["first"])
        assert changed == (episode == 2)
        of_updates = {"grad_norm", "skipped"} if episode == 2 else set()
        assert set(scalars) == {"loss", "entropy"} | of_updates
    assert agent.episodes == 3
    assert scalars["skipped"] == 0


def test_an_update_equals_the_reference_implementation(agents) -> None:
    """The gradients of the batch are summed, then ``w += rate * g / (sqrt(cache) + 1e-5)``."""
    agent = agents(REINFORCEConfig(batch_episodes=2, hidden_size=16), num_actions=2)
    weights = {name: each.double().numpy() for name, each in agent.policy_state_dict().items()}
    cache = {name: np.zeros_like(each) for name, each in weights.items()}
    for batch in range(2):
        total = {name: np.zeros_like(each) for name, each in weights.items()}
        for episode in range(2):
            rng = np.random.default_rng(10 * batch + episode)
            observed = rng.integers(0, 2, (12, *SHAPE), np.uint8) * 255
            actions, rewards = rng.integers(2, size=12), rng.choice([-1.0, 0, 0, 1], size=12)
            x = (observed[:, 1].astype(float) - observed[:, 0]).reshape(12, -1) / 255
            hidden = np.maximum(x @ weights["first"], 0)
            p = 1 / (1 + np.exp(-hidden @ weights["second"][:, 0]))
            advantages = standardized(discounted_returns(rewards, 0.99, restart=True))
            dlogp = ((actions == 0) - p) * advantages
            total["second"] += (hidden.T @ dlogp)[:, None]
            total["first"] += x.T @ (np.outer(dlogp, weights["second"]) * (hidden > 0))
            for step in range(12):
                row = slice(step, step + 1)
                agent.cache(
                    transitions(
                        observed[row], actions[row], rewards[row], [step == 11], [False],
                        observed[:1],
                    )
                )  # fmt: skip
        agent.learn()
        for name, gradient in total.items():
            cache[name] = 0.99 * cache[name] + 0.01 * gradient**2
            weights[name] = weights[name] + 1e-4 * gradient / (np.sqrt(cache[name]) + 1e-5)
            actual = agent.policy_state_dict()[name].numpy()
            np.testing.assert_allclose(actual, weights[name], rtol=1e-4, atol=2e-6)


def test_threads_change_the_update_only_by_rounding(agents) -> None:
    updated = []
    for threads in (1, 3):
        agent = agents(num_envs=4, threads=threads)
        before = agent.network.first.detach().clone()
        live(agent, Corridors(4), 30)
        updated.append(agent.network.first.detach())
        assert not torch.equal(updated[-1], before)
    torch.testing.assert_close(*updated, rtol=1e-3, atol=1e-5)


class Sides:
    """A light is on the left (0) or right (1); moving there gives 1, otherwise -1."""

    def __init__(self, num_envs):
        self.rng, self.num_envs = np.random.default_rng(0), num_envs
        self.show()

    def show(self):
        self.sides = self.rng.integers(2, size=self.num_envs)
        self.states = np.zeros((self.num_envs, 1, 6, 6), np.uint8)
        self.states[self.sides == 0, 0, :, :3] = 255
        self.states[self.sides == 1, 0, :, 3:] = 255

    def play_episode(self, agent, points):
        """Play an episode of some points in each environment; return the fraction won."""
        no, won = np.zeros(self.num_envs, np.bool_), 0
        for point in range(points):
            before, actions = self.states, agent.act(self.states)
            correct = actions == self.sides
            won += correct.mean() / points
            self.show()
            rewards = np.where(correct, 1, -1)
            ended = no | (point == points - 1)
            agent.cache(transitions(before, actions, rewards, ended, no, self.states))
        return won


def test_it_learns_to_move_to_the_light(agents) -> None:
    agent = agents(state_shape=(1, 6, 6), num_actions=2, num_envs=4)
    envs = Sides(4)
    for _ in range(12):
        envs.play_episode(agent, points=20)
        agent.learn()
    agent.train(False)
    assert envs.play_episode(agent, points=10) == pytest.approx(1)


def test_resuming_in_the_middle_of_a_batch_is_exact(agents) -> None:
    agent, envs = agents(num_envs=2), Corridors(2)
    live(agent, envs, 30)
    while agent.episodes % QUICK.batch_episodes == 0:  # until a batch is partly filled
        live(agent, envs, 1)
    file = io.BytesIO()
    torch.save(agent.state_dict(), file)
    file.seek(0)
    state, resumed_envs = torch.load(file, weights_only=True), copy.deepcopy(envs)
    assert any(len(episode["actions"]) for episode in state["buffer"]["current"])
    assert len(state["learner"]["gradients"]) == 2
    resumed = agents(num_envs=2)
    resumed.load_state_dict(state)
    assert live(agent, envs, 60) == live(resumed, resumed_envs, 60)
    pairs = zip(agent.network.parameters(), resumed.network.parameters(), strict=True)
    assert all(torch.equal(own, other) for own, other in pairs)


def test_updates_that_are_not_finite_are_skipped_until_there_are_too_many(agents) -> None:
    agent = agents()
    with torch.no_grad():
        agent.network.second[0] = torch.nan
    before = agent.policy_state_dict()["first"].clone()

    def fill_batch():
        for episode in range(QUICK.batch_episodes):
            cache_episode(agent, episode)

    for _ in range(MAX_SKIPPED_UPDATES - 1):
        fill_batch()
        assert agent.learn()["skipped"] == 1
    fill_batch()
    with pytest.raises(FloatingPointError, match="10 updates in a row were not finite .* lower"):
        agent.learn()
    assert torch.equal(agent.policy_state_dict()["first"], before)


def test_a_config_or_weights_of_another_agent_are_refused(agents) -> None:
    with pytest.raises(TypeError, match="give a REINFORCEConfig"):
        agents(DDQNConfig())
    with pytest.raises(ValueError, match="the network has it"):
        agents().load_policy_state_dict(agents(num_actions=2).policy_state_dict())


@pytest.mark.parametrize(
    ("name", "value", "remedy"),
    [
        ("batch_episodes", 0, "1 or more"),
        ("hidden_size", 0, "1 or more"),
        ("gamma", 1.1, "a number from 0 to 1"),
        ("rmsprop_decay", -0.1, "a number from 0 to 1"),
        ("learning_rate", 0.0, "a number above 0"),
        ("rmsprop_epsilon", float("inf"), "at most 1.0"),
    ],
)
def test_hyperparameters_out_of_range_are_named(name, value, remedy) -> None:
    with pytest.raises(ValueError, match=f"{name} is {value}; give {remedy}"):
        REINFORCEConfig(**{name: value})
