"""What an update of proximal policy optimization makes less, and what is told of it."""

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
"""What `PPOLoss` gives, in its order."""


@dataclass(frozen=True)
class PPOLoss:
    """The loss of ppo2 in OpenAI's baselines.

    Attributes:
        clip: how far a ratio of probabilities may go and still gain.
        value_clip: the same for values; infinite for any distance.
        value_coef: weight of the error of values.
        entropy_coef: what being undecided is worth.
    """

    clip: float
    value_clip: float
    value_coef: float
    entropy_coef: float

    def __call__(self, output: PolicyOutput, batch: TensorDict) -> Tensor:
        """Take the means over a batch.

        Args:
            output: what the policy makes of the batch now.
            batch: ``action``, ``log_prob``, ``value``, ``advantage``, ``return`` and ``weight``,
                all ``(sequences, time)``.

        Returns:
            `MEANS`, ``(6,)``.
        """
        taken = output.log_probs.gather(2, batch["action"].unsqueeze(2)).squeeze(2)
        policy = clipped_policy_losses(taken, batch["log_prob"], batch["advantage"], self.clip)
        value = clipped_value_losses(
            output.values, batch["value"], batch["return"], self.value_clip
        )
        entropy = entropies(output.log_probs)
        moved = taken.detach() - batch["log_prob"]
        columns = (
            policy + self.value_coef * value - self.entropy_coef * entropy,
            policy,
            value,
            entropy,
            0.5 * moved.square(),
            ((moved.exp() - 1).abs() > self.clip).float(),
        )
        means: Tensor = (torch.stack(columns) * batch["weight"]).mean(dim=(1, 2))
        return means


def prepare(minibatch: TensorDict, normalize: bool) -> TensorDict:
    """Give the steps of a minibatch their ``weight``, 0 for one that never happened, 1 in the mean.

    Args:
        minibatch: what `agents.ppo.rollout_buffer.RolloutBuffer.sequences` gives, or part of it; is changed.
        normalize: whether the advantages are to have mean 0 and deviation 1.
    """
    happened = minibatch["happened"].float()
    minibatch["weight"] = happened / happened.mean().clamp(min=1 / happened.numel())
    if normalize:
        minibatch["advantage"] = standardized(minibatch["advantage"], minibatch["weight"])
    return minibatch
