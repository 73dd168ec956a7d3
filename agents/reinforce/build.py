"""Builds the parts of a `REINFORCE` from its configuration."""

from __future__ import annotations

import math

import torch

from agents.agent import AgentSpec
from agents.compute.learner import Learner
from agents.networks.policy_mlp import PolicyNetwork
from agents.reinforce.config import REINFORCEConfig


def build_network(spec: AgentSpec, config: REINFORCEConfig) -> PolicyNetwork:
    """Build the network on the device, with weights that depend only on the seed."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(spec.seed)
        num_pixels = math.prod(spec.state_shape[1:])
        network = PolicyNetwork(num_pixels, spec.num_actions, config.hidden_size)
    return network.to(spec.device)


def build_learner(
    spec: AgentSpec, network: PolicyNetwork, config: REINFORCEConfig
) -> Learner[PolicyNetwork]:
    """Build the learner, with RMSProp."""
    optimizer = torch.optim.RMSprop(
        network.parameters(),
        lr=config.learning_rate,
        alpha=config.rmsprop_decay,
        eps=config.rmsprop_epsilon,
    )
    return Learner(network, optimizer, threads=spec.threads, reduction="sum")
