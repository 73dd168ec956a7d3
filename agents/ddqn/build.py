"""Builds the parts of a `DDQN` from its configuration."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from agents.agent import AgentSpec
from agents.compute.adam import ParallelAdam
from agents.compute.averaging import WeightAverage
from agents.compute.learner import Learner
from agents.ddqn.config import DDQNConfig
from agents.ddqn.demonstrations import DemonstrationSampler, fill_replay
from agents.ddqn.exploration import EpsilonGreedy, apex_epsilons
from agents.networks.q_network import QNetwork
from agents.replay.augmentation import RandomShift
from agents.replay.frame_replay import FrameReplay
from agents.replay.frame_storage import FrameStorage
from agents.replay.samplers import PrioritizedSampler, UniformSampler
from agents.schedules import Constant, Exponential, Linear, Piecewise, Schedule


def build_network(spec: AgentSpec, config: DDQNConfig) -> QNetwork:
    """Build the network on the device, with weights that depend only on the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(spec.seed)
        network = QNetwork(
            spec.state_shape,
            spec.num_actions,
            config.hidden_size,
            config.separate_target,
            config.dueling,
        )
    # Convolutions are fastest in the channels-last memory format.
    return network.to(memory_format=torch.channels_last).to(spec.device)


def build_replay(spec: AgentSpec, config: DDQNConfig) -> FrameReplay:
    """Build the replay memory, with prioritized sampling if ``priority_alpha`` is not 0.

    Raises:
        InsufficientDiskSpace: the disk has no space for it.
    """
    storage = FrameStorage(
        spec.folder,
        spec.state_shape,
        spec.num_envs,
        config.replay_capacity,
        config.n_step,
        config.gamma,
    )
    if config.priority_alpha:
        return FrameReplay(storage, PrioritizedSampler(storage, config.priority_alpha, spec.seed))
    return FrameReplay(storage, UniformSampler(spec.seed))


def build_demonstrations(spec: AgentSpec, config: DDQNConfig) -> DemonstrationSampler | None:
    """Build the source of demonstrated transitions, or None if the agent learns from none.

    Raises:
        InsufficientDiskSpace: the disk has no space for the transitions.
        ValueError: there are no demonstrations, or batches are too small for the share.
    """
    if not (config.demonstration_share and spec.training):
        return None
    if spec.demonstrations is None:
        raise ValueError(
            f"demonstration_share is {config.demonstration_share}, but there are no "
            "demonstrations; give some with --demos, or set it to 0"
        )
    num_rows = round(config.batch_size * config.demonstration_share)
    if not 0 < num_rows < config.batch_size:
        raise ValueError(
            f"demonstration_share is {config.demonstration_share}, which is {num_rows} of "
            f"{config.batch_size} transitions; change it or batch_size"
        )
    # Each demonstration takes a row more than it has transitions if it is truncated.
    capacity = 2 * sum(1 for _ in spec.demonstrations) + config.n_step
    storage = FrameStorage(None, spec.state_shape, 1, capacity, config.n_step, config.gamma)
    replay = FrameReplay(storage, UniformSampler((spec.seed, *b"demonstrations")))
    fill_replay(replay, spec.demonstrations, config.n_step)
    coefficient = Linear(config.demonstration_margin_coef, 0.0, config.demonstration_margin_steps)
    return DemonstrationSampler(replay, num_rows, coefficient)


def build_random_shift(spec: AgentSpec, config: DDQNConfig) -> RandomShift | None:
    """Build the augmentation of training batches, or None if there is none."""
    return RandomShift(config.random_shift, spec.seed) if config.random_shift else None


def build_learner(spec: AgentSpec, network: QNetwork, config: DDQNConfig) -> Learner[QNetwork]:
    """Build the learner of the online network, with Adam; the target network is not optimized."""
    trainable = [parameter for parameter in network.parameters() if parameter.requires_grad]
    optimizer = ParallelAdam(trainable, config.learning_rate, config.adam_epsilon)
    # Evaluation and play always use float32, so that scores do not depend on the hardware.
    precision = config.precision if spec.training else "float32"
    num_averaged = config.weight_average_updates if spec.training else 0
    average = WeightAverage(network, num_averaged) if num_averaged else None
    return Learner(
        network, optimizer, precision, spec.threads, config.max_grad_norm, average=average
    )


def build_learning_rate(config: DDQNConfig) -> Schedule:
    """Build the schedule of the learning rate.

    >>> build_learning_rate(DDQNConfig(learning_rate=1.0, learning_rate_end=0.5))(150_000)
    0.75
    """
    if config.learning_rate_end is None:
        return Constant(config.learning_rate)
    return Linear(config.learning_rate, config.learning_rate_end, config.learning_rate_steps)


def build_exploration(spec: AgentSpec, config: DDQNConfig) -> EpsilonGreedy:
    """Build the exploration: one schedule, and minimum rates per environment as in Ape-X."""
    schedule: Schedule = Exponential(
        config.exploration_start, config.exploration_decay, config.exploration_min
    )
    if config.exploration_schedule:
        schedule = Piecewise(config.exploration_schedule)
    base = config.exploration_apex_base
    return EpsilonGreedy(
        schedule,
        spec.num_actions,
        spec.seed,
        min_rates=_min_rates(spec, base) if base else None,
        action_repeat=config.exploration_action_repeat,
    )


def _min_rates(spec: AgentSpec, base: float) -> NDArray[np.float64]:
    """Return the minimum rates of the agent's environments among those of all workers."""
    rates = apex_epsilons(base, spec.num_envs * spec.num_workers)
    return rates[spec.worker * spec.num_envs :][: spec.num_envs]
