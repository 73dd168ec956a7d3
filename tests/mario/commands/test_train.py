"""`mario-train` as its user meets it, on the real game; and every mistake in one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
import yaml

from mario.commands.train import main, read_flags
from mario.runs.checkpoint import load

QUICK = [
    "--preset", "tutorial", "--evaluation.episodes", "1",
    "--hyper.replay-capacity", "300", "--hyper.burnin", "20",
]  # fmt: skip
"""Flags of a run that learns a little in a few seconds."""


def run(*arguments):
    """Call the command; its exit code."""
    with pytest.raises(SystemExit) as leaving:
        main([str(each) for each in arguments])
    return leaving.value.code


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of one episode, made by the installed command."""
    folder = tmp_path_factory.mktemp("out")
    command = Path(sys.executable).with_name("mario-train")
    done = subprocess.run(
        [command, "--episodes", "1", "--save-dir", folder, *QUICK],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (made,) = folder.iterdir()
    return made, done


def test_a_run_folder_is_complete(trained):
    folder, _ = trained
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "config.yaml", "log", "metrics.csv", "reward_plot.jpg", "length_plot.jpg",
        "loss_plot.jpg", "q_plot.jpg", "mario_net_0.chkpt", "last.chkpt", "best.chkpt", "memory",
    }  # fmt: skip
    assert any(name.startswith("events.out.tfevents") for name in names)
    assert not [name for name in names if name.startswith(".tmp")]


def test_the_memory_is_announced_before_training(trained):
    folder, done = trained
    assert f"run: {folder}" in done.stdout
    assert f"memory: 300 transitions, 0.00 GB at {folder / 'memory'}" in done.stdout


def test_nothing_reaches_stderr_and_gym_is_never_heard_of(trained):
    _, done = trained
    assert done.stderr == ""
    assert "gym has been unmaintained" not in done.stdout.lower()


def test_the_configuration_is_kept_resolved(trained):
    folder, _ = trained
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["game"] == "SuperMarioBros-1-1-v0"
    assert config["preset"] == "tutorial"
    assert config["hyper"]["gamma"] == 0.9
    assert config["hyper"]["memory"] == 300
    assert config["actions"] == "tutorial"


def test_the_last_checkpoint_says_what_it_is(trained):
    checkpoint = load(trained[0] / "last.chkpt")
    assert (checkpoint["episodes"], checkpoint["num_actions"]) == (1, 2)
    assert checkpoint["steps"] > 20
    assert checkpoint["emulator"] in ("native", "nes-py")
    assert checkpoint["evaluation"]["episodes"] == 1


def test_totals_are_of_the_whole_run(trained, capfd):
    """It has its one episode already, so that nothing is left to do."""
    folder, _ = trained
    before = load(folder / "last.chkpt")["steps"]
    assert run("--resume", folder) == 0
    assert f"resumed after 1 episodes, {before:,} decisions" in capfd.readouterr().out
    assert load(folder / "last.chkpt")["steps"] == before
    assert run("--resume", folder, "--episodes", 9, "--steps", before + 10) == 0
    assert load(folder / "last.chkpt")["steps"] == before + 10
    assert run("--resume", folder, "--steps", before + 20) == 0, "of 9 episodes, as said before"
    assert load(folder / "last.chkpt")["steps"] == before + 20


def test_a_run_cannot_be_resumed_as_another_game(trained, capsys):
    folder, _ = trained
    assert run("--resume", folder, "--game", "SuperMarioBros-1-2-v0") == 2
    error = capsys.readouterr().err
    assert "has --game SuperMarioBros-1-1-v0, which cannot become SuperMarioBros-1-2-v0" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--game", "SuperMarioBros-9-1-v0"], "unknown game 'SuperMarioBros-9-1-v0'; did you mean"),
        (["--preset", "tutrial"], "unknown preset 'tutrial'; did you mean 'tutorial'"),
        (["--agent", "ddnq"], "unknown agent 'ddnq'; did you mean 'ddqn'"),
        (["--agent", "nowhere:Mine"], "--agent nowhere:Mine: No module named 'nowhere'"),
        (["--actions", "simpel"], "'simpel'; did you mean 'simple'"),
        (["--episodes", "0"], "--episodes must be at least 1, got 0"),
        (["--episodes", "many"], "--episodes expects {None}|INT: no type matching {None}|INT"),
        (["--hyper.gamma", "1.5"], "gamma is 1.5; give a number from 0 to 1"),
        (["--hyper.batch-size", "-1"], "batch_size is -1; give 1 or more"),
        (["--wrappers.skip", "0"], "skip must be"),
        (["--nonsense", "3"], "unrecognized arguments: --nonsense 3"),
        (["--resume"], "--resume needs a value"),
        (["--resume", "nowhere"], "nowhere is not a run: it has no config.yaml"),
        (["--hyper.replay-capacity", "1000000000000"], "the memory needs"),
        (["--save-dir", "/proc/runs"], "cannot make /proc/runs"),
    ],
)
def test_a_mistake_is_told_in_one_line_and_exits_with_2(capsys, tmp_path, arguments, complaint):
    where = [] if "--save-dir" in arguments else ["--save-dir", tmp_path]
    assert run(*arguments, *where) == 2
    captured = capsys.readouterr()
    assert complaint in captured.err
    assert captured.err.startswith("mario-train: error: ")
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [], "a run that cannot begin leaves nothing behind"
    assert "Traceback" not in captured.err + captured.out


