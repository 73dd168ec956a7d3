"""Checkpoints of the PyTorch tutorial, which contain weights but no configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from agents.networks.tutorial_cnn import from_tutorial
from mario.runs.file_kind import CheckpointError

ACTION_SETS = {2: "tutorial", 5: "right-only", 7: "simple", 12: "complex"}
"""Action set of a tutorial checkpoint, by the number of outputs of its network."""


def tutorial_settings(path: Path, weights: dict[str, Any]) -> tuple[str, int, int]:
    """Return the action set, the number of actions and the number of stacked frames.

    Args:
        path: the file, for error messages.
        weights: ``model`` of the checkpoint.

    Raises:
        CheckpointError: the weights are not those of the tutorial's network.
    """
    try:
        with torch.device("meta"):  # checks names and shapes without allocating the network
            from_tutorial({name: weight.to("meta") for name, weight in weights.items()})
    except (ValueError, AttributeError) as error:
        raise CheckpointError(f"checkpoint {path} is refused: {error}") from None
    num_actions, stack = len(weights["online.9.bias"]), weights["online.0.weight"].shape[1]
    actions = ACTION_SETS.get(num_actions)
    if actions is None:
        raise CheckpointError(
            f"checkpoint {path} has {num_actions} actions, but the known action sets have "
            f"{', '.join(map(str, ACTION_SETS))}"
        )
    return actions, num_actions, stack
