"""The REINFORCE loss of a policy over frame differences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from agents.transitions import States

Differences = NDArray[np.int16]


def differences(states: States) -> Differences:
    """Return the difference between the last two frames, or the frame if there is only one.

    Args:
        states: uint8 ``(batch, frames, ...)``.

    Returns:
        int16 ``(batch, pixels)``, from -255 to 255.

    >>> differences(np.array([[[7, 9], [0, 250]]], np.uint8)).tolist()
    [[-7, 241]]
    """
    latest = states[:, -1].reshape(len(states), -1).astype(np.int16)
    if states.shape[1] > 1:
        latest -= states[:, -2].reshape(len(states), -1)
    return latest


def discounted_returns(
    rewards: NDArray[np.float32], gamma: float, restart: bool
) -> NDArray[np.float64]:
    """Return the discounted return of each step of an episode.

    Args:
        rewards: float32 ``(steps,)``.
        gamma: Discount factor.
        restart: Whether to reset the return at each nonzero reward, as if it ended an episode.

    Returns:
        float64 ``(steps,)``.

    >>> points = np.array([0, 1, 0, -1], np.float32)
    >>> discounted_returns(points, 0.5, restart=True).tolist()
    [0.5, 1.0, -0.5, -1.0]
    >>> discounted_returns(points, 0.5, restart=False).tolist()
    [0.375, 0.75, -0.5, -1.0]
    """
    returns, next_return = np.array(rewards, np.float64), 0.0
    for step in reversed(range(len(rewards))):
        if not (restart and rewards[step]):
            returns[step] += gamma * next_return
        next_return = returns[step]
    return returns


def standardized(returns: NDArray[np.float64]) -> NDArray[np.float32]:
    """Normalize returns to mean 0 and standard deviation 1; return zeros if they are all equal.

    >>> standardized(np.array([1.0, 3.0])).tolist(), standardized(np.array([2.0])).tolist()
    ([-1.0, 1.0], [0.0])
    """
    deviation = returns.std() or 1.0
    return np.asarray((returns - returns.mean()) / deviation, np.float32)


def reinforce_loss(log_probs: Tensor, actions: Tensor, advantages: Tensor) -> dict[str, Tensor]:
    """Return the surrogate loss and the entropy of the policy.

    The gradient of ``-advantage * log pi(action)`` estimates the negative gradient of the expected
    return: Williams 1992, https://doi.org/10.1007/BF00992696.

    Args:
        log_probs: log-probabilities of all actions, ``(batch, num_actions)``.
        actions: actions taken, int64 ``(batch,)``.
        advantages: ``(batch,)``.

    Returns:
        Means over the batch: ``loss``, and ``entropy`` in nats.

    Raises:
        ValueError: the shapes do not match.
    """
    if log_probs.ndim != 2 or not len(log_probs) == len(actions) == len(advantages):
        shapes = [tuple(tensor.shape) for tensor in (log_probs, actions, advantages)]
        raise ValueError(f"shapes are {shapes}; give (batch, num_actions), (batch,) and (batch,)")
    action_log_probs = log_probs.gather(1, actions[:, None])[:, 0]
    entropy = -(log_probs.exp() * log_probs).sum(dim=1)
    return {"loss": -(advantages * action_log_probs).mean(), "entropy": entropy.mean()}
