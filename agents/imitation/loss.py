"""The loss of imitation learning."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import cross_entropy


def imitation_loss(
    logits: Tensor, actions: Tensor, label_smoothing: float = 0.0
) -> dict[str, Tensor]:
    """Return means over a batch: the cross-entropy ``loss``, and the ``agreement`` with the labels.

    Args:
        logits: unnormalized log-probabilities, float32 ``(batch, actions)``.
        actions: the actions to imitate, int64 ``(batch,)``, or their probabilities, float32
            ``(batch, actions)``.
        label_smoothing: probability that the targets spread over all actions. Szegedy et al. 2016,
            https://arxiv.org/abs/1512.00567, section 7.

    Raises:
        ValueError: the shapes do not fit each other.

    >>> import torch
    >>> means = imitation_loss(torch.tensor([[9.0, 0.0], [9.0, 0.0]]), torch.tensor([0, 1]))
    >>> means["agreement"].item(), round(means["loss"].item(), 2)
    (0.5, 4.5)
    """
    if logits.ndim != 2 or actions.shape not in (logits.shape[:1], logits.shape):
        raise ValueError(
            f"logits {tuple(logits.shape)} and actions {tuple(actions.shape)} do not fit; "
            "give (batch, actions), and (batch,) or (batch, actions)"
        )
    labels = actions if actions.ndim == 1 else actions.argmax(dim=1)
    return {
        "loss": cross_entropy(logits, actions, label_smoothing=label_smoothing),
        "agreement": (logits.argmax(dim=1) == labels).float().mean(),
    }
