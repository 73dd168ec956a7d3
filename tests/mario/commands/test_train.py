"""Tests of `mario-train` on the real game, and of its error messages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
import yaml

from mario.commands import evaluate, play, train
from mario.commands.train import main, read_flags
from mario.runs.checkpoint import load
from mario.system.file_lock import lock_file

QUICK = [
    "--preset", "tutorial", "--evaluation.episodes", "1",
    "--hyper.replay-capacity", "300", "--hyper.burnin", "20",
]  # fmt: skip
"""Flags of a short run that learns a little."""


def run(*arguments):
    """Call the command and return its exit code."""
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    return exit_.value.code


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder and the output of a run of one episode by the installed command."""
    folder = tmp_path_factory.mktemp("out")
    command = Path(sys.executable).with_name("mario-train")
    process = subprocess.run(
        [command, "--episodes", "1", "--save-dir", folder, *QUICK],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert process.returncode == 0, process.stderr
    (run_folder,) = folder.iterdir()
    return run_folder, process


def test_a_run_folder_has_all_files(trained):
    folder, _ = trained
    names = {path.name for path in folder.iterdir()}
    assert names >= {
        "config.yaml", "log", "metrics.csv", "reward_plot.jpg", "length_plot.jpg",
        "loss_plot.jpg", "q_plot.jpg", "mario_net_0.chkpt", "last.chkpt", "best.chkpt", "memory",
    }  # fmt: skip
    assert any(name.startswith("events.out.tfevents") for name in names)
    assert not [name for name in names if name.startswith(".tmp")]


def test_the_replay_is_described_before_training(trained):
    folder, process = trained
    assert f"run: {folder}" in process.stdout
    assert f"memory: 300 transitions, 0.00 GB at {folder / 'memory'}" in process.stdout


def test_stderr_is_empty_and_gym_prints_no_warning(trained):
    _, process = trained
    assert process.stderr == ""
    assert "gym has been unmaintained" not in process.stdout.lower()


def test_the_last_lines_say_where_the_run_is_and_how_to_watch_the_agent(trained):
    folder, process = trained
    complete, best, watch = process.stdout.splitlines()[-3:]
    assert re.fullmatch(rf"the run is complete: 1 episode, \d+ steps, in {folder}", complete)
    assert re.fullmatch(
        r"best evaluation: \d+% cleared, mean return -?[\d.]+ in 1 episode at step \d+", best
    )
    assert watch == f"watch the agent with: mario-play {folder / 'best.chkpt'}"


def test_the_resolved_configuration_is_saved(trained):
    folder, _ = trained
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["game"] == "SuperMarioBros-1-1-v0"
    assert config["preset"] == "tutorial"
    assert config["hyper"]["gamma"] == 0.9
    assert config["hyper"]["replay_capacity"] == 300
    assert config["actions"] == "tutorial"


def test_the_last_checkpoint_describes_its_agent(trained):
    checkpoint = load(trained[0] / "last.chkpt")
    assert (checkpoint["episodes"], checkpoint["num_actions"]) == (1, 2)
    assert checkpoint["steps"] > 20
    assert checkpoint["emulator"] in ("native", "nes-py")
    assert checkpoint["evaluation"]["episodes"] == 1


def test_totals_count_from_the_start_of_the_run(trained, capfd):
    """The run already has its one episode, so that resuming it takes no steps."""
    folder, _ = trained
    before = load(folder / "last.chkpt")["steps"]
    assert run("--resume", folder) == 0
    assert f"Resumed after 1 episode ({before:,} steps)" in capfd.readouterr().out
    assert load(folder / "last.chkpt")["steps"] == before
    assert run("--resume", folder, "--episodes", 9, "--steps", before + 10) == 0
    assert load(folder / "last.chkpt")["steps"] == before + 10
    assert run("--resume", folder, "--steps", before + 20) == 0, "still of 9 episodes"
    assert load(folder / "last.chkpt")["steps"] == before + 20


def test_a_run_cannot_be_resumed_with_another_game(trained, capsys):
    folder, _ = trained
    assert run("--resume", folder, "--game", "SuperMarioBros-1-2-v0") == 2
    error = capsys.readouterr().err
    assert "has --game SuperMarioBros-1-1-v0, which cannot become SuperMarioBros-1-2-v0" in error
    assert error.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--game", "SuperMarioBros-9-1-v0"], "unknown game 'SuperMarioBros-9-1-v0'; did you mean"),
        (["--preset", "tutrial"], "unknown preset 'tutrial'; did you mean 'tutorial'"),
        (["--agent", "ddnq"], "unknown agent 'ddnq'; did you mean 'ddqn'"),
        (["--agent", "nowhere:Mine"], "--agent nowhere:Mine: there is no module 'nowhere'"),
        (["--actions", "simpel"], "'simpel'; did you mean 'simple'"),
        (["--episodes", "0"], "--episodes must be at least 1, got 0"),
        (["--episodes", "many"], "--episodes expects a whole number or None, got 'many'"),
        (["--num-envs", "x"], "--num-envs expects a whole number, got 'x'"),
        (["--hyper.gamma=much"], "--hyper.gamma expects a number, got 'much'"),
        (["--noise", "0", "some"], "--noise expects numbers, got '0 some'"),
        (["--num-envs"], "--num-envs needs a whole number"),
        (["--worker-timeout", "x"], "--worker-timeout expects a number, got 'x'"),
        (["--hyper.gamma", "1.5"], "gamma is 1.5; give a number from 0 to 1"),
        (["--hyper.batch-size", "-1"], "batch_size is -1; give 1 or more"),
        (["--wrappers.skip", "0"], "skip must be"),
        (["--zzz", "3"], "unknown flag --zzz; see mario-train --help"),
        (
            ["--lerning-rate", "1"],
            "unknown flag --lerning-rate; did you mean --hyper.learning-rate",
        ),
        (["stray"], "unexpected stray; see mario-train --help"),
        (["--game", "SuperMarioBros-1-1"], "did you mean 'SuperMarioBros-1-1-v0' or"),
        (["--preset", "ppo"], "unknown preset 'ppo'; did you mean 'mario-ppo' or 'atari-ppo2'?"),
        (["--resume"], "--resume needs a value"),
        (["--resume", "nowhere"], "nowhere does not exist; give the folder of a run"),
        (["--hyper.replay-capacity", "1000000000000"], "the replay memory needs"),
        (["--save-dir", "/proc/runs"], "cannot make /proc/runs"),
    ],
)
def test_a_mistake_is_reported_in_one_line_with_exit_code_2(capsys, tmp_path, arguments, message):
    save_dir = [] if "--save-dir" in arguments else ["--save-dir", tmp_path]
    assert run(*arguments, *save_dir) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.startswith("mario-train: error: ")
    assert captured.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == [], "a run that cannot start leaves no folder"
    assert "Traceback" not in captured.err + captured.out


