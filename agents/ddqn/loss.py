"""The loss of double Q-learning: a function of a network and a batch."""

from __future__ import annotations

import torch
from tensordict import TensorDict
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from agents.ddqn.targets import double_q_targets, td_errors, weighted_mean
from agents.networks.q_network import QNetwork


def loss_and_value(network: QNetwork, batch: TensorDict, double: bool = True) -> Tensor:
    """Return the Huber loss of the temporal-difference errors, and the mean action value.

    Mnih et al. 2015, https://www.nature.com/articles/nature14236, "Training algorithm", clip the
    derivative of the error at 1, which is the Huber loss.

    Args:
        network: The online and target networks.
        batch: A batch sampled from the replay memory. If it has a ``weight`` (float32), the losses
            are weighted, and the errors are written to ``error`` (float32) in place, so that they
            are complete when the batch is split across threads.
        double: Select the next action with the online network (double Q-learning) instead of the
            target network (Q-learning as in Mnih et al.).

    Returns:
        The mean loss and the mean value of the actions taken, ``(2,)``.
    """
    values, *next_values = network.transition_values(batch["state"], batch["next_state"], double)
    targets = double_q_targets(batch["reward"], batch["discount"], *next_values)
    errors = td_errors(values, batch["action"], targets)
    zeros = torch.zeros_like(errors)
    if (weights := batch.get("weight", None)) is None:
        loss = smooth_l1_loss(errors, zeros)
    else:
        loss = weighted_mean(smooth_l1_loss(errors, zeros, reduction="none"), weights)
        batch["error"].copy_(errors.detach())
    return torch.stack((loss, (targets - errors).mean()))
