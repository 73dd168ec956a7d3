"""Agents that define only the four verbs are saved and restored by their attributes."""

from __future__ import annotations

import io
import random
from collections import deque
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from tensordict import TensorDict

from agents import Agent, AgentSpec
from agents.networks.q_network import QNetwork
from agents.stateful import check_saveable, load_parameters

SPEC = AgentSpec(state_shape=(3,), num_actions=2)


@dataclass(frozen=True)
class Constant:
    value: float = 0.5


class FourVerbs(Agent):
    """An agent with every kind of attribute that is saved, and with constants."""

    transient = ("log",)

    def __init__(self, spec: AgentSpec = SPEC, seed: int = 0) -> None:
        super().__init__(spec)
        torch.manual_seed(seed)
        self.network = torch.nn.Linear(3, 2)
        self.alias = self.network
        self._optimizer = torch.optim.Adam(self.network.parameters(), lr=0.1)
        self._rng, self._python_rng = np.random.default_rng(seed), random.Random(seed)
        self._torch_rng = torch.Generator().manual_seed(seed)
        self.steps, self.average, self.best = 0, np.float32(seed), None
        self._bias, self._counts = torch.zeros(2), np.full(2, seed, np.int64)
        self.schedule, self.folder = Constant(), Path("somewhere")
        self.loss, self.shape = partial(torch.sum, dim=0), (1, "two", None)
        self.phase, self.log = "start", ["not saved"]

    def act(self, states):
        with torch.no_grad():
            values = self.network(torch.tensor(states, dtype=torch.float32)) + self._bias
        noise = torch.rand(values.shape, generator=self._torch_rng) + self._python_rng.random()
        return (values.numpy() + noise.numpy() + self._rng.random(values.shape)).argmax(axis=1)

    def cache(self, transitions):
        raise NotImplementedError

    def recall(self):
        return TensorDict({}, batch_size=[])

    def learn(self):
        self.steps += 1
        self.average = 0.9 * self.average + self.steps
        self.best = max(self.best or 0.0, float(self.average))
        self.phase, self.shape = f"after {self.steps}", (self.steps, ("nested", None))
        self._bias += 1
        self._counts[self.steps % 2] += 1
        loss = (self.network.weight * self._bias[:, None]).sum()
        self._optimizer.zero_grad()
        loss.backward()
        self._optimizer.step()
        return {"loss": loss.item(), "average": float(self.average)}


def through_a_file(state: dict) -> dict:
    file = io.BytesIO()
    torch.save(state, file)
    return torch.load(io.BytesIO(file.getvalue()), weights_only=True)


def live(agent: Agent, steps: int) -> list:
    states = np.eye(3, dtype=np.uint8)
    return [(agent.act(states).tolist(), agent.learn(), agent.best) for _ in range(steps)]


def test_an_agent_of_four_verbs_resumes_exactly():
    agent, resumed = FourVerbs(), FourVerbs(seed=1)
    live(agent, 5)
    resumed.load_state_dict(through_a_file(agent.state_dict()))
    assert live(agent, 5) == live(resumed, 5)
    assert resumed._counts.tolist() == agent._counts.tolist() == [5, 5]
    assert (resumed.phase, resumed.shape) == ("after 10", (10, ("nested", None)))


def test_a_text_and_a_tuple_are_restored():
    agent, resumed = FourVerbs(), FourVerbs()
    live(agent, 1)
    resumed.load_state_dict(through_a_file(agent.state_dict()))
    assert (resumed.phase, resumed.shape) == ("after 1", (1, ("nested", None)))


def test_the_state_holds_what_may_change_once_and_nothing_else():
    state = FourVerbs().state_dict()
    assert set(state) == {
        "network", "optimizer", "rng", "python_rng", "torch_rng", "steps", "average", "best",
        "bias", "counts", "phase", "shape",
    }  # fmt: skip
    check_saveable(state, "state")