@pytest.mark.parametrize(
    ("command", "flags"),
    [
        ("mario-train", ["--game", "SuperMarioBros-1-1"]),
        ("mario-train", ["--preset", "ppo"]),
        ("mario-train", ["--agent", "dqn"]),
        ("mario-eval", ["no.chkpt", "--game", "SuperMarioBros-1-1"]),
        ("mario-play", ["no.chkpt", "--game", "SuperMarioBros-1-1"]),
    ],
)
def test_a_mistyped_name_is_refused_before_torch_is_imported(command, flags):
    assert "did you mean" in refusal_without_torch(command, flags)


@pytest.mark.parametrize(
    ("command", "flags", "message"),
    [
        ("mario-train", ["--warm-start", "no.chkpt"], "checkpoint no.chkpt does not exist"),
        ("mario-train", ["--resume", "no"], "no does not exist; give the folder of a run"),
        ("mario-train", ["--agent", "no_module:A"], "there is no module 'no_module'"),
        ("mario-train", ["--callback", "no_module:A"], "there is no module 'no_module'"),
        ("mario-eval", ["no.chkpt"], "checkpoint no.chkpt does not exist"),
        ("mario-eval", [__file__], "it is not a complete ZIP archive"),
        ("mario-play", [__file__], "it is not a complete ZIP archive"),
        ("mario-play", [], "give the path of a .chkpt file"),
    ],
)
def test_a_missing_or_wrong_file_is_refused_before_torch_is_imported(command, flags, message):
    assert message in refusal_without_torch(command, flags)


def test_a_folder_that_is_no_run_or_is_locked_is_refused_before_torch_is_imported(tmp_path):
    assert "has no config.yaml" in refusal_without_torch("mario-train", ["--resume", str(tmp_path)])
    (tmp_path / "config.yaml").touch()
    lock = lock_file(tmp_path / "lock")
    error = refusal_without_torch("mario-train", ["--resume", str(tmp_path)])
    os.close(lock)
    assert error.endswith(f"is training in {tmp_path}; stop it or give another run\n")


def refusal_without_torch(command, flags):
    """Return the error of a command, which must not import torch.

    This takes a fraction of a second, where importing torch may take half a minute.
    """
    module = {"mario-train": "train", "mario-eval": "evaluate", "mario-play": "play"}[command]
    code = (
        f"import sys; from mario.commands.{module} import main\n"
        f"try: main({flags!r})\n"
        "finally: print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "False\n")
    return done.stderr


@pytest.mark.parametrize("command", [train, evaluate, play])
def test_the_version_is_printed(command, capsys):
    with pytest.raises(SystemExit) as exit_:
        command.main(["--version"])
    assert exit_.value.code == 0
    assert capsys.readouterr().out == f"{command.NAME} {version('mario-agents')}\n"


def test_help_lists_all_groups_and_presets(capsys):
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


def test_the_default_preset_is_mario():
    config, _ = read_flags([])
    assert (config.preset, config.num_envs, config.actions) == ("mario", 8, "right-only")
    assert (config.ending_reward.success, config.wrappers.reward_clip) == (5.0, None)


def test_a_run_can_start_with_the_weights_of_another(trained, tmp_path):
    other = trained[0] / "last.chkpt"
    flags = ["--warm-start", other, "--save-dir", tmp_path, *QUICK[:-1], "9999"]
    assert run(*flags, "--steps", 5, "--game", "SuperMarioBros-1-2-v0") == 0
    (folder,) = tmp_path.iterdir()
    weights, other_weights = (load(path)["model"] for path in (folder / "last.chkpt", other))
    assert all(torch.equal(weights[name], other_weights[name]) for name in other_weights)


def test_weights_for_other_actions_are_refused(trained, tmp_path, capsys):
    flags = ["--warm-start", trained[0] / "last.chkpt", "--save-dir", tmp_path, *QUICK]
    assert run(*flags, "--actions", "simple") == 2
    assert "does not fit its agent: weights have" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_schedules_are_as_long_as_the_run():
    for flags, steps in ([], 11_000_000), (["--steps", "500"], 500):
        config, _ = read_flags(["--preset", "atari-ppo2", *flags])
        assert (config.steps, config.hyper.schedule_steps) == (steps, steps)
