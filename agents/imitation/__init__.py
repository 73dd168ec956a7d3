"""DAgger: imitates the decisions of the agent itself that survived, and corrections of the others.

The environments repair an episode where it fails: they return to an earlier point and execute the
smallest change with which the agent's own policy survives. The agent learns the decisions of the
repaired episodes by supervised learning.
"""

from agents.imitation.agent import DAgger
from agents.imitation.config import DAggerConfig

__all__ = ["DAgger", "DAggerConfig"]
