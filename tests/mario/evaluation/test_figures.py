"""Figures show what an agent observes, its filters and its feature maps."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from doubles import FakeGame
from tape import TapeAgent, spec

from agents import DDQN, AgentSpec
from agents.networks.nature_cnn import NatureCNN
from agents.ppo.agent import PPO
from agents.reinforce.agent import REINFORCE
from mario.evaluation.figures import (
    BACKGROUND,
    NUM_STATES,
    PADDING,
    STATE_INTERVAL,
    TILE,
    agent_figures,
    collect_states,
    feature_map_grid,
    filter_grid,
    observation_grid,
    write_figures,
)
from mario.runs.trained_agent import load_agent

CHECKPOINTS = Path(__file__).parents[3] / "checkpoints"
STATE_SHAPE = (4, 84, 84)


def tile(grid, row, column, size):
    """Cut a tile out of a grid of tiles with the given ``(height, width)``."""
    top, left = (
        PADDING + index * (side + PADDING) for index, side in zip((row, column), size, strict=True)
    )
    return grid[0, top : top + size[0], left : left + size[1]]


def test_states_are_some_steps_apart_and_continue_over_episodes():
    agent = TapeAgent(spec())
    states = collect_states(agent, FakeGame(length=STATE_INTERVAL + 1), seed=7)
    assert states.shape == (NUM_STATES, *agent.spec.state_shape)
    assert states[0].max() == 7 + STATE_INTERVAL
    assert len([entry for entry in agent.tape if entry[0] == "act"]) == NUM_STATES * STATE_INTERVAL


def test_the_observation_grid_has_a_row_per_state_and_a_column_per_frame():
    levels = np.array([[0, 51, 102], [153, 204, 255]], np.uint8)
    states = np.broadcast_to(levels[:, :, None, None], (2, 3, 84, 84)).copy()
    grid = observation_grid(states)
    assert grid.shape[0] == 3
    for row, column in np.ndindex(2, 3):
        shown = tile(grid, row, column, (168, 168))
        assert shown.unique().tolist() == pytest.approx([levels[row, column] / 255])
    assert grid[:, 0].unique().tolist() == [BACKGROUND]


def test_filters_are_scaled_by_their_largest_weight_around_gray():
    weight = torch.zeros(32, 4, 8, 8)
    weight[5, 3], weight[5, 0] = -0.01, 0.005
    strip = tile(filter_grid(weight), 1, 1, (TILE, 4 * TILE + 3))
    first, *_, last = strip.split(TILE + 1, dim=1)
    assert first[:, :TILE].unique().tolist() == [0.75]
    assert last.unique().tolist() == [0.0]
    assert tile(filter_grid(weight), 0, 0, (TILE, TILE)).unique().tolist() == [0.5]


def test_feature_maps_are_the_outputs_of_every_layer_scaled_by_their_maximum():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = NatureCNN(STATE_SHAPE)
    state = np.random.default_rng(0).integers(0, 256, STATE_SHAPE, np.uint8)
    grid = feature_map_grid(network, state)
    layer_heights = [
        PADDING + rows * (side + PADDING) for rows, side in ((2, 80), (4, 81), (4, 77))
    ]
    assert grid.shape[1] == sum(layer_heights)
    with torch.no_grad():
        maps = network[0](torch.from_numpy(state[None]))[0].relu()
    expected = (maps[17] / maps[17].max()).repeat_interleave(4, 0).repeat_interleave(4, 1)
    torch.testing.assert_close(tile(grid, 1, 1, (80, 80)), expected)
    assert 0 <= grid.min() < grid.max() <= 1


@pytest.mark.parametrize(
    ("agent_class", "names"),
    [
        (DDQN, ["observations", "filters", "feature_maps"]),
        (PPO, ["observations", "filters", "feature_maps"]),
        (REINFORCE, ["observations", "filters"]),
    ],
)
def test_the_figures_depend_on_the_kind_of_network(agent_class, names):
    spec = AgentSpec(STATE_SHAPE, num_actions=3, training=False)
    agent = agent_class.build(spec, agent_class.Config())
    figures = agent_figures(agent, np.zeros((2, *STATE_SHAPE), np.uint8))
    agent.close()
    assert list(figures) == names
    for figure in figures.values():
        assert figure.dtype == torch.float32
        assert figure.ndim == 3
        assert 0 <= figure.min() <= figure.max() <= 1


def test_an_agent_without_a_convolutional_network_is_reported_once(tmp_path):
    lines = []
    write_figures(tmp_path, TapeAgent(spec()), np.zeros((2, 2, 4, 4), np.uint8), lines.append)
    assert [path.name for path in tmp_path.iterdir()] == ["observations.png"]
    assert lines[1:] == [
        "feature_maps.png is not written, because TapeAgent has no NatureCNN, the network "
        "whose feature maps are drawn"
    ]


def test_the_figures_of_a_published_agent_are_written(tmp_path):
    trained = load_agent(CHECKPOINTS / "mario-1-1.chkpt")
    env = trained.make_env("auto")
    agent = trained.make_agent(env)
    folder = tmp_path / "new" / "figures"
    write_figures(folder, agent, collect_states(agent, env), lambda line: None)
    env.close()
    names = {path.name for path in folder.iterdir()}
    assert names == {"observations.png", "filters.png", "feature_maps.png"}
    for name in names:
        picture = cv2.imread(str(folder / name))
        assert picture.std() > 20
        assert 600 < picture.shape[1] < 1400
