"""The names of the agents of this package."""

from __future__ import annotations

from mario.errors import unknown
from mario.system.plugins import check_module

AGENTS = {
    "dagger": "agents.imitation.agent:DAgger",
    "ddqn": "agents.ddqn.agent:DDQN",
    "distill": "agents.imitation.distillation:Distillation",
    "ppo": "agents.ppo.agent:PPO",
    "reinforce": "agents.reinforce.agent:REINFORCE",
}
"""The agents of this package by name, as ``module:Class``."""


def check_agent(name: str) -> None:
    """Check the name of an agent without importing its module.

    Args:
        name: One of `AGENTS`, or ``module:Class`` for an agent of your own.

    Raises:
        UsageError: There is no such name or module.
    """
    if ":" in name:
        check_module("--agent", name)
    elif name not in AGENTS:
        raise unknown("agent", name, AGENTS)
