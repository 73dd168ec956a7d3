"""Returns over several steps: a pure function of what was recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def n_step_returns(
    rewards: NDArray[np.float32],
    terminated: NDArray[np.bool_],
    truncated: NDArray[np.bool_],
    gamma: float,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
    """Sum the rewards of up to ``n`` steps, as far as the episode went.

    Sutton & Barto 2018, equation 7.1, http://incompleteideas.net/book/the-book-2nd.html. After an
    end of either kind no further step counts; only a termination also stops the bootstrap.

    Args:
        rewards: float32 ``(batch, n)``, those of consecutive steps.
        terminated: the game ended with this step, bool ``(batch, n)``.
        truncated: the episode was cut short after this step, bool ``(batch, n)``.
        gamma: discount per step.

    Returns:
        The discounted rewards ``(batch,)``; the discount of what comes after ``(batch,)``, 0 where
        the game ended; how many steps were counted ``(batch,)``.

    >>> ones, no = np.ones((1, 2), np.float32), np.zeros((1, 2), np.bool_)
    >>> n_step_returns(ones, no, no, gamma=0.5)
    (array([1.5], dtype=float32), array([0.25], dtype=float32), array([2]))
    >>> n_step_returns(ones, ~no, no, gamma=0.5)
    (array([1.], dtype=float32), array([0.], dtype=float32), array([1]))
    """
    n = rewards.shape[1]
    counted = np.ones(rewards.shape, np.bool_)
    counted[:, 1:] = ~np.logical_or.accumulate(terminated | truncated, axis=1)[:, :-1]
    steps = counted.sum(axis=1)
    powers = np.power(gamma, np.arange(n + 1)).astype(np.float32)
    discounts = np.where((terminated & counted).any(axis=1), np.float32(0), powers[steps])
    return (rewards * counted * powers[:n]).sum(axis=1), discounts, steps
