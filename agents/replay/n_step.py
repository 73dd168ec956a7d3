"""N-step returns: discounted sums of the rewards of consecutive steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def n_step_returns(
    rewards: NDArray[np.float32],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    gamma: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Sum the rewards of up to ``n`` steps, but not beyond the end of the episode.

    Sutton & Barto 2018, equation 7.1, http://incompleteideas.net/book/the-book-2nd.html. Both
    termination and truncation end the sum; after a termination there is no bootstrap value.

    Args:
        rewards: float32 ``(batch, n)``, of consecutive steps.
        terminated: whether the game ended with the step, bool ``(batch, n)``.
        truncated: whether the episode was cut short after the step, bool ``(batch, n)``.
        gamma: discount per step.

    Returns:
        The discounted sum of the rewards, float32 ``(batch,)``; the discount of the bootstrap
        value, float32 ``(batch,)``, 0 where the game ended; and the number of steps that were
        summed, int64 ``(batch,)``.

    >>> ones, never = np.ones((1, 2), np.float32), np.zeros((1, 2), np.bool_)
    >>> n_step_returns(ones, never, never, gamma=0.5)
    (array([1.5], dtype=float32), array([0.25], dtype=float32), array([2]))
    >>> n_step_returns(ones, ~never, never, gamma=0.5)
    (array([1.], dtype=float32), array([0.], dtype=float32), array([1]))
    """
    n = rewards.shape[1]
    summed = np.ones(rewards.shape, np.bool_)
    summed[:, 1:] = ~np.logical_or.accumulate(terminated | truncated, axis=1)[:, :-1]
    steps = summed.sum(axis=1)
    powers = np.power(gamma, np.arange(n + 1)).astype(np.float32)
    discounts = np.where((terminated & summed).any(axis=1), np.float32(0), powers[steps])
    return (rewards * summed * powers[:n]).sum(axis=1), discounts, steps
