"""`mario-train --levels` on the real games, and its error messages."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
import torch

from mario.commands.train import main
from mario.runs.checkpoint import load
from mario.runs.run_folder import RunFolder

COMMAND = [sys.executable, "-c", "from mario.commands.train import main; main()"]
SMALL = [
    "--agent=ppo", "--num-envs=2", "--hyper.horizon=16", "--hyper.minibatches=2",
    "--hyper.hidden-size=16", "--hyper.precision=float32", "--evaluation.episodes=0",
    "--no-tensorboard", "--save-seconds=0", "--steps=400", "--threads=1",
]  # fmt: skip
"""Flags of a short run that saves after every step."""


def run(*arguments):
    """Call the command and return its exit code."""
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    return stop.value.code


def learned(folder):
    checkpoint = load(folder / "last.chkpt")
    return checkpoint["steps"], list(checkpoint["model"].values())


@pytest.mark.slow
def test_a_list_that_is_killed_is_resumed_exactly_and_trains_no_level_twice(tmp_path, capsys):
    command = [*COMMAND, "--levels", "8-4", "1-2", *SMALL, f"--save-dir={tmp_path}/killed"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = []
        for line in process.stdout:
            lines.append(line)
            if line.startswith("[2/2] SuperMarioBros-1-2-v0: training"):
                break
        (folder,) = (tmp_path / "killed").iterdir()
        second = folder / "SuperMarioBros-1-2-v0"
        while not (second / "previous.chkpt").exists():
            time.sleep(0.05)
        process.kill()
    assert lines[0] == "SuperMarioBros-8-4-v0: --actions complex, which its demonstration needs\n"
    assert "[1/2] SuperMarioBros-8-4-v0: complete: " in "".join(lines)
    assert run("--resume", folder) == 0
    output = capsys.readouterr().out
    assert "1 of 2 levels to train" in output
    assert "[2/2] SuperMarioBros-1-2-v0: complete: " in output
    assert "Resumed after" in (second / "console").read_text()
    assert "[1/2]" not in output
    assert output.count("complete  -") == 2
    configs = [
        RunFolder.read_config(folder / f"SuperMarioBros-{level}-v0") for level in ("8-4", "1-2")
    ]
    assert [config["actions"] for config in configs] == ["complex", "simple"]
    assert run("--game", second.name, *SMALL, "--save-dir", tmp_path / "alone") == 0
    (alone,) = (tmp_path / "alone").iterdir()
    (steps, weights), (expected_steps, expected) = map(learned, (second, alone))
    assert steps == expected_steps == 400
    assert all(map(torch.equal, weights, expected))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--levels"], "--levels needs all, or the names of levels"),
        (["--levels", "9-9"], "unknown game '9-9'"),
        (["--levels", "1-1", "--game", "Tetris-v0"], "--game Tetris-v0 does not go with --levels"),
        (["--levels", "1-1", "--parallel", "0"], "--parallel must be at least 1, got 0"),
        (["--levels", "1-1", "--parallel", "x"], "--parallel expects a whole number, got 'x'"),
        (["--levels", "1-1", "--stepss", "5"], "unknown flag --stepss; did you mean --steps"),
        (["--levels", "1-1", "--resume", "runs"], "--resume runs is not the folder of a list"),
        (["--levels", "1-1", "--workers", "2"], "--workers 2 needs --cluster; add --cluster auto"),
        (
            ["--levels", "1-1", "--cluster", "auto", "--parallel", "2"],
            "--parallel 2 does not go with --cluster; use --workers",
        ),
        (["--parallel", "2"], "--parallel 2 needs --levels; add --levels all"),
        (["--minutes", "0"], "--minutes must be above 0, got 0"),
    ],
)
def test_wrong_flags_are_refused_in_one_line(arguments, message, tmp_path, capsys):
    flags = arguments if "--resume" in arguments else [*arguments, "--save-dir", tmp_path / "new"]
    assert run(*flags) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"mario-train: error: {message}")
    assert error.count("\n") == 1
    assert not (tmp_path / "new").exists()
