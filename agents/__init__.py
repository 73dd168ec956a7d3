"""Learning agents: the base class, the algorithms and their parts.

The package does not depend on Mario: an agent receives batches of uint8 states and returns actions.
"""

from agents.agent import Agent, AgentConfig, AgentSpec
from agents.compute.learner import Learner
from agents.ddqn.agent import DDQN
from agents.ddqn.config import DDQNConfig
from agents.imitation.agent import DAgger
from agents.imitation.config import DAggerConfig
from agents.imitation.distillation import Distillation
from agents.networks.q_network import QNetwork
from agents.ppo.agent import PPO
from agents.ppo.config import PPOConfig
from agents.reinforce.agent import REINFORCE
from agents.reinforce.config import REINFORCEConfig
from agents.replay.frame_replay import FrameReplay
from agents.replay.memory_map import InsufficientDiskSpace
from agents.transitions import Guidance, Transitions

__all__ = [
    "DDQN",
    "PPO",
    "REINFORCE",
    "Agent",
    "AgentConfig",
    "AgentSpec",
    "DAgger",
    "DAggerConfig",
    "DDQNConfig",
    "Distillation",
    "FrameReplay",
    "Guidance",
    "InsufficientDiskSpace",
    "Learner",
    "PPOConfig",
    "QNetwork",
    "REINFORCEConfig",
    "Transitions",
]
