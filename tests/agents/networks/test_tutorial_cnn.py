from __future__ import annotations

import pytest
import torch
from torch import nn

from agents.networks.tutorial_cnn import from_tutorial, is_tutorial


class TutorialNet(nn.Module):
    """The tutorial's network, with its numbering of layers."""

    def __init__(self, frames: int = 4, actions: int = 2) -> None:
        super().__init__()
        self.online, self.target = self.layers(frames, actions), self.layers(frames, actions)

    @staticmethod
    def layers(frames: int, actions: int) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(frames, 32, 8, 4),
            nn.ReLU(),
            nn.Conv2d(32, 64, 4, 2),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3, 1),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(3136, 512),
            nn.ReLU(),
            nn.Linear(512, actions),
        )


@pytest.mark.parametrize(("frames", "actions"), [(4, 2), (1, 7)])
def test_it_computes_the_same_values_as_the_tutorials_network(frames: int, actions: int):
    tutorial = TutorialNet(frames, actions)
    network = from_tutorial(tutorial.state_dict())
    states = torch.randint(0, 256, (5, frames, 84, 84), dtype=torch.uint8)
    scaled = states.float() / 255
    torch.testing.assert_close(network.online(states), tutorial.online(scaled))
    torch.testing.assert_close(network.target(states), tutorial.target(scaled))


def test_other_names_are_refused():
    weights = TutorialNet().state_dict()
    assert is_tutorial(weights)
    weights["online.11.weight"] = weights.pop("online.9.weight")
    assert not is_tutorial(weights)
    with pytest.raises(ValueError, match=r"differ in 'online.11.weight' and 1 more names"):
        from_tutorial(weights)


@pytest.mark.parametrize(
    ("name", "shape", "message"),
    [
        ("online.2.weight", (64, 32, 5, 5), r"weights have features.2.weight \(64, 32, 5, 5\)"),
        ("online.7.weight", (512, 6400), r"weights have online_head.0.weight \(512, 6400\)"),
        ("target.9.bias", (3,), r"weights have target_head.2.bias \(3,\)"),
        ("online.0.weight", (32,), r"layers 0, 7, 9 have the shapes \(32,\)"),
    ],
)
def test_other_shapes_are_refused_by_name(name, shape, message):
    weights = TutorialNet().state_dict() | {name: torch.zeros(shape)}
    with pytest.raises(ValueError, match=message):
        from_tutorial(weights)
