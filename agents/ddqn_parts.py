"""What a `DDQN` is made of, from its configuration: one function for each part."""

from __future__ import annotations

import torch

from agents.adam import SharedAdam
from agents.agent import Setting
from agents.augmentation import RandomShift
from agents.crew import Crew
from agents.ddqn_config import DDQNConfig
from agents.exploration import EpsilonGreedy, ladder
from agents.memory import FrameMemory
from agents.networks import QNetwork
from agents.prioritized_memory import PrioritizedMemory
from agents.schedules import Constant, Exponential, Linear, Piecewise, Schedule


def build_network(setting: Setting, config: DDQNConfig) -> QNetwork:
    """Make a network on the device, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(setting.seed)
        network = QNetwork(
            setting.state_shape,
            setting.num_actions,
            config.hidden,
            config.separate_target,
            config.dueling,
        )
    # convolutions are fastest with the channels innermost
    return network.to(memory_format=torch.channels_last).to(setting.device)


def build_memory(setting: Setting, config: DDQNConfig) -> FrameMemory:
    """Reserve a memory for the games, that draws by priority if they matter.

    Raises:
        MemoryDoesNotFit: the disk has no room for it.
    """
    size = setting.folder, setting.state_shape, setting.num_envs, config.memory
    how = config.n_step, config.gamma, setting.seed
    if config.priority_alpha:
        return PrioritizedMemory(*size, *how, config.priority_alpha)
    return FrameMemory(*size, *how)


def build_shift(setting: Setting, config: DDQNConfig) -> RandomShift | None:
    """Make the augmentation, if there is to be one."""
    return RandomShift(config.shift, setting.seed) if config.shift else None


def build_optimizer(network: QNetwork, crew: Crew, config: DDQNConfig) -> SharedAdam:
    """Make the Adam of what learns: the target, which only ever is copied to, is left out."""
    learning = [each for each in network.parameters() if each.requires_grad]
    return SharedAdam(learning, crew.team, config.learning_rate, config.adam_epsilon)


def build_learning_rate(config: DDQNConfig) -> Schedule:
    """Make the schedule of Adam's step size, by decisions.

    >>> build_learning_rate(DDQNConfig(learning_rate=1.0, learning_rate_end=0.5))(150_000)
    0.75
    """
    if config.learning_rate_end is None:
        return Constant(config.learning_rate)
    return Linear(config.learning_rate, config.learning_rate_end, config.learning_rate_steps)


def build_exploration(setting: Setting, config: DDQNConfig) -> EpsilonGreedy:
    """Make the exploration of all games: one schedule, and a ladder of least rates if wanted."""
    schedule: Schedule = Exponential(
        config.exploration_start, config.exploration_decay, config.exploration_min
    )
    if config.exploration_points:
        schedule = Piecewise(config.exploration_points)
    base = config.exploration_ladder
    return EpsilonGreedy(
        schedule,
        setting.num_actions,
        setting.seed,
        floors=ladder(base, setting.num_envs) if base else None,
        hold=config.exploration_hold,
    )
