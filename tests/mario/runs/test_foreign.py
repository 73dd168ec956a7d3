"""Checkpoints of other projects are played if their network is ours, else named in one line."""

from __future__ import annotations

import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from agents.networks.tutorial_cnn import from_tutorial
from mario.runs.checkpoint import load
from mario.runs.file_kind import CheckpointError
from mario.runs.foreign import SOURISH07
from mario.runs.trained_agent import load_agent


def tutorial_network(num_actions=5):
    return nn.Sequential(
        nn.Conv2d(4, 32, 8, stride=4), nn.ReLU(), nn.Conv2d(32, 64, 4, stride=2), nn.ReLU(),
        nn.Conv2d(64, 64, 3, stride=1), nn.ReLU(), nn.Flatten(), nn.Linear(3136, 512), nn.ReLU(),
        nn.Linear(512, num_actions),
    )  # fmt: skip


def tutorial_weights(prefix=""):
    weights = tutorial_network().state_dict()
    return {f"{net}.{prefix}{key}": w for net in ("online", "target") for key, w in weights.items()}


@pytest.mark.parametrize(
    "content",
    [
        {"model": tutorial_weights("module."), "exploration_rate": 0.1},
        {
            "model": {f"module.{key}": weight for key, weight in tutorial_weights().items()},
            "exploration_rate": 1,
        },
        tutorial_weights(),
        {f"module.{key}": weight for key, weight in tutorial_weights().items()},
    ],
    ids=["each network parallel", "all parallel", "weights only", "parallel weights only"],
)  # fmt: skip
def test_variants_of_tutorial_files_are_loaded(tmp_path, content):
    torch.save(content, tmp_path / "a.chkpt")
    assert load_agent(tmp_path / "a.chkpt").num_actions == 5


def test_a_network_for_gray_levels_up_to_255_computes_the_same_values(tmp_path):
    """As in Super-Mario-Bros-RL of Sourish07, which names the convolutions twice."""
    theirs = tutorial_network()
    weights = {f"online.{key}": weight for key, weight in theirs.state_dict().items()}
    named = {name: weights[ours].clone() for name, ours in SOURISH07.items()}
    shared = {
        name.replace("network.0", "conv_layers"): weight
        for name, weight in named.items()
        if name.startswith("network.0")
    }
    torch.save(named | shared, tmp_path / "a.pt")
    network = from_tutorial(load(tmp_path / "a.pt")["model"])
    states = torch.randint(0, 256, (3, 4, 84, 84), dtype=torch.uint8)
    values = network(states)
    torch.testing.assert_close(values, theirs(states.float()), rtol=1e-3, atol=1e-2)


def convs(*names):
    return {f"{name}.{kind}": torch.zeros(2) for name in names for kind in ("weight", "bias")}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            convs("conv1", "conv4", "linear", "critic_linear", "actor_linear"),
            "it is a network of uvipen's Super-mario-bros-PPO-pytorch, which this program cannot",
        ),
        (
            convs("conv4", "critic_linear", "actor_linear") | {"lstm.weight_ih": torch.zeros(2)},
            "uvipen's Super-mario-bros-A3C-pytorch",
        ),
        (
            convs("features_extractor.cnn.0", "action_net", "value_net"),
            "a policy of Stable-Baselines3",
        ),
        (convs("q_net.features_extractor.cnn.0"), "a Q network of Stable-Baselines3"),
        (convs("encoder"), "the weights of another network, beginning with 'encoder.bias'"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "module."])
def test_other_networks_are_named(tmp_path, content, message, prefix):
    torch.save({prefix + name: weight for name, weight in content.items()}, tmp_path / "a.pt")
    with pytest.raises(CheckpointError, match=message.replace("'encoder", f"'{prefix}encoder")):
        load(tmp_path / "a.pt")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["data", "policy.pth", "pytorch_variables.pth"], "a model of Stable-Baselines3"),
        (["arr_0.npy"], "a file of NumPy arrays"),
        (["readme.txt"], "not a checkpoint: a ZIP archive|is refused: a ZIP archive"),
    ],
)
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_other_archives_are_named(tmp_path, names, message, method):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as archive:
        for name in names:
            archive.writestr(name, b"x" * 100)
    with pytest.raises(CheckpointError, match=message):
        load(tmp_path / "a.zip")


def test_a_numpy_number_is_named_with_the_remedy(tmp_path):
    content = {"model": tutorial_weights(), "exploration_rate": np.float64(0.1)}
    torch.save(content, tmp_path / "a.chkpt")
    with pytest.raises(CheckpointError, match="save NumPy numbers as float") as refusal:
        load(tmp_path / "a.chkpt")
    assert "\n" not in str(refusal.value)
    assert "\x1b" not in str(refusal.value)
