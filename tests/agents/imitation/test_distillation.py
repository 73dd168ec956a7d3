from __future__ import annotations

import copy

import numpy as np
import pytest
import torch
from imitated_states import SHAPE, built_agents, states_with_cue

from agents import DAggerConfig, Distillation, Guidance, Transitions
from agents.imitation.loss import imitation_loss
from agents.imitation.targets import TargetMemory
from agents.replay.frame_storage import FrameStorage

TINY = DAggerConfig(
    hidden_size=16, batch_size=16, samples_per_step=32, burnin=8, replay_capacity=200,
    recent_fraction=0.0, learning_rate=3e-3, learning_rate_steps=10_000,
    weight_average_updates=8, precision="float32", label_smoothing=0.0,
)  # fmt: skip


@pytest.fixture
def agents(tmp_path):
    """Return a function that builds agents."""
    with built_agents(Distillation, 3, tmp_path) as make:
        yield lambda config=TINY, **change: make(config, **change)


def step(states, targets):
    no, zeros = np.zeros(2, np.bool_), np.zeros(2, np.int64)
    guidance = None
    if targets is not None:
        guidance = Guidance(np.ones(2, np.float32), zeros, np.array(targets, np.float32))
    rewards = np.zeros(2, np.float32)
    return Transitions(states, zeros, rewards, no, no, states, ~no, guidance)


TARGETS = np.array([[0.7, 0.3, 0.0], [0.0, 0.2, 0.8]])
"""What the teacher says about each cue. The actions taken are always 0."""


def teach(agent, rng, steps):
    for _ in range(steps):
        cues = rng.integers(2, size=2)
        agent.cache(step(states_with_cue(cues), TARGETS[cues]))
        agent.learn()


def test_the_agent_learns_the_probabilities_of_the_teacher(agents):
    agent = agents()
    teach(agent, np.random.default_rng(0), 200)
    states = states_with_cue([0, 1])
    assert agent.act(states).tolist() == [0, 2]
    np.testing.assert_allclose(agent.action_values(states), TARGETS, atol=0.1)


def test_a_batch_has_the_target_of_each_state_after_the_memory_was_filled_several_times(agents):
    agent, rng = agents(), np.random.default_rng(1)
    for _ in range(333):
        cues = rng.integers(2, size=2)
        agent.cache(step(states_with_cue(cues), TARGETS[cues]))
    batch = agent.recall()
    cues = (batch["state"][:, 0, 0, 20] > 0).long()
    torch.testing.assert_close(batch["target"], torch.tensor(TARGETS, dtype=torch.float32)[cues])


def test_a_resumed_agent_learns_the_same(agents):
    agent, rng = agents(), np.random.default_rng(3)
    teach(agent, rng, 20)
    for part in agent.persistent_parts():
        part.flush()
    state, rng_state = copy.deepcopy(agent.state_dict()), rng.bit_generator.state
    folder = agent.spec.folder
    teach(agent, rng, 10)
    expected = {name: tensor.clone() for name, tensor in agent.policy_state_dict().items()}
    agent.close()
    other = agents(folder=folder)
    other.load_state_dict(state)
    rng.bit_generator.state = rng_state
    teach(other, rng, 10)
    for name, tensor in other.policy_state_dict().items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=0)


def test_transitions_without_targets_are_refused(agents):
    with pytest.raises(ValueError, match="no targets; train in environments with teachers"):
        agents().cache(step(states_with_cue([0, 1]), None))


def test_an_agent_that_only_plays_needs_no_targets(agents):
    agent = agents(training=False)
    assert agent.act(states_with_cue([0, 1])).shape == (2,)


def test_the_loss_of_probabilities_is_the_cross_entropy():
    logits = torch.tensor([[1.0, 0.0, -1.0]])
    targets = torch.tensor([[0.2, 0.5, 0.3]])
    means = imitation_loss(logits, targets)
    expected = -(targets * logits.log_softmax(dim=1)).sum()
    torch.testing.assert_close(means["loss"], expected)
    assert means["agreement"] == 0


def test_targets_are_found_by_the_index_of_their_transition():
    storage = FrameStorage(None, SHAPE, num_envs=2, capacity=20)
    memory = TargetMemory(storage, num_actions=1)
    for time in range(50):
        memory.write(np.array([time, time]), np.array([[time], [-time]], np.float32))
    index = np.array([45 * 2, 45 * 2 + 1])
    assert memory.read(index).tolist() == [[45], [-45]]
    storage.close()
