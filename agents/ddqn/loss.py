"""The loss of Double Q-learning, as pure functions that check the shapes of their inputs.

An n-step transition is described by two numbers: its discounted reward, and the discount of the
bootstrap value (``gamma ** n``, or 0 if the game terminated in between).
"""

from __future__ import annotations

import torch
from tensordict import TensorDict
from torch import Tensor
from torch.nn.functional import smooth_l1_loss

from agents.networks.q_network import QNetwork


def double_q_loss(
    network: QNetwork, batch: TensorDict, double: bool = True, margin: float = 0.0
) -> dict[str, Tensor]:
    """Return the Huber loss of the temporal-difference errors, and the mean action value.

    Mnih et al. 2015, https://www.nature.com/articles/nature14236, "Training algorithm", clip
    the error term of the update to [-1, 1]. This is the derivative of the Huber loss.

    Args:
        network: the online and target networks.
        batch: a batch sampled from the replay memory. If it has a ``weight`` (float32), the losses
            are weighted, and the errors are written to ``error`` (float32) in place, so that they
            are complete when the batch is split across threads. If it has a ``margin_coef``
            (float32), `large_margin_losses` with these weights are added.
        double: select the next action with the online network (Double Q-learning) instead of the
            target network (Q-learning as in Mnih et al.).
        margin: margin of the large-margin losses.

    Returns:
        The means over the batch: ``loss``, and ``q``, the value of the actions taken.
    """
    q_values, *next_values = network.transition_values(batch["state"], batch["next_state"], double)
    targets = double_q_targets(batch["reward"], batch["discount"], *next_values)
    errors = td_errors(q_values, batch["action"], targets)
    zeros = torch.zeros_like(errors)
    if (weights := batch.get("weight", None)) is None:
        loss = smooth_l1_loss(errors, zeros)
    else:
        loss = weighted_mean(smooth_l1_loss(errors, zeros, reduction="none"), weights)
        batch["error"].copy_(errors.detach())
    if (coefficients := batch.get("margin_coef", None)) is not None:
        margin_losses = large_margin_losses(q_values, batch["action"], margin)
        loss = loss + weighted_mean(margin_losses, coefficients)
    return {"loss": loss, "q": (targets - errors).mean()}


def double_q_targets(
    rewards: Tensor, discounts: Tensor, q_online_next: Tensor, q_target_next: Tensor
) -> Tensor:
    """Return the targets of double Q-learning.

    ``r + discount * Q_target(s', argmax_a Q_online(s', a))``: one network selects the action and
    another evaluates it, which reduces overestimation. Van Hasselt et al. 2015,
    https://arxiv.org/abs/1509.06461, equation 4.

    Args:
        rewards: Discounted rewards of the transitions, float ``(batch,)``.
        discounts: Discounts of the bootstrap values, float ``(batch,)``; 0 after a termination.
        q_online_next: Values of the next states by the online network, ``(batch, num_actions)``.
        q_target_next: Values of the next states by the target network, ``(batch, num_actions)``.

    Returns:
        ``(batch,)``, without a gradient.

    Raises:
        ValueError: The shapes do not match.

    >>> double_q_targets(
    ...     torch.tensor([1.0]), torch.tensor([0.5]),
    ...     torch.tensor([[0.0, 9.0]]), torch.tensor([[8.0, 4.0]]),
    ... )
    tensor([3.])
    """
    _check_values(q_target_next, q_online_next.shape, "q_target_next")
    _check_values(rewards, q_online_next.shape[:1], "rewards")
    _check_values(discounts, q_online_next.shape[:1], "discounts")
    best = q_online_next.argmax(dim=1, keepdim=True)
    return (rewards + discounts * q_target_next.gather(1, best).squeeze(1)).detach()


def td_errors(q_values: Tensor, actions: Tensor, targets: Tensor) -> Tensor:
    """Return the temporal-difference errors ``targets - Q(s, a)``.

    Sutton & Barto 2018, equation 6.5, http://incompleteideas.net/book/the-book-2nd.html.

    Args:
        q_values: float ``(batch, num_actions)``, with gradient.
        actions: Actions taken, int64 ``(batch,)``.
        targets: float ``(batch,)``.

    Returns:
        ``(batch,)``.

    Raises:
        ValueError: The shapes do not match.

    >>> td_errors(torch.tensor([[1.0, 2.0]]), torch.tensor([1]), torch.tensor([5.0]))
    tensor([3.])
    """
    _check_values(actions, q_values.shape[:1], "actions")
    _check_values(targets, q_values.shape[:1], "targets")
    return targets - q_values.gather(1, actions.unsqueeze(1)).squeeze(1)


def large_margin_losses(q_values: Tensor, actions: Tensor, margin: float) -> Tensor:
    """Return ``max_a (Q(s, a) + margin [a != a_E]) - Q(s, a_E)`` for demonstrated actions ``a_E``.

    The loss is 0 if the value of the demonstrated action exceeds all others by the margin. Piot et
    al. 2014; Hester et al. 2018, https://arxiv.org/abs/1704.03732, equation 2.

    Args:
        q_values: float ``(batch, num_actions)``, with gradient.
        actions: Demonstrated actions, int64 ``(batch,)``.
        margin: The margin.

    Returns:
        ``(batch,)``.

    Raises:
        ValueError: The shapes do not match.

    >>> large_margin_losses(torch.tensor([[1.0, 2.0], [1.0, 2.0]]), torch.tensor([0, 1]), 0.5)
    tensor([1.5000, 0.0000])
    """
    _check_values(actions, q_values.shape[:1], "actions")
    demonstrated = actions.unsqueeze(1)
    margins = torch.full_like(q_values, margin).scatter(1, demonstrated, 0.0)
    return (q_values + margins).amax(dim=1) - q_values.gather(1, demonstrated).squeeze(1)


def importance_weights(probabilities: Tensor, beta: float) -> Tensor:
    """Return the importance weights of prioritized sampling.

    ``(N P(i)) ** -beta``, divided by the maximum, so that ``N`` cancels out. Schaul et al. 2015,
    https://arxiv.org/abs/1511.05952, section 3.4 and line 10 of algorithm 1. The maximum is that of
    the batch, as in dqn_zoo: with the maximum of the whole memory, one improbable transition would
    scale down every update.

    Args:
        probabilities: Sampling probability of each transition, above 0, float ``(batch,)``.
        beta: 0 for equal weights, 1 for full compensation of the sampling probabilities.

    Returns:
        float32 ``(batch,)``, up to 1.

    >>> importance_weights(torch.tensor([0.5, 0.125]), beta=0.5)
    tensor([0.5000, 1.0000])
    """
    return (probabilities.min() / probabilities).pow(beta).float()


def weighted_mean(losses: Tensor, weights: Tensor) -> Tensor:
    """Return the mean of the weighted losses. The weights are not normalized.

    Schaul et al. 2015, https://arxiv.org/abs/1511.05952, line 13 of algorithm 1.

    Args:
        losses: float ``(batch,)``.
        weights: float ``(batch,)``.

    Raises:
        ValueError: The shapes do not match.

    >>> weighted_mean(torch.tensor([2.0, 4.0]), torch.tensor([1.0, 0.5]))
    tensor(2.)
    """
    _check_values(weights, losses.shape, "weights")
    return (weights * losses).mean()


def _check_values(values: Tensor, shape: torch.Size, name: str) -> None:
    # broadcasting (batch,) against (batch, 1) would silently compute batch x batch targets
    if values.shape != shape:
        raise ValueError(f"{name} has shape {tuple(values.shape)}, expected {tuple(shape)}")
