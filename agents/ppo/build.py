"""What a `PPO` is made of, from its configuration: one function for each part."""

from __future__ import annotations

import torch

from agents.agent import AgentSpec
from agents.compute.adam import ParallelAdam
from agents.compute.data_parallel import DataParallel
from agents.networks.actor_critic import ActorCritic
from agents.ppo.config import PPOConfig
from agents.ppo.rollout_buffer import RolloutBuffer
from agents.schedules import Constant, Linear, Schedule


def build_policy(spec: AgentSpec, config: PPOConfig) -> ActorCritic:
    """Make a network on the device, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(spec.seed)
        network = ActorCritic(
            spec.state_shape, spec.num_actions, config.policy, config.hidden_size, config.lstm_size
        )
    # convolutions are fastest with the channels innermost
    network.body.to(memory_format=torch.channels_last)
    return network.to(spec.device)


def build_rollout(spec: AgentSpec, config: PPOConfig, state_size: int) -> RolloutBuffer:
    """Make room for the steps of one round of learning.

    Raises:
        ValueError: they are fewer than the minibatches they are to be dealt into.
    """
    whole = state_size > 0
    sequences = spec.num_envs * (1 if whole else config.horizon)
    if config.minibatches > sequences:
        what = "games" if whole else "steps"
        raise ValueError(
            f"minibatches is {config.minibatches}; give at most {sequences}, the number of {what} "
            "to deal into them, or play more games at a time"
        )
    return RolloutBuffer(config.horizon, spec.num_envs, spec.state_shape, state_size, spec.device)


def build_adam(network: ActorCritic, parallel: DataParallel, config: PPOConfig) -> ParallelAdam:
    """Make the Adam of the whole network, its parameters in their order."""
    return ParallelAdam(
        network.parameters(), parallel.pool, config.learning_rate, config.adam_epsilon
    )


def build_schedule(config: PPOConfig, name: str) -> Schedule:
    """Make the schedule of a number that may change: from its value to its ``..._end``.

    >>> build_schedule(PPOConfig(schedule_steps=100), "clip_range")(50)
    0.05
    """
    start, end = getattr(config, name), getattr(config, f"{name}_end")
    if config.schedule_steps is None:
        return Constant(start)
    return Linear(start, end, config.schedule_steps)
