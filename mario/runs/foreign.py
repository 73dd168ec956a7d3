"""Recognizes the checkpoints of well-known other projects.

Networks that equal the tutorial's are converted. For the others, a message says what the file is.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from agents.networks.tutorial_cnn import is_tutorial

DATA_PARALLEL = "module."
"""Prefix of the names of weights that `torch.nn.DataParallel` saved."""

PIXEL_MAX = 255.0
"""The largest gray level. The tutorial's network gets gray levels from 0 to 1, others up to 255."""

SOURISH07 = {
    f"{theirs}.{kind}": f"online.{ours}.{kind}"
    for theirs, ours in (
        *((f"network.0.{layer}", layer) for layer in (0, 2, 4)),
        ("network.2", 7),
        ("network.4", 9),
    )
    for kind in ("weight", "bias")
}
"""Names in https://github.com/Sourish07/Super-Mario-Bros-RL and in the tutorial."""

OTHERS = {
    frozenset({"conv4.weight", "linear.weight", "actor_linear.weight", "critic_linear.weight"}): (
        "a network of uvipen's Super-mario-bros-PPO-pytorch"
    ),
    frozenset({"conv4.weight", "lstm.weight_ih", "actor_linear.weight", "critic_linear.weight"}): (
        "a network of uvipen's Super-mario-bros-A3C-pytorch"
    ),
    frozenset({"features_extractor.cnn.0.weight", "action_net.weight", "value_net.weight"}): (
        "a policy of Stable-Baselines3"
    ),
    frozenset({"q_net.features_extractor.cnn.0.weight"}): "a Q network of Stable-Baselines3",
}
"""What files are that contain some names of weights."""


def convert(content: Any) -> Any:
    """Return content in the tutorial's format if it has the tutorial's network, else unchanged.

    Args:
        content: what a file contains.
    """
    if not isinstance(content, Mapping):
        return content
    if isinstance(content.get("model"), dict):
        return {**content, "model": _strip(content["model"])}
    weights = _strip(dict(content))
    if SOURISH07.keys() <= weights.keys():
        online = {ours: weights[theirs] for theirs, ours in SOURISH07.items()}
        first = online["online.0.weight"]
        if isinstance(first, torch.Tensor):
            online["online.0.weight"] = first * PIXEL_MAX
        target = {name.replace("online", "target"): weight for name, weight in online.items()}
        weights = online | target
    if is_tutorial(weights):
        return {"model": weights, "exploration_rate": 0.0}
    return content


def describe(content: Any) -> str:
    """Return what content is that this program cannot use, or ``""`` if it is unknown."""
    if not isinstance(content, Mapping):
        return ""
    names = set(content)
    if isinstance(content.get("model"), Mapping):
        names |= set(content["model"])
    stripped = {str(name).removeprefix(DATA_PARALLEL) for name in names}
    for known, description in OTHERS.items():
        if known <= stripped:
            return description
    if names and all(isinstance(value, torch.Tensor) for value in content.values()):
        return f"the weights of another network, beginning with {min(map(str, names))!r}"
    return ""


def describe_archive(path: Path) -> str:
    """Return what an archive is that `torch.save` did not write, or ``""`` if it is unknown."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return ""
    if "policy.pth" in names:
        return "a model of Stable-Baselines3"
    if names and all(name.endswith(".npy") for name in names):
        return "a file of NumPy arrays"
    return "" if any(name.endswith("data.pkl") for name in names) else "a ZIP archive"


def _strip(weights: dict[str, Any]) -> dict[str, Any]:
    """Return weights without the prefixes of `torch.nn.DataParallel`."""
    if not any(isinstance(name, str) and DATA_PARALLEL in name for name in weights):
        return weights
    return {str(name).replace(DATA_PARALLEL, ""): weight for name, weight in weights.items()}
