"""An agent that writes down what it is asked."""

from __future__ import annotations

import numpy as np
import torch
from doubles import SHAPE
from tensordict import TensorDict

from agents import Agent, AgentSpec


class TapeAgent(Agent):
    """Plays action = step % 3 and writes down what it is asked; its one weight counts its steps."""

    def __init__(self, spec: AgentSpec):
        super().__init__(spec)
        self.tape = []
        self.steps = 0

    def act(self, states):
        self.tape.append(("act", states[:, 0, 0, 0].tolist()))
        self.steps += 1
        return np.full(len(states), self.steps % 3)

    def cache(self, states, actions, rewards, terminated, truncated, next_states):
        seen, came = states[:, 0, 0, 0].tolist(), next_states[:, 0, 0, 0].tolist()
        self.tape.append(("cache", seen, actions.tolist(), came, terminated.tolist()))

    def recall(self):
        return TensorDict({}, batch_size=[])

    def learn(self):
        self.tape.append(("learn",))
        return {"loss": 1.0, "q": 2.0} if self.steps % 2 == 0 else None

    def policy_state_dict(self):
        return {"steps": torch.tensor([float(self.steps)])}

    def load_policy_state_dict(self, weights):
        self.steps = int(weights["steps"])

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]


def spec(num_envs: int = 1, **kwargs) -> AgentSpec:
    return AgentSpec(state_shape=SHAPE, num_actions=3, num_envs=num_envs, **kwargs)
