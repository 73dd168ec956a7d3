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
    """What changed from the last picture but one to the last; of a lone picture, the picture.

    Args:
        states: uint8 ``(batch, pictures, ...)``.

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
    """The rewards from each step of an episode on, discounted by how far they are away.

    Args:
        rewards: ``(steps,)``.
        gamma: discount per step.
        restart: leave out what follows the next reward.

    Returns:
        ``(steps,)``.

    >>> points = np.array([0, 1, 0, -1], np.float32)
    >>> discounted_returns(points, 0.5, restart=True).tolist()
    [0.5, 1.0, -0.5, -1.0]
    >>> discounted_returns(points, 0.5, restart=False).tolist()
    [0.375, 0.75, -0.5, -1.0]
    """
    returns, after = np.array(rewards, np.float64), 0.0
    for step in reversed(range(len(rewards))):
        if not (restart and rewards[step]):
            returns[step] += gamma * after
        after = returns[step]
    return returns


def standardized(returns: NDArray[np.float64]) -> NDArray[np.float32]:
    """Returns less their mean, in units of their standard deviation; all 0 if they are alike.

    >>> standardized(np.array([1.0, 3.0])).tolist(), standardized(np.array([2.0])).tolist()
    ([-1.0, 1.0], [0.0])
    """
    spread = returns.std()
    return np.asarray((returns - returns.mean()) / (spread if spread > 0 else 1.0), np.float32)


def surrogate(log_probabilities: Tensor, actions: Tensor, advantages: Tensor) -> Tensor:
    """What to make less, and how undecided the policy is.

    The gradient of ``-advantage * log pi(action)`` is that of the expected return, the other way
    round: Williams 1992, https://doi.org/10.1007/BF00992696.

    Args:
        log_probabilities: ``(batch, actions)``.
        actions: what was done, int64 ``(batch,)``.
        advantages: how much better than usual it went, ``(batch,)``.

    Returns:
        ``(2,)``: means over the batch of the surrogate loss and of the policy's entropy in nats.
    """
    if log_probabilities.ndim != 2 or not len(log_probabilities) == len(actions) == len(advantages):
        shapes = [tuple(each.shape) for each in (log_probabilities, actions, advantages)]
        raise ValueError(f"shapes are {shapes}; give (batch, actions), (batch,) and (batch,)")
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
