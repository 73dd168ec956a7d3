"""Full-size updates of a `DDQN` compared with plain torch.

Everything that makes updates fast (channels innermost, 16 bits, shared work, an optimizer of our
own) lies between the two, and each of them could teach a weight what was meant for another.
"""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from transitions import transitions

from agents.compute.bindings import supports_float16
from agents.ddqn.config import DDQNConfig
from agents.ddqn.loss import double_q_loss

SHAPE = 4, 84, 84
CONFIG = {
    "replay_capacity": 400, "burnin": 0, "learning_rate": 1e-2, "batch_size": 16, "n_step": 2,
    "adam_epsilon": 1.0,  # so that a small gradient makes a small difference, whatever its sign
}  # fmt: skip
OPTIONS = [{}, {"dueling": True, "separate_target": True, "priority_alpha": 0.5}]
CLOSE = {"float32": 1e-4, "bfloat16": 0.2, "float16": 0.2}
"""Of the way that each parameter goes, how far off it may be."""


def fill(agent) -> None:
    """Cache random frames and rewards with occasional episode ends."""
    generator, games = np.random.default_rng(0), agent.spec.num_envs
    states = generator.integers(0, 256, (games, *SHAPE), dtype=np.uint8)
    for _ in range(40):
        following = generator.integers(0, 256, (games, *SHAPE), dtype=np.uint8)
        following[:, :-1] = states[:, 1:]
        ended = generator.random(games) < 0.1
        actions, rewards = generator.integers(0, 3, games), generator.normal(size=games)
        agent.cache(transitions(states, actions, rewards, ended, ~ended & False, following))
        states = following


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "all options"])
@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("precision", CLOSE)
def test_each_parameter_changes_as_with_plain_torch(agents, precision, threads, options):
    if precision == "float16" and not supports_float16():
        pytest.skip("this processor cannot compute in float16")
    config = DDQNConfig(**CONFIG, **options, precision=precision)
    agent = agents(config, state_shape=SHAPE, num_envs=4, threads=threads)
    fill(agent)
    batches = [agent.recall() for _ in range(4)]
    network = copy.deepcopy(agent.network).to(memory_format=torch.contiguous_format)
    learning = [each for each in network.parameters() if each.requires_grad]
    start = [each.detach().clone() for each in learning]
    adam = torch.optim.Adam(learning, config.learning_rate, eps=config.adam_epsilon)
    for batch in batches:
        adam.zero_grad()
        double_q_loss(network, batch)["loss"].backward()
        adam.step()
    agent.recall = iter(batches).__next__
    for _ in batches:
        agent._update()
    ours = [each for each in agent.network.parameters() if each.requires_grad]
    for mine, theirs, before in zip(ours, learning, start, strict=True):
        way = theirs - before
        assert way.norm() > 0
        assert (mine - theirs).norm() < CLOSE[precision] * way.norm()
