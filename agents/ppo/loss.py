"""The loss of PPO, as pure functions that check the shapes of their inputs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from tensordict import TensorDict
from torch import Tensor

from agents.networks.actor_critic import PolicyOutput
from agents.ppo.gae import check_shapes, standardized

MEANS = ("loss", "policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction")
"""Names of the means that `PPOLoss` returns."""


@dataclass(frozen=True)
class PPOLoss:
    """The loss of ``ppo2`` in OpenAI Baselines.

    Attributes:
        clip_range: clip range of the probability ratio.
        value_clip_range: clip range of the values; infinite for no clipping.
        value_coef: coefficient of the value loss.
        entropy_coef: coefficient of the entropy bonus.
    """

    clip_range: float
    value_clip_range: float
    value_coef: float
    entropy_coef: float

    def __call__(self, output: PolicyOutput, batch: TensorDict) -> dict[str, Tensor]:
        """Return the weighted means over a batch, by the names in `MEANS`.

        Args:
            output: the current policy's output for the batch.
            batch: ``action``, ``log_prob``, ``value``, ``advantage``, ``return`` and ``weight``,
                all ``(sequences, time)``.
        """
        log_probs = output.log_probs.gather(2, batch["action"].unsqueeze(2)).squeeze(2)
        policy_losses = clipped_policy_losses(
            log_probs, batch["log_prob"], batch["advantage"], self.clip_range
        )
        value_losses = clipped_value_losses(
            output.values, batch["value"], batch["return"], self.value_clip_range
        )
        entropy = entropies(output.log_probs)
        log_ratios = log_probs.detach() - batch["log_prob"]
        columns = (
            policy_losses + self.value_coef * value_losses - self.entropy_coef * entropy,
            policy_losses,
            value_losses,
            entropy,
            0.5 * log_ratios.square(),
            ((log_ratios.exp() - 1).abs() > self.clip_range).float(),
        )
        means = (torch.stack(columns) * batch["weight"]).mean(dim=(1, 2))
        return dict(zip(MEANS, means.unbind(), strict=True))


def prepare_minibatch(minibatch: TensorDict, normalize: bool) -> TensorDict:
    """Add a ``weight`` to the steps of a minibatch: 0 for invalid steps, and 1 on average.

    Args:
        minibatch: sequences of a `RolloutBuffer`; modified in place.
        normalize: whether to normalize the advantages to mean 0 and standard deviation 1.

    Returns:
        The same minibatch.
    """
    valid = minibatch["valid"].float()
    minibatch["weight"] = valid / valid.mean().clamp(min=1 / valid.numel())
    if normalize:
        minibatch["advantage"] = standardized(minibatch["advantage"], minibatch["weight"])
    return minibatch


def clipped_policy_losses(
    log_probs: Tensor, old_log_probs: Tensor, advantages: Tensor, clip: float
) -> Tensor:
    """Return the clipped surrogate loss of each step.

    The negative of Schulman et al. 2017, https://arxiv.org/abs/1707.06347, equation 7.

    Args:
        log_probs: log probabilities of the actions under the current policy, with gradient.
        old_log_probs: log probabilities under the policy that took the actions.
        advantages: advantages of the actions.
        clip: clip range of the probability ratio.

    Returns:
        One loss per step, with the shape of the inputs.

    Raises:
        ValueError: the shapes differ.

    >>> now, then = torch.log(torch.tensor([[0.9, 0.5], [0.5, 0.5]]))
    >>> clipped_policy_losses(now, then, torch.ones(2), clip=0.2).tolist()
    [-1.2000000476837158, -1.0]
    """
    check_shapes(log_probs, old_log_probs=old_log_probs, advantages=advantages)
    ratios = (log_probs - old_log_probs).exp()
    clipped = ratios.clamp(1 - clip, 1 + clip)
    return torch.maximum(-advantages * ratios, -advantages * clipped)


def clipped_value_losses(
    values: Tensor, old_values: Tensor, returns: Tensor, clip: float
) -> Tensor:
    """Return the clipped value loss of each step.

    The loss is half the larger of two squared errors: that of the value, and that of the value
    clipped to within ``clip`` of the old value. It is the loss of ``ppo2`` in OpenAI Baselines and
    does not appear in the paper.

    Args:
        values: current value estimates, with gradient.
        old_values: value estimates at the time of the steps.
        returns: targets of the values.
        clip: clip range; infinite for the plain squared error.

    Returns:
        One loss per step, with the shape of the inputs.

    Raises:
        ValueError: the shapes differ.

    >>> clipped_value_losses(torch.ones(1), torch.zeros(1), torch.ones(1), clip=0.5).tolist()
    [0.125]
    """
    check_shapes(values, old_values=old_values, returns=returns)
    clipped = old_values + (values - old_values).clamp(-clip, clip)
    return 0.5 * torch.maximum((values - returns).square(), (clipped - returns).square())


def entropies(log_probs: Tensor) -> Tensor:
    """Return the entropies in nats: ``-sum p log p`` over the last dimension.

    >>> entropies(torch.log(torch.tensor([[0.5, 0.5]]))).exp().tolist()
    [2.0]
    """
    return -(log_probs.exp() * log_probs).sum(dim=-1)
