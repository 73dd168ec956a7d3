"""What a `PPO` is made of, from its configuration: one function for each part."""

from __future__ import annotations

import torch

from agents.adam import SharedAdam
from agents.agent import Setting
from agents.crew import Crew
from agents.policies import ActorCritic
from agents.ppo_config import PPOConfig
from agents.rollout import Rollout
from agents.schedules import Constant, Linear, Schedule


def build_policy(setting: Setting, config: PPOConfig) -> ActorCritic:
    """Make a network on the device, the same for the same seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(setting.seed)
        network = ActorCritic(
            setting.state_shape, setting.num_actions, config.policy, config.hidden, config.cells
        )
    # convolutions are fastest with the channels innermost
    network.body.to(memory_format=torch.channels_last)
    return network.to(setting.device)


def build_rollout(setting: Setting, config: PPOConfig, state_size: int) -> Rollout:
    """Make room for the steps of one round of learning.

    Raises:
        ValueError: they are fewer than the minibatches they are to be dealt into.
    """
    whole = state_size > 0
    sequences = setting.num_envs * (1 if whole else config.horizon)
    if config.minibatches > sequences:
        what = "games" if whole else "steps"
        raise ValueError(
            f"minibatches is {config.minibatches}; give at most {sequences}, the number of {what} "
            "to deal into them, or play more games at a time"
        )
    return Rollout(
        config.horizon, setting.num_envs, setting.state_shape, state_size, setting.device
    )


def build_adam(network: ActorCritic, crew: Crew, config: PPOConfig) -> SharedAdam:
    """Make the Adam of the whole network, its parameters in their order."""
    return SharedAdam(network.parameters(), crew.team, config.learning_rate, config.adam_epsilon)


def build_schedule(config: PPOConfig, name: str) -> Schedule:
    """Make the schedule of a number that may change: from its value to its ``..._end``.

    >>> build_schedule(PPOConfig(schedule_steps=100), "clip")(50)
    0.05
    """
    start, end = getattr(config, name), getattr(config, f"{name}_end")
    if config.schedule_steps is None:
        return Constant(start)
    return Linear(start, end, config.schedule_steps)
