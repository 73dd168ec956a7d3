"""The learning rules of policies: pure functions of tensors, that check the shapes they are given.

Steps are ``(time, games)`` where their order counts, and of any one shape where it does not.
"""

from __future__ import annotations

import torch
from torch import Tensor

SMALL = 1e-8
"""Keeps a division by a spread of nothing finite, as in OpenAI's baselines."""


def generalized_advantages(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    ended: Tensor,
    gamma: float,
    lam: float,
) -> Tensor:
    """How much better than expected each step turned out, from all that was seen after it.

    ``A_t = d_t + gamma * lam * A_(t+1)`` with ``d_t = r_t + gamma * V(s_(t+1)) - V(s_t)``: what
    comes after the end of an episode is no part of the sum, and what comes after a game's end is
    worth nothing. Schulman et al. 2015, https://arxiv.org/abs/1506.02438, equation 16.

    Args:
        rewards: of each step, float ``(time, games)``.
        values: of the state before each step.
        next_values: of the state that came of it; where an episode ended, of its true last state.
        terminated: whether the game ended with the step, bool.
        ended: whether the episode did, because the game ended or because it was cut short, bool.
        gamma: discount of a reward per step that it is away.
        lam: how much farther steps count; 0 is the least variance, 1 the least bias.

    Returns:
        ``(time, games)``, without a gradient.

    Raises:
        ValueError: the shapes do not go together.

    >>> steps = torch.ones(2, 1)
    >>> still = torch.zeros(2, 1, dtype=torch.bool)
    >>> generalized_advantages(steps, 0 * steps, steps, still, still, gamma=0.5, lam=1.0).tolist()
    [[2.25], [1.5]]
    """
    given = {"values": values, "next_values": next_values, "terminated": terminated, "ended": ended}
    _check_shapes(rewards, **given)
    errors = rewards + gamma * next_values * ~terminated - values
    fading = gamma * lam * ~ended
    advantages = torch.zeros_like(values)
    following = torch.zeros_like(values[0])
    for step in reversed(range(len(rewards))):
        following = errors[step] + fading[step] * following
        advantages[step] = following
    return advantages.detach()


def standardized(numbers: Tensor, weights: Tensor) -> Tensor:
    """Numbers shifted and scaled to mean 0 and deviation 1, each counting as often as its weight.

    Args:
        numbers: of any shape.
        weights: of the same shape, not less than 0, 1 in the mean.

    Raises:
        ValueError: the shapes do not go together.

    >>> standardized(torch.tensor([1.0, 3.0, 99.0]), torch.tensor([1.5, 1.5, 0.0]))[:2].tolist()
    [-1.0, 1.0]
    """
    _check_shapes(numbers, weights=weights)
    shifted = numbers - (weights * numbers).mean()
    return shifted / ((weights * shifted.square()).mean().sqrt() + SMALL)


def clipped_policy_losses(
    log_probs: Tensor, old_log_probs: Tensor, advantages: Tensor, clip: float
) -> Tensor:
    """What a policy is to make less, with nothing to gain by going far from the one that acted.

    Schulman et al. 2017, https://arxiv.org/abs/1707.06347, equation 7, with its sign changed.

    Args:
        log_probs: of the actions taken, as the policy is now; the gradient flows into them.
        old_log_probs: of the same, as they were when they were taken.
        advantages: of the same.
        clip: how far from 1 a ratio of probabilities may go and still gain.

    Returns:
        A loss for each step, of the shape that came.

    Raises:
        ValueError: the shapes do not go together.

    >>> now, then = torch.log(torch.tensor([[0.9, 0.5], [0.5, 0.5]]))
    >>> clipped_policy_losses(now, then, torch.ones(2), clip=0.2).tolist()
    [-1.2000000476837158, -1.0]
    """
    _check_shapes(log_probs, old_log_probs=old_log_probs, advantages=advantages)
    ratios = (log_probs - old_log_probs).exp()
    near = ratios.clamp(1 - clip, 1 + clip)
    return torch.maximum(-advantages * ratios, -advantages * near)


def clipped_value_losses(
    values: Tensor, old_values: Tensor, returns: Tensor, clip: float
) -> Tensor:
    """What an estimate of values is to make less, with little to gain by going far from the old.

    Half the larger of two squared errors: that of the value, and that of the value brought within
    ``clip`` of the old one. As in OpenAI's baselines, ``ppo2``; the paper has no such thing.

    Args:
        values: as they are estimated now; the gradient flows into them.
        old_values: as they were when the steps were made.
        returns: what they should be.
        clip: how far a value may go and still gain; infinite for the squared error alone.

    Returns:
        A loss for each step, of the shape that came.

    Raises:
        ValueError: the shapes do not go together.

    >>> clipped_value_losses(torch.ones(1), torch.zeros(1), torch.ones(1), clip=0.5).tolist()
    [0.125]
    """
    _check_shapes(values, old_values=old_values, returns=returns)
    near = old_values + (values - old_values).clamp(-clip, clip)
    return 0.5 * torch.maximum((values - returns).square(), (near - returns).square())


def entropies(log_probs: Tensor) -> Tensor:
    """How undecided each choice is, in nats: ``-sum p log p`` over the last dimension.

    >>> entropies(torch.log(torch.tensor([[0.5, 0.5]]))).exp().tolist()
    [2.0]
    """
    return -(log_probs.exp() * log_probs).sum(dim=-1)


def explained_variance(values: Tensor, returns: Tensor) -> float:
    """Which share of the returns' variance the values foresaw: 1 for all, 0 or less for none.

    Args:
        values: of any shape.
        returns: of the same shape.

    Returns:
        ``1 - var(returns - values) / var(returns)``; not a number where the returns are all alike.

    Raises:
        ValueError: the shapes do not go together.

    >>> explained_variance(torch.tensor([1.0, 1.0]), torch.tensor([0.0, 2.0]))
    0.0
    """
    _check_shapes(returns, values=values)
    left = (returns - values).var(correction=0)
    return float(1 - left / returns.var(correction=0))


def _check_shapes(first: Tensor, **others: Tensor) -> None:
    # broadcasting (steps,) against (steps, 1) would silently learn steps x steps losses
    for name, other in others.items():
        if other.shape != first.shape:
            raise ValueError(
                f"{name} has the shape {tuple(other.shape)}; give {tuple(first.shape)}"
            )
