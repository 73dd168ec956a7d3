"""Agents for the tests; torch has one thread, so that numbers are the same wherever they run."""

from __future__ import annotations

import pytest
import torch
from corridors import TINY, spec

from agents.ddqn.agent import DDQN
from agents.ddqn.config import DDQNConfig

torch.set_num_threads(1)


@pytest.fixture
def agents():
    """Build agents and close them after the test."""
    made = []

    def make(config: DDQNConfig = TINY, **change) -> DDQN:
        made.append(DDQN.build(spec(**change), config))
        return made[-1]

    yield make
    for agent in made:
        agent.close()
