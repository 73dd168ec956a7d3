"""The REINFORCE loss of a policy over frame differences."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict
from torch import Tensor

from agents.agent import States
from agents.compute.data_parallel import DataParallel
from agents.networks.policy_mlp import PolicyNetwork

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
        rewards: ``(steps,)``.
        gamma: Discount factor.
        restart: Reset the return at each nonzero reward.

    Returns:
        ``(steps,)``.

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


def surrogate(log_probabilities: Tensor, actions: Tensor, advantages: Tensor) -> Tensor:
    """Return the surrogate loss and the entropy of the policy.

    The gradient of ``-advantage * log pi(action)`` estimates the negative gradient of the expected
    return: Williams 1992, https://doi.org/10.1007/BF00992696.

    Args:
        log_probabilities: ``(batch, num_actions)``.
        actions: Actions taken, int64 ``(batch,)``.
        advantages: ``(batch,)``.

    Returns:
        ``(2,)``: the mean surrogate loss and the mean entropy of the policy in nats.

    Raises:
        ValueError: The shapes do not match.
    """
    if log_probabilities.ndim != 2 or not len(log_probabilities) == len(actions) == len(advantages):
        shapes = [tuple(each.shape) for each in (log_probabilities, actions, advantages)]
        raise ValueError(f"shapes are {shapes}, expected (batch, num_actions), (batch,), (batch,)")
    chosen = log_probabilities.gather(1, actions[:, None])[:, 0]
    entropy = -(log_probabilities.exp() * log_probabilities).sum(dim=1)
    return torch.stack((-(advantages * chosen).mean(), entropy.mean()))


def episode_gradient(
    network: PolicyNetwork, episode: TensorDict, parallel: DataParallel
) -> tuple[Tensor, list[Tensor]]:
    """The gradient that one episode gives: a function of the network's weights and the episode.

    Whoever has both can compute it, wherever; gradients of several episodes are added.

    Args:
        network: whose weights.
        episode: ``difference`` int16 ``(steps, pixels)``, ``action`` int64 and ``advantage``
            float32, ``(steps,)``.
        parallel: shares the work.

    Returns:
        What `surrogate` gives, and for each parameter the gradient of the sum over the steps of the
        loss.
    """

    def means(part: TensorDict) -> Tensor:
        """Loss and entropy of some of the steps."""
        return surrogate(network(part["difference"]), part["action"], part["advantage"])

    told, gradients = parallel.gradients(means, episode, list(network.parameters()))
    return told, [gradient * len(episode) for gradient in gradients]
