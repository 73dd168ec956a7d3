"""Workloads: network updates, and the matrix products that limit them."""

from __future__ import annotations

import numpy as np
import torch
from child import Work

from agents import DDQN, AgentSpec, DDQNConfig, Transitions
from agents.compute.precision import Precision
from mario.runs.agent_factory import resolve_device
from mario.system.tuning import tune_process

STATE_SHAPE = (4, 84, 84)
ACTIONS = 5
NUM_ENVS = 8
SIDE = {"cpu": 1024, "cuda": 8192}
"""Size of the matrices; large enough to be limited by arithmetic."""

FORWARD = 2 * (20 * 20 * 32 * 4 * 64 + 9 * 9 * 64 * 32 * 16 + 7 * 7 * 64 * 64 * 9 + 3136 * 512)
FIRST = 2 * 20 * 20 * 32 * 4 * 64
HEAD = 2 * 3136 * 512
FLOP_PER_SAMPLE = 2 * FORWARD + HEAD + 2 * FORWARD - FIRST
"""Two forward passes, the target head, and a backward pass without the gradient of the pixels."""


def updates(batch_size: int, precision: Precision, threads: int) -> Work:
    """Samples that a `DDQN` learns from, without sampling them."""
    tune_process()
    spec = AgentSpec(STATE_SHAPE, ACTIONS, NUM_ENVS, resolve_device("auto"), threads=threads)
    agent = DDQN.build(
        spec, DDQNConfig(replay_capacity=2_000, batch_size=batch_size, precision=precision)
    )
    _fill(agent)
    batch = agent.recall()
    agent.recall = lambda: batch  # type: ignore[method-assign]
    agent._update()
    while True:
        agent._update()
        yield {"samples": batch_size}


def acts(num_envs: int) -> Work:
    """States for which a `DDQN` chooses the greedy action."""
    tune_process()
    device = resolve_device("auto")
    config = DDQNConfig(replay_capacity=2_000, exploration_start=0.0, exploration_min=0.0)
    agent = DDQN.build(AgentSpec(STATE_SHAPE, ACTIONS, num_envs, device=device), config)
    states = np.zeros((num_envs, *STATE_SHAPE), np.uint8)
    while True:
        agent.act(states)
        yield {"states": num_envs}


def products(precision: str, threads: int) -> Work:
    """Billions of floating-point operations in products of large matrices."""
    torch.set_num_threads(threads)
    device = resolve_device("auto")
    side, dtype = SIDE[device], getattr(torch, precision)
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    while True:
        product = left @ right
        product[0, 0].item()  # wait for the device
        yield {"gflop": 2 * side**3 / 1e9}


def _fill(agent: DDQN) -> None:
    generator, no = np.random.default_rng(0), np.zeros(NUM_ENVS, np.bool_)
    actions = np.ones(NUM_ENVS, np.int64)
    for _ in range(100):
        states = generator.integers(0, 256, (NUM_ENVS, *STATE_SHAPE), dtype=np.uint8)
        rewards = generator.random(NUM_ENVS, dtype=np.float32)
        agent.cache(Transitions(states, actions, rewards, no, no, states, ~no))
