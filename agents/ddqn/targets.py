"""Learning rules: pure functions of tensors, that check the shapes they are given.

Whatever lies between a state and the one that it is bootstrapped from, one step or ``n``, is in two
numbers a transition: its discounted reward, and the discount of what comes after (``gamma ** n``,
or 0 where the game ended on the way).
"""

from __future__ import annotations

import torch
from torch import Tensor


def double_q_targets(
    rewards: Tensor, discounts: Tensor, q_online_next: Tensor, q_target_next: Tensor
) -> Tensor:
    """What Double Q-learning would have the value of each transition be.

    ``r + discount * Q_target(s', argmax_a Q_online(s', a))``: one network chooses the action and
    another values it, so that the errors of one are not chosen for being high.
    Van Hasselt et al. 2015, https://arxiv.org/abs/1509.06461, equation 4.

    Args:
        rewards: discounted rewards between the two states, float ``(batch,)``.
        discounts: of what comes after, float ``(batch,)``; 0 where the game ended.
        q_online_next: the online network's values of the later state, ``(batch, actions)``.
        q_target_next: the target network's, ``(batch, actions)``.

    Returns:
        ``(batch,)``, without a gradient.

    Raises:
        ValueError: the shapes do not go together.

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
    """How far the values of the actions taken are below their targets.

    Sutton & Barto 2018, equation 6.5, http://incompleteideas.net/book/the-book-2nd.html.

    Args:
        q_values: float ``(batch, actions)``; the gradient flows into them.
        actions: the actions taken, int64 ``(batch,)``.
        targets: float ``(batch,)``.

    Returns:
        ``targets - Q(s, a)``, ``(batch,)``.

    Raises:
        ValueError: the shapes do not go together.

    >>> td_errors(torch.tensor([[1.0, 2.0]]), torch.tensor([1]), torch.tensor([5.0]))
    tensor([3.])
    """
    _check_values(actions, q_values.shape[:1], "actions")
    _check_values(targets, q_values.shape[:1], "targets")
    return targets - q_values.gather(1, actions.unsqueeze(1)).squeeze(1)


def importance_weights(probabilities: Tensor, beta: float) -> Tensor:
    """How much transitions count that were not drawn as often as others.

    ``(N P(i)) ** -beta``, divided by the largest, in which ``N`` cancels out. Schaul et al. 2015,
    https://arxiv.org/abs/1511.05952, section 3.4 and line 10 of algorithm 1. The largest is that of
    the batch, as in dqn_zoo: were it that of the memory, one transition that hardly ever is drawn
    would make every step of learning smaller.

    Args:
        probabilities: of each transition to be drawn, above 0, float ``(batch,)``.
        beta: 0 for the same weight for all, 1 to make up for the probabilities wholly.

    Returns:
        float32 ``(batch,)``, up to 1.

    >>> importance_weights(torch.tensor([0.5, 0.125]), beta=0.5)
    tensor([0.5000, 1.0000])
    """
    return (probabilities.min() / probabilities).pow(beta).float()


def weighted_mean(losses: Tensor, weights: Tensor) -> Tensor:
    """The mean of losses times their weights, divided by the number of losses.

    Schaul et al. 2015, https://arxiv.org/abs/1511.05952, line 13 of algorithm 1.

    Args:
        losses: float ``(batch,)``.
        weights: float ``(batch,)``.

    Raises:
        ValueError: the shapes do not go together.

    >>> weighted_mean(torch.tensor([2.0, 4.0]), torch.tensor([1.0, 0.5]))
    tensor(2.)
    """
    _check_values(weights, losses.shape, "weights")
    return (weights * losses).mean()


def _check_values(values: Tensor, shape: torch.Size, name: str) -> None:
    # broadcasting (batch,) against (batch, 1) would silently learn batch x batch targets
    if values.shape != shape:
        raise ValueError(f"{name} has the shape {tuple(values.shape)}; give {tuple(shape)}")
