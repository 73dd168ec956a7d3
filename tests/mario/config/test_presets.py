"""Every preset trains, and goes on exactly where it was stopped."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch

from mario.commands.train import read_flags
from mario.config.presets import preset_names, read_preset
from mario.config.run_config import agent_class
from mario.runs.checkpoint import load
from mario.training.session import Session

SMALL = {
    "ddqn": {"memory": 300, "burnin": 60, "batch_size": 8, "sync_every": 100},
    "ppo": {"horizon": 32, "hidden": 64, "schedule_steps": 240},
    "reinforce": {"batch_episodes": 1},
}
"""What makes a run of each agent short."""

DECISIONS = {"ddqn": 240, "reinforce": 2400}


def train(preset, folder, steps, resume=None):
    """Train up to so many decisions; gives the run's folder."""
    agent = read_preset(preset)["agent"]
    flags = ["--preset", preset, "--steps", steps, "--save-dir", folder, "--evaluation.episodes", 0]
    for name, value in SMALL.get(agent, {}).items():
        flags += [f"--hyper.{name.replace('_', '-')}", value]
    if resume:
        flags = ["--resume", resume, "--steps", steps]
    config, going_on = read_flags([*map(str, flags), "--num-envs", "2", "--no-tensorboard"])
    with Session(config, going_on, stop=lambda: False) as session:
        session.train()
        return session.run.folder


def flat(state, where=""):
    """The entries of nested states by their place, tensors as lists."""
    if isinstance(state, torch.Tensor):
        return {where: state.tolist()}
    items = state.items() if isinstance(state, dict) else None
    if isinstance(state, list | tuple):
        items = enumerate(state)
    if items is None:
        return {where: state}
    return {
        place: value for key, each in items for place, value in flat(each, f"{where}/{key}").items()
    }


@pytest.mark.slow
@pytest.mark.parametrize("preset", preset_names())
def test_a_preset_trains_and_goes_on_exactly(preset, tmp_path):
    values = read_preset(preset)
    if "SuperMario" not in values.get("game", "SuperMario") and find_spec("ale_py") is None:
        pytest.skip("ale-py is not installed")
    steps = DECISIONS.get(values["agent"], 240)
    whole = train(preset, tmp_path / "whole", steps)
    part = train(preset, tmp_path / "part", steps // 2)
    train(preset, tmp_path / "part", steps, part)
    mine, theirs = (load(run / "last.chkpt")["resume"] for run in (whole, part))
    for what in ("agent", "games"):
        assert flat(mine[what]) == flat(theirs[what])
    first = flat(load(part / "mario_net_0.chkpt")["model"])
    assert first != flat(load(whole / "last.chkpt")["model"])  # it has learned


@pytest.mark.parametrize("preset", preset_names())
def test_a_preset_names_nothing_unknown(preset):
    config, _ = read_flags(["--preset", preset])
    assert isinstance(config.hyper, agent_class(config.agent).Config)
    assert config.preset == preset
