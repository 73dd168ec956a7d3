"""What learns: agents, the contract they keep, and their parts.

Knows nothing of Mario: an agent sees batches of uint8 states and gives actions.
"""

from agents.agent import Agent, AgentConfig, Setting
from agents.ddqn import DDQN
from agents.ddqn_config import DDQNConfig
from agents.frame_table import MemoryDoesNotFit
from agents.memory import FrameMemory
from agents.networks import QNetwork
from agents.ppo import PPO
from agents.ppo_config import PPOConfig

__all__ = [
    "DDQN",
    "PPO",
    "Agent",
    "AgentConfig",
    "DDQNConfig",
    "FrameMemory",
    "MemoryDoesNotFit",
    "PPOConfig",
    "QNetwork",
    "Setting",
]
