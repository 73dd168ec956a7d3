"""An agent that records its calls."""

from __future__ import annotations

import numpy as np
import torch
from doubles import SHAPE
from tensordict import TensorDict

from agents import Agent, AgentSpec

INVALID = "invalid"
"""Stands on the tape for the action of a step that is not valid."""


class TapeAgent(Agent):
    """Act with step % 3 and record all calls; its only weight counts the steps."""

    transient = ("tape",)

    def __init__(self, spec: AgentSpec):
        super().__init__(spec)
        self.tape = []
        self.steps = 0

    def act(self, states):
        self.tape.append(("act", states[:, 0, 0, 0].tolist()))
        self.steps += 1
        return np.full(len(states), self.steps % 3)

    def cache(self, transitions):
        states, next_states = (
            each[:, 0, 0, 0].tolist() for each in (transitions.states, transitions.next_states)
        )
        actions = [
            action if valid else INVALID
            for action, valid in zip(transitions.actions.tolist(), transitions.valid, strict=True)
        ]
        self.tape.append(("cache", states, actions, next_states, transitions.terminated.tolist()))

    def recall(self):
        return TensorDict({}, batch_size=[])

    def learn(self):
        self.tape.append(("learn",))
        return {"loss": 1.0, "q": 2.0} if self.steps % 2 == 0 else None

    def policy_state_dict(self):
        return {"steps": torch.tensor([float(self.steps)])}

    def load_policy_state_dict(self, weights):
        self.steps = int(weights["steps"])


def spec(num_envs: int = 1, **kwargs) -> AgentSpec:
    return AgentSpec(state_shape=SHAPE, num_actions=3, num_envs=num_envs, **kwargs)
