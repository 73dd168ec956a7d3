"""Advantage estimation and loss terms of PPO: pure functions with shape checks."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-8
"""Added to the standard deviation before dividing, as in OpenAI baselines."""


def generalized_advantages(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    ended: Tensor,
    gamma: float,
    lam: float,
) -> Tensor:
    """Return the generalized advantage estimates.

    ``A_t = d_t + gamma * lam * A_(t+1)`` with ``d_t = r_t + gamma * V(s_(t+1)) - V(s_t)``. The sum
    stops at the end of an episode; after a termination, the next value is 0. Schulman et al. 2015,
    https://arxiv.org/abs/1506.02438, equation 16.

    Args:
        rewards: float ``(time, num_envs)``.
        values: Values of the states before each step.
        next_values: Values of the states after each step; at the end of an episode, of its final
            state.
        terminated: Whether the game ended with the step, bool.
        ended: Whether the episode ended, by termination or truncation, bool.
        gamma: Discount factor.
        lam: Lambda; 0 for the least variance, 1 for the least bias.

    Returns:
        ``(time, num_envs)``, without a gradient.

    Raises:
        ValueError: The shapes differ.

    >>> steps = torch.ones(2, 1)
    >>> still = torch.zeros(2, 1, dtype=torch.bool)
    >>> generalized_advantages(steps, 0 * steps, steps, still, still, gamma=0.5, lam=1.0).tolist()
    [[2.25], [1.5]]
    """
    given = {"values": values, "next_values": next_values, "terminated": terminated, "ended": ended}
    _check_shapes(rewards, **given)
    errors = rewards + gamma * next_values * ~terminated - values
    decay = gamma * lam * ~ended
    advantages = torch.zeros_like(values)
    following = torch.zeros_like(values[0])
    for step in reversed(range(len(rewards))):
        following = errors[step] + decay[step] * following
        advantages[step] = following
    return advantages.detach()


def standardized(numbers: Tensor, weights: Tensor) -> Tensor:
    """Normalize numbers to weighted mean 0 and weighted standard deviation 1.

    Args:
        numbers: Tensor of any shape.
        weights: Non-negative weights of the same shape with mean 1.

    Raises:
        ValueError: The shapes differ.

    >>> standardized(torch.tensor([1.0, 3.0, 99.0]), torch.tensor([1.5, 1.5, 0.0]))[:2].tolist()
    [-1.0, 1.0]
    """
    _check_shapes(numbers, weights=weights)
    shifted = numbers - (weights * numbers).mean()
    return shifted / ((weights * shifted.square()).mean().sqrt() + EPSILON)


def clipped_policy_losses(
    log_probs: Tensor, old_log_probs: Tensor, advantages: Tensor, clip: float
) -> Tensor:
    """Return the clipped surrogate loss of each step.

    The negative of Schulman et al. 2017, https://arxiv.org/abs/1707.06347, equation 7.

    Args:
        log_probs: Log probabilities of the actions under the current policy, with gradient.
        old_log_probs: Log probabilities under the policy that took the actions.
        advantages: Advantages of the actions.
        clip: Clip range of the probability ratio.

    Returns:
        One loss per step, with the shape of the inputs.

    Raises:
        ValueError: The shapes differ.

    >>> now, then = torch.log(torch.tensor([[0.9, 0.5], [0.5, 0.5]]))
    >>> clipped_policy_losses(now, then, torch.ones(2), clip=0.2).tolist()
    [-1.2000000476837158, -1.0]
    """
    _check_shapes(log_probs, old_log_probs=old_log_probs, advantages=advantages)
    ratios = (log_probs - old_log_probs).exp()
    clipped = ratios.clamp(1 - clip, 1 + clip)
    return torch.maximum(-advantages * ratios, -advantages * clipped)


def clipped_value_losses(
    values: Tensor, old_values: Tensor, returns: Tensor, clip: float
) -> Tensor:
    """Return the clipped value loss of each step.

    Half the larger of two squared errors: that of the value, and that of the value clipped to
    within ``clip`` of the old one. From OpenAI baselines, ``ppo2``; it is not in the paper.

    Args:
        values: Current value estimates, with gradient.
        old_values: Value estimates at the time of the steps.
        returns: Targets.
        clip: Clip range; infinite for the plain squared error.

    Returns:
        One loss per step, with the shape of the inputs.

    Raises:
        ValueError: The shapes differ.

    >>> clipped_value_losses(torch.ones(1), torch.zeros(1), torch.ones(1), clip=0.5).tolist()
    [0.125]
    """
    _check_shapes(values, old_values=old_values, returns=returns)
    clipped = old_values + (values - old_values).clamp(-clip, clip)
    return 0.5 * torch.maximum((values - returns).square(), (clipped - returns).square())


def entropies(log_probs: Tensor) -> Tensor:
    """Return the entropies in nats: ``-sum p log p`` over the last dimension.

    >>> entropies(torch.log(torch.tensor([[0.5, 0.5]]))).exp().tolist()
    [2.0]
    """
    return -(log_probs.exp() * log_probs).sum(dim=-1)


def explained_variance(values: Tensor, returns: Tensor) -> float:
    """Return the fraction of the variance of the returns that the values explain.

    Args:
        values: Tensor of any shape.
        returns: Tensor of the same shape.

    Returns:
        ``1 - var(returns - values) / var(returns)``: 1 for perfect values, 0 or less for useless
        ones, NaN if all returns are equal.

    Raises:
        ValueError: The shapes differ.

    >>> explained_variance(torch.tensor([1.0, 1.0]), torch.tensor([0.0, 2.0]))
    0.0
    """
    _check_shapes(returns, values=values)
    residual = (returns - values).var(correction=0)
    return float(1 - residual / returns.var(correction=0))


def _check_shapes(first: Tensor, **others: Tensor) -> None:
    # broadcasting (steps,) against (steps, 1) would silently compute steps x steps losses
    for name, other in others.items():
        if other.shape != first.shape:
            raise ValueError(
                f"{name} has shape {tuple(other.shape)}, expected {tuple(first.shape)}"
            )