def test_help_names_every_group_and_the_presets(capsys):
    assert run("--help") == 0
    text = capsys.readouterr().out
    for word in ("--episodes", "--hyper.gamma", "--wrappers.skip", "--resume", "tutorial"):
        assert word in text


def test_flags_override_the_preset():
    flags = ["--preset", "tutorial", "--hyper.gamma", "0.5", "--num-envs", "3"]
    config, resume = read_flags(flags)
    assert (config.hyper.gamma, config.num_envs, resume) == (0.5, 3, None)
    assert config.hyper.learning_rate == 2.5e-4
    assert config.hyper.separate_target


def test_without_a_preset_it_is_the_one_that_learns_fastest():
    config, _ = read_flags([])
    assert (config.preset, config.num_envs, config.actions) == ("mario", 8, "right-only")
    assert (config.ending_reward.success, config.wrappers.reward_clip) == (5.0, None)


def test_a_run_may_start_with_the_weights_of_another(trained, tmp_path):
    other = trained[0] / "last.chkpt"
    flags = ["--warm-start", other, "--save-dir", tmp_path, *QUICK[:-1], "9999"]
    assert run(*flags, "--steps", 5, "--game", "SuperMarioBros-1-2-v0") == 0
    (folder,) = tmp_path.iterdir()
    mine, theirs = (load(path)["model"] for path in (folder / "last.chkpt", other))
    assert all(torch.equal(mine[name], theirs[name]) for name in theirs)


def test_weights_of_other_actions_are_no_start(trained, tmp_path, capsys):
    flags = ["--warm-start", trained[0] / "last.chkpt", "--save-dir", tmp_path, *QUICK]
    assert run(*flags, "--actions", "simple") == 2
    assert "does not fit its agent: weights have" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_schedule_is_as_long_as_the_run():
    for more, steps in ([], 11_000_000), (["--steps", "500"], 500):
        config, _ = read_flags(["--preset", "atari-ppo2", *more])
        assert (config.steps, config.hyper.schedule_steps) == (steps, steps)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_saves_and_exits_as_the_shell_expects(tmp_path, number, code):
    command = Path(sys.executable).with_name("mario-train")
    process = subprocess.Popen(
        [command, "--save-dir", tmp_path, *QUICK], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert "run: " in process.stdout.readline()
    time.sleep(1.5)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    (folder,) = tmp_path.iterdir()
    assert load(folder / "last.chkpt")["steps"] > 0


OWN_AGENT = """
import numpy as np
from agents import Agent

class Dice(Agent):
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
    (tmp_path / "mine.py").write_text(OWN_AGENT + forgetful)
    command = Path(sys.executable).with_name("mario-train")
    refused = subprocess.run(
        [command, "--game", "Tetris-v0", "--agent", "mine:Dice", "--steps", "60"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert refused.returncode == 2
    assert "attribute seen of Dice is a list, which is not saved; give it" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_an_agent_of_ones_own_trains_on_tetris(tmp_path):
    (tmp_path / "mine.py").write_text(OWN_AGENT)
    command = Path(sys.executable).with_name("mario-train")
    more = ["--game", "Tetris-v0", "--agent", "mine:Dice", "--steps", "60", "--save-dir", "out"]
    done = subprocess.run(
        [command, *more, "--evaluation.episodes", "0"], cwd=tmp_path, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "out").iterdir()
    checkpoint = load(folder / "last.chkpt")
    assert (checkpoint["agent"], checkpoint["game"]) == ("mine:Dice", "Tetris-v0")
    refused = subprocess.run(
        [command, "--resume", folder], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert "was trained with an agent of your own; add --agent mine:Dice" in refused.stderr
