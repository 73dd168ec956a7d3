"""Builds the parts of a `PPO` from its configuration."""

from __future__ import annotations

import torch
from torch import nn

from agents.agent import AgentSpec
from agents.compute.adam import ParallelAdam
from agents.compute.learner import Learner
from agents.networks.actor_critic import ActorCritic
from agents.ppo.config import PPOConfig
from agents.ppo.rollout_buffer import RolloutBuffer
from agents.schedules import Constant, Linear, Schedule


def build_network(spec: AgentSpec, config: PPOConfig) -> ActorCritic:
    """Build the network on the device, with weights that depend only on the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(spec.seed)
        network = ActorCritic(
            spec.state_shape, spec.num_actions, config.policy, config.hidden_size, config.lstm_size
        )
    # Convolutions are fastest in the channels-last memory format.
    network.body.to(memory_format=torch.channels_last)
    return network.to(spec.device)


def build_rollout(spec: AgentSpec, config: PPOConfig, state_size: int) -> RolloutBuffer:
    """Build an empty rollout buffer.

    Raises:
        ValueError: the rollout has fewer sequences than minibatches.
    """
    recurrent = state_size > 0
    num_sequences = spec.num_envs * (1 if recurrent else config.horizon)
    if config.minibatches > num_sequences:
        unit = "environments" if recurrent else "steps"
        raise ValueError(
            f"minibatches is {config.minibatches}; give at most {num_sequences}, the number of "
            f"{unit} in a rollout, or use more environments"
        )
    return RolloutBuffer(config.horizon, spec.num_envs, spec.state_shape, state_size, spec.device)


def build_learner(
    spec: AgentSpec, network: ActorCritic, config: PPOConfig
) -> Learner[nn.Sequential]:
    """Build the learner, with Adam; only the body of the network can compute in 16 bits."""
    optimizer = ParallelAdam(network.parameters(), config.learning_rate, config.adam_epsilon)
    # Evaluation and play always use float32, so that scores do not depend on the hardware.
    precision = config.precision if spec.training else "float32"
    return Learner(network.body, optimizer, precision, spec.threads, config.max_grad_norm)


def build_schedule(config: PPOConfig, name: str) -> Schedule:
    """Build the schedule of a hyperparameter, from its value to that of ``{name}_end``.

    >>> build_schedule(PPOConfig(schedule_steps=100), "clip_range")(50)
    0.05
    """
    start, end = getattr(config, name), getattr(config, f"{name}_end")
    if config.schedule_steps is None:
        return Constant(start)
    return Linear(start, end, config.schedule_steps)
