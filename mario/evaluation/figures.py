"""Figures of an agent: its observations, the filters that it has learned, and feature maps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import interpolate, pad
from torchvision.utils import make_grid, save_image

from agents import Agent
from agents.agent import EPISODE_START
from agents.networks.nature_cnn import NatureCNN
from agents.networks.policy_mlp import PolicyNetwork
from mario.evaluation.acting import choose_actions
from mario.system.files import write_atomically

States = NDArray[np.uint8]

NUM_STATES = 6
"""Number of states in the observation grid."""
STATE_INTERVAL = 30
"""Agent steps between two of these states: two seconds at four frames per step."""
TILE = 80
"""Approximate side of a filter or a feature map in a grid, in pixels."""
TILES_PER_ROW = 16
PADDING = 4
BACKGROUND = 0.25
"""Gray level between the tiles, so that dark and bright tiles both stand out."""


def collect_states(agent: Agent, env: gym.Env[Any, Any], *, seed: int = 0) -> States:
    """Play and return states that are `STATE_INTERVAL` agent steps apart.

    Args:
        agent: Agent for a single environment.
        env: Environment with the wrappers that the agent expects.
        seed: Seed of the first episode.

    Returns:
        States, uint8 ``(NUM_STATES, *state_shape)``.
    """
    states: list[States] = []
    ended, step = True, 0
    state = np.empty(0, np.uint8)
    while len(states) < NUM_STATES:
        if ended:
            state, _ = env.reset(seed=seed if step == 0 else None)
            agent.carry_recurrent_state(np.array([EPISODE_START]))
        step += 1
        state, _, terminated, truncated, _ = env.step(int(choose_actions(agent, state[None])[0]))
        ended = terminated or truncated
        if step % STATE_INTERVAL == 0:
            states.append(np.array(state))
    return np.stack(states)


def write_figures(
    folder: Path, agent: Agent, states: States, report: Callable[[str], None] = print
) -> None:
    """Write the figures of an agent as PNG files, replacing existing files.

    Args:
        folder: Folder for the files; it is created if necessary.
        agent: The agent.
        states: States that the agent observes, see `agent_figures`.
        report: Receives a line for each file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    figures = agent_figures(agent, states)
    for name, grid in figures.items():
        path = folder / f"{name}.png"
        write_atomically(path, partial(save_image, grid, format="png"))
        report(f"wrote {path}")
    if "feature_maps" not in figures:
        report(f"feature_maps.png is not written, because {explain_missing(agent)}")


def explain_missing(agent: Agent) -> str:
    """Return why an agent has no feature maps, as the end of a sentence after "because"."""
    return f"{type(agent).__name__} has no NatureCNN, the network whose feature maps are drawn"


def agent_figures(agent: Agent, states: States) -> dict[str, Tensor]:
    """Return all figures of an agent that its type of network supports.

    Args:
        agent: The agent.
        states: States that it observes, uint8 ``(batch, stack, height, width)``.

    Returns:
        Figures by name, float32 ``(3, height, width)`` in [0, 1]: ``observations``; for an agent
        with a `NatureCNN` or a linear policy also ``filters``; for one with a `NatureCNN` also
        ``feature_maps``, of the last state.
    """
    figures = {"observations": observation_grid(states)}
    modules = list(_modules(agent))
    for module in modules:
        if isinstance(module, NatureCNN):
            convolution = module[0]
            assert isinstance(convolution, nn.Conv2d)
            figures["filters"] = filter_grid(convolution.weight)
            figures["feature_maps"] = feature_map_grid(module, states[-1])
            return figures
        if isinstance(module, PolicyNetwork):
            weight = module.first.T.reshape(-1, 1, *agent.spec.state_shape[1:])
            figures["filters"] = filter_grid(weight)
    return figures


def observation_grid(states: States) -> Tensor:
    """Return a grid with one row per state, which shows its stacked frames from old to new.

    Args:
        states: uint8 ``(batch, stack, height, width)``.

    Returns:
        float32 ``(3, grid_height, grid_width)`` in [0, 1].
    """
    frames = torch.from_numpy(states).flatten(0, 1).unsqueeze(1).float() / 255
    return _grid(_enlarge(frames, 2 * TILE), columns=states.shape[1])


def filter_grid(weight: Tensor) -> Tensor:
    """Return a grid of the filters of a first layer.

    A filter has one tile per stacked frame, from old to new. Gray is 0. White is the largest
    absolute weight of the filter, and black is its negative.

    Args:
        weight: ``(num_filters, stack, height, width)``.

    Returns:
        float32 ``(3, grid_height, grid_width)`` in [0, 1].
    """
    filters = weight.detach().float().cpu()
    largest = filters.abs().amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-12)
    tiles = _enlarge(filters / largest / 2 + 0.5, TILE)
    gaps = pad(tiles, (0, 1), value=BACKGROUND)
    strips = gaps.permute(0, 2, 1, 3).flatten(2)[:, None, :, :-1]
    return _grid(strips, columns=max(1, TILES_PER_ROW // filters.shape[1]))


@torch.no_grad()
def feature_map_grid(network: NatureCNN, state: States) -> Tensor:
    """Return the feature maps of each convolution for one state, with the first layer at the top.

    Each map is scaled separately: black is 0, which the ReLU returns where the filter does not
    respond, and white is the strongest response.

    Args:
        network: The convolutional network.
        state: uint8 ``(stack, height, width)``.

    Returns:
        float32 ``(3, grid_height, grid_width)`` in [0, 1].
    """
    grids = []
    features = torch.from_numpy(state[None]).to(next(network.parameters()).device)
    for layer in network:
        features = layer(features)
        if isinstance(layer, nn.ReLU):
            maps = features[0].unsqueeze(1).float().cpu()
            strongest = maps.amax(dim=(1, 2, 3), keepdim=True).clamp_min(1e-12)
            grids.append(_grid(_enlarge(maps / strongest, TILE), columns=TILES_PER_ROW))
    width = max(grid.shape[2] for grid in grids)
    return torch.cat(
        [pad(grid, (0, width - grid.shape[2], 0, 0), value=BACKGROUND) for grid in grids], dim=1
    )


def _modules(agent: Agent) -> Iterator[nn.Module]:
    """Yield every module in the attributes of an agent."""
    for attribute in vars(agent).values():
        if isinstance(attribute, nn.Module):
            yield from attribute.modules()


def _enlarge(tiles: Tensor, height: int) -> Tensor:
    """Enlarge tiles ``(count, channels, height, width)`` by an integer factor to about a height."""
    return interpolate(tiles, scale_factor=max(1, round(height / tiles.shape[2])), mode="nearest")


def _grid(tiles: Tensor, columns: int) -> Tensor:
    """Arrange gray tiles ``(count, 1, height, width)`` in a grid."""
    grid: Tensor = make_grid(tiles, nrow=columns, padding=PADDING, pad_value=BACKGROUND)
    return grid
