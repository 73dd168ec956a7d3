"""The Python API: the names that `mario` exports, on the real game."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import mario

CHECKPOINT = Path(__file__).parents[2] / "checkpoints" / "mario-1-1.chkpt"


@pytest.mark.parametrize("name", mario.__all__)
def test_every_exported_name_is_that_of_its_module(name):
    assert getattr(mario, name) is getattr(import_module(mario._MODULES[name]), name)
    assert getattr(mario, name).__doc__


def test_all_names_have_a_module():
    assert sorted(mario.__all__) == sorted(mario._MODULES)
    assert set(mario.__all__) <= set(dir(mario))


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'mario' has no attribute 'trian'"):
        mario.trian


def test_importing_the_package_and_making_an_environment_load_no_torch():
    code = (
        "import sys, mario; env = mario.make_env('SuperMarioBros-1-1-v0'); env.close();"
        "assert 'torch' not in sys.modules"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (process.returncode, process.stderr) == (0, "")


def test_an_agent_trains_records_and_is_evaluated(tmp_path):
    config = mario.train_config(
        preset="tutorial", steps=40, save_dir=tmp_path, tensorboard=False,
        hyper={"replay_capacity": 300, "burnin": 10}, evaluation={"episodes": 0},
    )  # fmt: skip
    result = mario.train(config)
    trained = mario.load_agent(result.checkpoint)
    recording = mario.record_episode(trained, max_seconds=1, every=4)
    assert recording.frames.shape == (16, 240, 256, 3)
    results, summary = mario.evaluate_agent(trained, 2)
    assert (len(results), summary.steps_trained) == (2, 40)


def test_a_loop_of_your_own_uses_the_four_verbs():
    with_noops = mario.EnvConfig("SuperMarioBros-1-1-v0", "right-only")
    envs = mario.make_vector_env(with_noops, num_envs=2, seed=0)
    agent = mario.make_agent("ddqn", envs, training=False)
    states, _ = envs.reset()
    states, rewards, *_ = envs.step(agent.act(states))
    assert (states.shape, rewards.shape) == ((2, 4, 84, 84), (2,))
    envs.close()


@pytest.mark.slow
def test_a_shipped_agent_clears_its_level_into_an_array():
    recording = mario.record_episode(mario.load_agent(CHECKPOINT))
    assert recording.result.ending == "flag"
    assert len(np.unique(recording.frames[-1])) > 10
