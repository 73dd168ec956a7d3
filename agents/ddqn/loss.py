"""The loss of Double Q-learning: a function of a network and a batch."""

from __future__ import annotations

import torch
from tensordict import TensorDict
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from agents.ddqn.targets import double_q_targets, td_errors, weighted_mean
from agents.networks.q_network import QNetwork


def loss_and_value(network: QNetwork, batch: TensorDict, double: bool = True) -> Tensor:
    """How wrong a network is about a batch, and what it says.

    The loss is that of Huber: Mnih et al. 2015, https://www.nature.com/articles/nature14236,
    "Training algorithm", which clips the derivative of the error at 1.

    Args:
        network: gives values before and after each step.
        batch: what `agents.replay.frame_replay.FrameReplay.read` gives. If it has a ``weight``, float32, losses
            count by that, and ``error``, float32, is set to the errors in place; so whoever shares
            the batch out in parts finds all of them in the whole.
        double: whether the online network chooses the action that the target values. If the target
            chooses it too, this is Q-learning as Mnih et al. have it.

    Returns:
        The mean loss and the mean value of the actions taken, ``(2,)``.
    """
    values, *after = network.transition_values(batch["state"], batch["next_state"], double)
    targets = double_q_targets(batch["reward"], batch["discount"], *after)
    errors = td_errors(values, batch["action"], targets)
    zeros = torch.zeros_like(errors)
    if (weights := batch.get("weight", None)) is None:
        loss = smooth_l1_loss(errors, zeros)
    else:
        loss = weighted_mean(smooth_l1_loss(errors, zeros, reduction="none"), weights)
        batch["error"].copy_(errors.detach())
    return torch.stack((loss, (targets - errors).mean()))
