"""Learning in bfloat16 compared with learning in float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from corridors import TINY, Corridors, live

from agents.ddqn.agent import DDQN
from agents.transitions import Transitions

SEEDS = range(5)
CONFIG = replace(
    TINY, batch_size=32, replay_capacity=2_000, burnin=100, sync_every=100, learn_every=4,
    learning_rate=5e-4, exploration_decay=0.998,
)  # fmt: skip


class CountedCorridors(Corridors):
    """Corridors that sum up their rewards."""

    total_reward = 0.0

    def step(self, actions: np.ndarray) -> Transitions:
        transitions = super().step(actions)
        self.total_reward += float(transitions.rewards.sum())
        return transitions


def learning_curves(agents, precision: str) -> np.ndarray:
    """Return the rewards of each seed in each fifth of a short run, ``(seeds, 5)``."""
    curves = []
    for seed in SEEDS:
        agent = agents(replace(CONFIG, precision=precision), num_envs=4, seed=seed)
        envs, rewards = CountedCorridors(4), []
        for _ in range(5):
            before = envs.total_reward
            live(agent, envs, steps=60)
            rewards.append(envs.total_reward - before)
        curves.append(rewards)
    return np.array(curves)


@pytest.mark.slow
def test_both_precisions_learn_equally_well_within_the_noise_between_seeds(agents):
    exact, rounded = learning_curves(agents, "float32"), learning_curves(agents, "bfloat16")
    noise = np.sqrt((exact.var(axis=0, ddof=1) + rounded.var(axis=0, ddof=1)) / len(SEEDS))
    assert (exact != rounded).any(), "otherwise nothing is compared"
    assert (np.abs(exact.mean(axis=0) - rounded.mean(axis=0)) <= 3 * noise + 1).all()
    for curve in (exact.mean(axis=0), rounded.mean(axis=0)):
        assert curve[-1] > 3 * curve[0], "otherwise nothing was learned"


def next_gradient(agent: DDQN) -> torch.Tensor:
    """Return the gradient of the agent's next update, without updating its parameters."""
    agent._learner.optimizer.step = lambda: None
    agent._update()
    return torch.cat(
        [each.grad.flatten() for each in agent.network.parameters() if each.requires_grad]
    )


def test_the_gradient_is_nearly_the_same_for_any_number_of_threads(agents):
    gradients = []
    for threads in (1, 2, 3):
        agent = agents(replace(CONFIG, burnin=10**6), num_envs=4, threads=threads)
        live(agent, Corridors(4), steps=30)
        gradients.append(next_gradient(agent))
    for gradient in gradients[1:]:
        torch.testing.assert_close(gradient, gradients[0], rtol=1e-4, atol=1e-6)


def test_the_gradient_is_nearly_the_same_in_both_precisions(agents):
    gradients = []
    for precision in ("float32", "bfloat16"):
        agent = agents(replace(CONFIG, precision=precision, burnin=10**6), num_envs=4)
        live(agent, Corridors(4), steps=30)
        gradients.append(next_gradient(agent))
    exact, rounded = gradients
    assert 0 < (rounded - exact).norm() < 0.05 * exact.norm()
