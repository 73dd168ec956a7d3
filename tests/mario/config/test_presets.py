"""Every preset trains, and resuming it gives the same result as not stopping."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from mario.commands.train import read_flags
from mario.config.presets import preset_names, read_preset
from mario.runs.agent_factory import agent_class
from mario.runs.checkpoint import load
from mario.training.session import Session

CHECKPOINTS = Path(__file__).parents[3] / "checkpoints"
REQUIRED = {
    "distill": ["--teachers", CHECKPOINTS / "mario-1-1.chkpt", CHECKPOINTS / "mario-3-2.chkpt"],
}
"""Flags without which an agent does not train."""

SMALL = {
    "dagger": {"replay_capacity": 300, "burnin": 60, "batch_size": 8, "samples_per_step": 2},
    "ddqn": {"replay_capacity": 300, "burnin": 60, "batch_size": 8, "sync_every": 100},
    "distill": {"replay_capacity": 300, "burnin": 60, "batch_size": 8, "samples_per_step": 2},
    "ppo": {"horizon": 32, "hidden_size": 64, "schedule_steps": 240},
    "reinforce": {"batch_episodes": 1},
}
"""Hyperparameters that make a run of each agent short."""

STEPS = {"ddqn": 240, "reinforce": 2400}


def train(preset, folder, steps, resume=None):
    """Train for a total number of steps and return the run's folder."""
    agent = read_preset(preset)["agent"]
    flags = ["--preset", preset, "--steps", steps, "--save-dir", folder, "--evaluation.episodes", 0]
    flags += REQUIRED.get(agent, [])
    for name, value in SMALL.get(agent, {}).items():
        flags += [f"--hyper.{name.replace('_', '-')}", value]
    if resume:
        flags = ["--resume", resume, "--steps", steps]
    config, resumed = read_flags([*map(str, flags), "--num-envs", "2", "--no-tensorboard"])
    with Session(config, resumed, stop=lambda: False) as session:
        session.train()
        return session.run.path


def flatten(state, path=""):
    """Return the leaves of a nested state by their path, with tensors as lists."""
    if isinstance(state, torch.Tensor):
        return {path: state.tolist()}
    items = state.items() if isinstance(state, dict) else None
    if isinstance(state, list | tuple):
        items = enumerate(state)
    if items is None:
        return {path: state}
    return {
        inner: value
        for key, item in items
        for inner, value in flatten(item, f"{path}/{key}").items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("preset", preset_names())
def test_a_preset_trains_and_resumes_exactly(preset, tmp_path):
    values = read_preset(preset)
    steps = STEPS.get(values["agent"], 240)
    whole = train(preset, tmp_path / "whole", steps)
    part = train(preset, tmp_path / "part", steps // 2)
    train(preset, tmp_path / "part", steps, part)
    expected, resumed = (load(run / "last.chkpt")["resume"] for run in (whole, part))
    for part_name in ("agent", "envs"):
        assert flatten(expected[part_name]) == flatten(resumed[part_name])
    first = flatten(load(part / "mario_net_0.chkpt")["model"])
    assert first != flatten(load(whole / "last.chkpt")["model"])  # the weights have changed


@pytest.mark.parametrize("preset", preset_names())
def test_a_preset_has_no_unknown_settings(preset):
    config, _ = read_flags(["--preset", preset])
    assert isinstance(config.hyper, agent_class(config.agent).Config)
    assert config.preset == preset
