"""Generalized advantage estimation, and statistics of advantages and returns."""

from __future__ import annotations

import torch
from torch import Tensor

EPSILON = 1e-8
"""Added to the standard deviation before dividing, as in OpenAI Baselines."""


def generalized_advantages(
    rewards: Tensor,
    values: Tensor,
    next_values: Tensor,
    terminated: Tensor,
    ended: Tensor,
    gamma: float,
    gae_lambda: float,
) -> Tensor:
    """Return the generalized advantage estimates.

    ``A_t = d_t + gamma * lambda * A_(t+1)`` with ``d_t = r_t + gamma * V(s_(t+1)) - V(s_t)``. The
    sum stops at the end of an episode; after a termination, the next value is 0. Schulman et al.
    2015, https://arxiv.org/abs/1506.02438, equation 16.

    Args:
        rewards: float ``(time, num_envs)``.
        values: values of the states before each step, of the same shape.
        next_values: values of the states after each step, of the same shape. At the end of an
            episode, this is the value of its final state.
        terminated: whether the game ended with the step, bool, of the same shape.
        ended: whether the episode ended, by termination or truncation, bool, of the same shape.
        gamma: discount factor.
        gae_lambda: 0 for minimum variance, 1 for minimum bias.

    Returns:
        ``(time, num_envs)``, without a gradient.

    Raises:
        ValueError: the shapes differ.

    >>> steps = torch.ones(2, 1)
    >>> no_ends = torch.zeros(2, 1, dtype=torch.bool)
    >>> generalized_advantages(steps, 0 * steps, steps, no_ends, no_ends, 0.5, 1.0).tolist()
    [[2.25], [1.5]]
    """
    check_shapes(
        rewards, values=values, next_values=next_values, terminated=terminated, ended=ended
    )
    errors = rewards + gamma * next_values * ~terminated - values
    decay = gamma * gae_lambda * ~ended
    advantages = torch.zeros_like(values)
    next_advantage = torch.zeros_like(values[0])
    for step in reversed(range(len(rewards))):
        next_advantage = errors[step] + decay[step] * next_advantage
        advantages[step] = next_advantage
    return advantages.detach()


def standardized(numbers: Tensor, weights: Tensor) -> Tensor:
    """Normalize numbers to weighted mean 0 and weighted standard deviation 1.

    Args:
        numbers: tensor of any shape.
        weights: non-negative weights of the same shape with mean 1.

    Raises:
        ValueError: the shapes differ.

    >>> standardized(torch.tensor([1.0, 3.0, 99.0]), torch.tensor([1.5, 1.5, 0.0]))[:2].tolist()
    [-1.0, 1.0]
    """
    check_shapes(numbers, weights=weights)
    shifted = numbers - (weights * numbers).mean()
    return shifted / ((weights * shifted.square()).mean().sqrt() + EPSILON)


def explained_variance(values: Tensor, returns: Tensor) -> float:
    """Return the fraction of the variance of the returns that the values explain.

    Args:
        values: tensor of any shape.
        returns: tensor of the same shape.

    Returns:
        ``1 - var(returns - values) / var(returns)``: 1 for perfect values, 0 or less for useless
        ones, NaN if all returns are equal.

    Raises:
        ValueError: the shapes differ.

    >>> explained_variance(torch.tensor([1.0, 1.0]), torch.tensor([0.0, 2.0]))
    0.0
    """
    check_shapes(returns, values=values)
    residual = (returns - values).var(correction=0)
    return float(1 - residual / returns.var(correction=0))


def check_shapes(first: Tensor, **others: Tensor) -> None:
    """Check that tensors have the same shape, since broadcasting would hide mistakes.

    Args:
        first: tensor with the expected shape.
        others: tensors to check. Their names appear in the message.

    Raises:
        ValueError: a shape differs.
    """
    for name, other in others.items():
        if other.shape != first.shape:
            raise ValueError(
                f"{name} has shape {tuple(other.shape)}, expected {tuple(first.shape)}"
            )
