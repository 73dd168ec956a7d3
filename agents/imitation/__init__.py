"""Agents that learn by imitation in the states that they reach themselves.

`DAgger` imitates its own decisions that survived, and corrections of the others. Its environments
repair an episode where it fails: they return to an earlier point and execute the smallest change
with which the agent's own policy survives. `Distillation` imitates trained agents, its teachers,
which label everything that it observes.
"""

from agents.imitation.agent import DAgger
from agents.imitation.config import DAggerConfig
from agents.imitation.distillation import Distillation

__all__ = ["DAgger", "DAggerConfig", "Distillation"]
