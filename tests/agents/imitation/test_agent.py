from __future__ import annotations

import copy
import dataclasses

import numpy as np
import pytest
import torch
from imitated_states import SHAPE, built_agents, states_with_cue

from agents import AgentSpec, DAgger, DAggerConfig, Guidance, Transitions
from agents.imitation.loss import imitation_loss
from agents.ppo.agent import PPO
from agents.ppo.config import PPOConfig

TINY = DAggerConfig(
    hidden_size=16, batch_size=16, samples_per_step=32, burnin=8, replay_capacity=400,
    recent_transitions=100, learning_rate=3e-3, learning_rate_steps=10_000,
    weight_average_updates=8, precision="float32",
)  # fmt: skip


@pytest.fixture
def agents(tmp_path):
    """Return a function that builds agents."""
    with built_agents(DAgger, 2, tmp_path) as make:
        yield lambda config=TINY, **change: make(config, **change)


def step(states, actions, weights=(1.0, 1.0), discarded=(0, 0), ended=(False, False)):
    no = np.zeros(2, np.bool_)
    return Transitions(
        states, np.array(actions), np.zeros(2, np.float32), np.array(ended), no, states, ~no,
        Guidance(np.array(weights, np.float32), np.array(discarded)),
    )  # fmt: skip


def teach(agent, rng, steps, label, **change):
    """Cache and learn steps in which ``label(cue)`` was done."""
    for _ in range(steps):
        cues = rng.integers(2, size=2)
        agent.cache(step(states_with_cue(cues), [label(cue) for cue in cues], **change))
        agent.learn()


def test_the_agent_learns_the_actions_it_is_shown(agents):
    agent = agents()
    teach(agent, np.random.default_rng(0), 150, lambda cue: 1 - cue)
    assert agent.act(states_with_cue([0, 1])).tolist() == [1, 0]
    probabilities = agent.action_values(states_with_cue([0, 1]))
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_actions_without_a_weight_are_not_imitated(agents):
    agent = agents()
    rng = np.random.default_rng(1)
    for _ in range(60):
        teach(agent, rng, 2, lambda cue: cue)
        teach(agent, rng, 2, lambda cue: 1 - cue, weights=(0.0, 0.0))
    assert agent.act(states_with_cue([0, 1])).tolist() == [0, 1]


def test_discarded_actions_are_not_imitated(agents):
    agent, rng = agents(), np.random.default_rng(2)
    states = states_with_cue([0, 1])
    for _ in range(5):
        agent.cache(step(states, [1, 1]))
    agent.cache(step(states, [0, 0], discarded=(3, 0), ended=(True, False)))
    teach(agent, rng, 1, lambda cue: cue)
    storage, sampler = agent.replay.storage, agent.replay.sampler
    weights = sampler.weights(storage.indices())
    times, envs = np.divmod(storage.indices(), 2)
    np.testing.assert_array_equal(weights, np.where((envs == 0) & (times > 2), 0, 1))


def test_a_resumed_agent_learns_the_same(agents, tmp_path):
    agent, rng = agents(), np.random.default_rng(3)
    teach(agent, rng, 20, lambda cue: cue)
    for part in agent.persistent_parts():
        part.flush()
    state = copy.deepcopy(agent.state_dict())
    folder = agent.spec.folder
    rng_state = rng.bit_generator.state
    teach(agent, rng, 10, lambda cue: cue)
    expected = {name: tensor.clone() for name, tensor in agent.policy_state_dict().items()}
    agent.close()
    other = agents(folder=folder)
    other.load_state_dict(state)
    rng.bit_generator.state = rng_state
    teach(other, rng, 10, lambda cue: cue)
    for name, tensor in other.policy_state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=0)


def test_ppo_continues_from_the_imitated_policy(agents):
    agent = agents()
    teach(agent, np.random.default_rng(4), 60, lambda cue: cue)
    spec = AgentSpec(state_shape=SHAPE, num_actions=2, num_envs=2, training=False)
    ppo = PPO.build(spec, PPOConfig(hidden_size=16))
    ppo.load_policy_state_dict(agent.policy_state_dict())
    states = states_with_cue([0, 1])
    np.testing.assert_allclose(ppo.action_values(states), agent.action_values(states), atol=1e-5)
    ppo.close()


def test_nothing_is_learned_before_the_burn_in(agents):
    agent = agents()
    assert agent.learn() is None
    teach(agent, np.random.default_rng(5), 3, lambda cue: cue)
    assert agent.learn() is None


def test_the_loss_refuses_shapes_that_do_not_fit():
    with pytest.raises(ValueError, match="do not fit"):
        imitation_loss(torch.zeros(3, 2), torch.zeros(2, dtype=torch.int64))


@pytest.mark.parametrize(
    "change", [{"batch_size": 0}, {"label_smoothing": 1.0}, {"learning_rate": 0.0}]
)
def test_values_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match=f"{next(iter(change))} is"):
        DAggerConfig(**change)


def test_nothing_is_learned_before_a_transition_is_complete(agents):
    agent = agents(dataclasses.replace(TINY, burnin=0))
    agent.cache(step(states_with_cue([0, 1]), [0, 1]))
    assert agent.learn() is None