@pytest.mark.parametrize("value", [[1, 2], {"a": 1}, deque(), object(), (np.zeros(1),)])
def test_an_attribute_that_cannot_be_saved_is_refused_with_the_remedy(value):
    agent = FourVerbs()
    agent.history = value
    kind = type(value).__name__
    with pytest.raises(TypeError, match=rf"history of FourVerbs is a {kind}, .* FourVerbs\.trans"):
        agent.state_dict()
    agent.transient = ("log", "history")
    agent.state_dict()


def test_a_state_with_other_entries_is_refused():
    state = FourVerbs().state_dict()
    with pytest.raises(ValueError, match="this FourVerbs differ in 'target'"):
        FourVerbs().load_state_dict(state | {"target": 1})
    del state["optimizer"]
    with pytest.raises(ValueError, match="this FourVerbs differ in 'optimizer'"):
        FourVerbs().load_state_dict(state)


def test_a_state_of_another_network_is_refused():
    agent = FourVerbs()
    agent.network = agent.alias = torch.nn.Linear(4, 2)
    with pytest.raises(ValueError, match=r"weights have weight \(2, 3\), the network"):
        agent.load_state_dict(FourVerbs().state_dict())


def test_values_that_a_state_cannot_hold_are_named():
    with pytest.raises(TypeError, match=r"state\['a'\]\[1\] is a ndarray, which checkpoints"):
        check_saveable({"a": [1, np.zeros(2)]}, "state")


class TestPolicy:
    def test_the_only_module_keeps_its_names_beside_tensors_and_arrays(self):
        agent, player = FourVerbs(), FourVerbs(seed=1)
        live(agent, 3)
        weights = agent.policy_state_dict()
        assert set(weights) == {"weight", "bias", "counts"}
        player.load_policy_state_dict(through_a_file(weights))
        assert torch.equal(player.network.weight, agent.network.weight)
        np.testing.assert_array_equal(player._counts, agent._counts)
        assert player._counts.dtype == np.int64

    def test_several_modules_are_told_apart_by_their_attributes(self):
        agents = FourVerbs(), FourVerbs(seed=1)
        for agent in agents:
            agent._body = torch.nn.Linear(3, 3, bias=False)
        weights = agents[0].policy_state_dict()
        assert set(weights) == {"network.weight", "network.bias", "body.weight", "bias", "counts"}
        agents[1].load_policy_state_dict(weights)
        assert torch.equal(agents[0]._body.weight, agents[1]._body.weight)

    def test_copies_of_weights_are_synchronized(self):
        class Copy:
            synced = 0

            def sync(self):
                self.synced += 1

        agent = FourVerbs()
        agent.copy, agent.transient = Copy(), ("log", "copy")
        agent.load_policy_state_dict(agent.policy_state_dict())
        agent.load_state_dict(agent.state_dict())
        assert agent.copy.synced == 2


def test_persistent_parts_are_found():
    class OnDisk:
        def flush(self):
            pass

        def mark_saved(self):
            pass

        def describe_loss(self):
            return ""

        def steps_until_overwrite(self):
            return 3

    agent = FourVerbs()
    assert agent.persistent_parts() == []
    agent.replay = OnDisk()
    assert agent.persistent_parts() == [agent.replay]


def test_parameters_of_an_equal_network_are_copied():
    source, target = QNetwork((4, 84, 84), num_actions=2), QNetwork((4, 84, 84), num_actions=2)
    load_parameters(target, source.state_dict())
    for own, given in zip(target.parameters(), source.parameters(), strict=True):
        assert torch.equal(own, given)


def test_the_first_different_name_or_shape_is_named():
    weights = QNetwork((4, 84, 84), num_actions=2).state_dict()
    with pytest.raises(ValueError, match=r"weights have online_head.2.bias \(2,\), the .* \(5,\)"):
        load_parameters(QNetwork((4, 84, 84), num_actions=5), weights)
    with pytest.raises(ValueError, match=r"weights have target_features.0.bias missing"):
        load_parameters(QNetwork((4, 84, 84), 2, separate_target=True), weights)
