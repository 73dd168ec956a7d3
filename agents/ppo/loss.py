"""The loss of PPO and the metrics of an update."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from tensordict import TensorDict
from torch import Tensor

from agents.networks.actor_critic import PolicyOutput
from agents.ppo.advantages import (
    clipped_policy_losses,
    clipped_value_losses,
    entropies,
    standardized,
)

MEANS = ("loss", "policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction")
"""The values that `PPOLoss` returns, in this order."""


@dataclass(frozen=True)
class PPOLoss:
    """The loss of ppo2 in OpenAI baselines.

    Attributes:
        clip: Clip range of the probability ratio.
        value_clip: Clip range of the values; infinite for no clipping.
        value_coef: Coefficient of the value loss.
        entropy_coef: Coefficient of the entropy bonus.
    """

    clip: float
    value_clip: float
    value_coef: float
    entropy_coef: float

    def __call__(self, output: PolicyOutput, batch: TensorDict) -> Tensor:
        """Return the weighted means over a batch.

        Args:
            output: Output of the current policy for the batch.
            batch: ``action``, ``log_prob``, ``value``, ``advantage``, ``return`` and ``weight``,
                all ``(sequences, time)``.

        Returns:
            `MEANS`, ``(6,)``.
        """
        log_probs = output.log_probs.gather(2, batch["action"].unsqueeze(2)).squeeze(2)
        policy = clipped_policy_losses(log_probs, batch["log_prob"], batch["advantage"], self.clip)
        value = clipped_value_losses(
            output.values, batch["value"], batch["return"], self.value_clip
        )
        entropy = entropies(output.log_probs)
        log_ratio = log_probs.detach() - batch["log_prob"]
        columns = (
            policy + self.value_coef * value - self.entropy_coef * entropy,
            policy,
            value,
            entropy,
            0.5 * log_ratio.square(),
            ((log_ratio.exp() - 1).abs() > self.clip).float(),
        )
        means: Tensor = (torch.stack(columns) * batch["weight"]).mean(dim=(1, 2))
        return means


def prepare(minibatch: TensorDict, normalize: bool) -> TensorDict:
    """Add ``weight`` to a minibatch: 0 for steps that did not happen, with mean 1.

    Args:
        minibatch: Some of the sequences of a `RolloutBuffer`; modified in place.
        normalize: Normalize the advantages to mean 0 and standard deviation 1.
    """
    happened = minibatch["happened"].float()
    minibatch["weight"] = happened / happened.mean().clamp(min=1 / happened.numel())
    if normalize:
        minibatch["advantage"] = standardized(minibatch["advantage"], minibatch["weight"])
    return minibatch
