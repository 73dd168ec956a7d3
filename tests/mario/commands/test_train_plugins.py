"""Tests of users' own agents and callbacks in `mario-train`."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from mario.commands.train import main, read_flags
from mario.runs.checkpoint import load


def run(*arguments):
    """Call the command and return its exit code."""
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    return exit_.value.code


AGENT_MODULE = """
import numpy as np
from agents import Agent

class RandomAgent(Agent):
    def act(self, states):
        rng = np.random.default_rng(int(states.sum()))
        return rng.integers(self.spec.num_actions, size=len(states))
    def cache(self, transitions): pass
    def recall(self): return None
    def learn(self): return None
"""


def test_an_agent_that_cannot_be_saved_is_refused_before_it_trains(tmp_path):
    forgetful = (
        "\n    def __init__(self, spec):\n        super().__init__(spec)\n        self.seen = []\n"
    )
    (tmp_path / "mine.py").write_text(AGENT_MODULE + forgetful)
    command = Path(sys.executable).with_name("mario-train")
    refused = subprocess.run(
        [command, "--game", "Tetris-v0", "--agent", "mine:RandomAgent", "--steps", "60"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    assert "attribute seen of RandomAgent is a list, which is not saved; give it" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_subclass_of_an_agent_gets_its_preset_and_its_flags(tmp_path, monkeypatch):
    (tmp_path / "my_cautious.py").write_text(
        "from agents import DDQN, PPO\nclass Cautious(DDQN): pass\nclass Bold(PPO): pass\n"
    )
    monkeypatch.chdir(tmp_path)
    config, _ = read_flags(["--agent", "my_cautious:Cautious", "--hyper.gamma", "0.5"])
    expected, _ = read_flags(["--hyper.gamma", "0.5"])
    assert config == dataclasses.replace(expected, agent="my_cautious:Cautious")
    config, _ = read_flags(["--agent", "my_cautious:Bold"])
    assert config.preset == "mario-ppo"


def test_an_agent_of_ones_own_trains_on_tetris(tmp_path):
    (tmp_path / "mine.py").write_text(AGENT_MODULE)
    command = Path(sys.executable).with_name("mario-train")
    flags = ["--game", "Tetris-v0", "--agent", "mine:RandomAgent", "--steps", "60"]
    flags += ["--save-dir", "out"]
    process = subprocess.run(
        [command, *flags, "--evaluation.episodes", "0"], cwd=tmp_path, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    (folder,) = (tmp_path / "out").iterdir()
    checkpoint = load(folder / "last.chkpt")
    assert (checkpoint["agent"], checkpoint["game"]) == ("mine:RandomAgent", "Tetris-v0")
    refused = subprocess.run(
        [command, "--resume", folder], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "was trained with an agent of your own; add --agent mine:RandomAgent" in refused.stderr


CALLBACK_MODULE = """
from mario.training.callbacks import Callback

class Counter(Callback):
    steps = 0

    def on_step(self, step):
        self.steps += step.num_steps

    def on_close(self):
        print(f"counted {self.steps} of {self.trainer.steps} steps")

    def state_dict(self):
        return {"steps": self.steps}

    def load_state_dict(self, state):
        self.steps = state["steps"]
"""


def test_a_callback_is_called_and_its_state_is_resumed(tmp_path, monkeypatch, capfd):
    (tmp_path / "counting_callback.py").write_text(CALLBACK_MODULE)
    monkeypatch.chdir(tmp_path)
    flags = ["--callback", "counting_callback:Counter"]
    short = ["--preset", "tutorial", "--evaluation.episodes", 0, "--hyper.replay-capacity", 300]
    assert run("--steps", 30, *flags, *short) == 0
    assert "counted 30 of 30 steps" in capfd.readouterr().out
    (folder,) = (tmp_path / "runs").iterdir()
    state = load(folder / "last.chkpt")["resume"]["callbacks"]
    assert state["counting_callback:Counter"] == {"steps": 30}
    assert run("--resume", folder, "--steps", 40) == 2
    assert capfd.readouterr().err == (
        f"mario-train: error: {folder} was trained with callbacks of your own; "
        "add --callback counting_callback:Counter\n"
    )
    assert run("--resume", folder, "--steps", 40, *flags) == 0
    assert "counted 40 of 40 steps" in capfd.readouterr().out


def test_a_callback_that_cannot_be_saved_is_refused_before_training(tmp_path, monkeypatch, capfd):
    (tmp_path / "unsaveable_callback.py").write_text(
        "from mario.training.callbacks import Callback\n"
        "class Unsaveable(Callback):\n"
        "    def state_dict(self): return {'file': open(__file__)}\n"
    )
    monkeypatch.chdir(tmp_path)
    flags = ["--preset", "tutorial", "--hyper.replay-capacity", 300]
    assert run(*flags, "--callback", "unsaveable_callback:Unsaveable") == 2
    error = capfd.readouterr().err
    assert "state_dict() of unsaveable_callback:Unsaveable['file'] is a TextIOWrapper" in error
    assert not list((tmp_path / "runs").iterdir())


def test_callbacks_can_be_repeated_on_the_command_line():
    config, _ = read_flags(["--callback", "json:A", "--num-envs", "2", "--callback", "csv:B"])
    assert config.callback == ("json:A", "csv:B")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--callback", "nowhere:Mine"], "--callback nowhere:Mine: there is no module 'nowhere'"),
        (["--callback", "agents:DDQN"], "is not a subclass of mario.Callback"),
        (["--callback"], "--callback needs a value"),
    ],
)
def test_a_wrong_callback_is_reported_in_one_line(tmp_path, capsys, flags, message):
    assert run("--save-dir", tmp_path, *flags) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
