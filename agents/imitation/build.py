"""Builds the parts of a `DAgger` from its configuration."""

from __future__ import annotations

import torch
from torch import nn

from agents.agent import AgentSpec
from agents.compute.adam import ParallelAdam
from agents.compute.averaging import WeightAverage
from agents.compute.learner import Learner
from agents.imitation.config import DAggerConfig
from agents.imitation.sampler import WeightedSampler
from agents.networks.actor_critic import ActorCritic
from agents.replay.frame_replay import FrameReplay
from agents.replay.frame_storage import FrameStorage


def build_network(spec: AgentSpec, config: DAggerConfig) -> ActorCritic:
    """Build the network on the device, with weights that depend only on the seed.

    It is the network of `agents.ppo.PPO`, so that PPO can continue the training.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(spec.seed)
        network = ActorCritic(spec.state_shape, spec.num_actions, hidden_size=config.hidden_size)
    # Convolutions are fastest in the channels-last memory format.
    network.body.to(memory_format=torch.channels_last)
    return network.to(spec.device)


def build_replay(spec: AgentSpec, config: DAggerConfig) -> FrameReplay:
    """Build the replay memory.

    Raises:
        InsufficientDiskSpace: the disk has no space for it.
    """
    storage = FrameStorage(spec.folder, spec.state_shape, spec.num_envs, config.replay_capacity)
    sampler = WeightedSampler(storage, config.recent_transitions, config.recent_fraction, spec.seed)
    return FrameReplay(storage, sampler)


def build_learner(
    spec: AgentSpec, network: ActorCritic, config: DAggerConfig
) -> Learner[nn.Sequential]:
    """Build the learner of the policy, with Adam and the weight average that acts.

    The critic is not trained.
    """
    parameters = [*network.body.parameters(), *network.actor.parameters()]
    optimizer = ParallelAdam(parameters, config.learning_rate, config.adam_epsilon)
    precision = config.precision if spec.training else "float32"
    average = WeightAverage(network, config.weight_average_updates) if spec.training else None
    return Learner(
        network.body, optimizer, precision, spec.threads, config.max_grad_norm, average=average
    )
