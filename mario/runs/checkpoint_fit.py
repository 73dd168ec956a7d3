"""Checks that the network of a checkpoint's configuration is the one that the file contains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from agents import AgentSpec
from mario.config.agent_names import AGENTS
from mario.runs.agent_factory import agent_class
from mario.runs.file_kind import CheckpointError

if TYPE_CHECKING:
    from mario.runs.trained_agent import TrainedAgent


def check_fits(trained: TrainedAgent) -> None:
    """Check that the network of the configuration is that of the file, before it is allocated.

    The network is built on torch's device ``"meta"``, which allocates no memory. An agent of the
    user may not support that, and is trusted.

    Raises:
        CheckpointError: the weights or the observations have other shapes.
    """
    shape = trained.env_config.wrappers.observation_shape
    if shape != trained.state_shape:
        raise CheckpointError(
            f"checkpoint {trained.path} is refused: its wrappers produce states of shape {shape}, "
            f"but its network gets {trained.state_shape}"
        )
    if trained.agent not in AGENTS:
        return
    spec = AgentSpec(trained.state_shape, trained.num_actions, device="meta", training=False)
    try:
        with torch.device("meta"):
            agent = agent_class(trained.agent).build(spec, trained.hyper)
        network = {name: tensor.shape for name, tensor in agent.policy_state_dict().items()}
    except (RuntimeError, ValueError, TypeError, OverflowError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"checkpoint {trained.path} is refused: {reason}") from None
    for name, value in trained.policy_state.items():
        given = getattr(value, "shape", None)
        if network.get(name) != given:
            raise CheckpointError(
                f"checkpoint {trained.path} does not fit its agent: weights have {name} "
                f"{tuple(given or ())}, the network has it {tuple(network.get(name, ()))}"
            )
