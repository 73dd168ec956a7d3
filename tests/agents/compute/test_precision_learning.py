"""Learning in bfloat16 is as good as learning in float32."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from corridors import TINY, Corridors, live

from agents.agent import Transitions
from agents.ddqn.agent import DDQN

SEEDS = range(5)
CONFIG = replace(
    TINY, batch_size=32, replay_capacity=2_000, burnin=100, sync_every=100, learn_every=4,
    learning_rate=5e-4, exploration_decay=0.998,
)  # fmt: skip


class Counted(Corridors):
    """Corridors that sum their rewards."""

    total = 0.0

    def step(self, actions: np.ndarray) -> Transitions:
        outcome = super().step(actions)
        self.total += float(outcome.rewards.sum())
        return outcome


def returns(agents, precision: str) -> np.ndarray:
    """Return the reward of each seed in each fifth of a short run, ``(seeds, 5)``."""
    curves = []
    for seed in SEEDS:
        agent = agents(replace(CONFIG, precision=precision), num_envs=4, seed=seed)
        games, totals = Counted(4), []
        for _ in range(5):
            before = games.total
            live(agent, games, steps=60)
            totals.append(games.total - before)
        curves.append(totals)
    return np.array(curves)


@pytest.mark.slow
def test_both_precisions_earn_equal_rewards_within_seed_noise(agents):
    exact, fast = returns(agents, "float32"), returns(agents, "bfloat16")
    noise = np.sqrt((exact.var(axis=0, ddof=1) + fast.var(axis=0, ddof=1)) / len(SEEDS))
    assert (exact != fast).any(), "or the test compares nothing"
    assert (np.abs(exact.mean(axis=0) - fast.mean(axis=0)) <= 3 * noise + 1).all()
    for curve in (exact.mean(axis=0), fast.mean(axis=0)):
        assert curve[-1] > 3 * curve[0], "or nothing was learned"


def gradient(agent: DDQN) -> torch.Tensor:
    """Return the gradient of the agent's next update without applying it."""
    agent._optimizer.step = lambda: None
    agent._update()
    return torch.cat(
        [each.grad.flatten() for each in agent.network.parameters() if each.requires_grad]
    )


def test_gradients_barely_depend_on_the_number_of_threads(agents):
    found = []
    for threads in (1, 2, 3):
        agent = agents(replace(CONFIG, burnin=10**6), num_envs=4, threads=threads)
        live(agent, Corridors(4), steps=30)
        found.append(gradient(agent))
    for other in found[1:]:
        torch.testing.assert_close(other, found[0], rtol=1e-4, atol=1e-6)


def test_gradients_are_close_in_both_precisions(agents):
    exact, rough = (
        agents(replace(CONFIG, precision=precision, burnin=10**6), num_envs=4)
        for precision in ("float32", "bfloat16")
    )
    games = Corridors(4), Corridors(4)
    for agent, own in zip((exact, rough), games, strict=True):
        live(agent, own, steps=30)
    expected, given = gradient(exact), gradient(rough)
    assert 0 < (given - expected).norm() < 0.05 * expected.norm()
