"""T13: SIGINT and SIGTERM at any moment save the run and set the exit code."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agents import DDQN
from agents.compute.learner import Learner
from mario.commands.train import main
from mario.evaluation import evaluator
from mario.runs import checkpoint
from mario.runs.checkpoint import load
from mario.vector.native_mario import NativeMarioVectorEnv

FLAGS = (
    "--steps", "300", "--num-envs", "2", "--save-seconds", "0.05", "--no-tensorboard",
    "--hyper.replay-capacity", "300", "--hyper.burnin", "20", "--hyper.batch-size", "8",
    "--hyper.hidden-size", "16", "--evaluation.every", "40", "--evaluation.episodes", "1",
    "--evaluation.confirm-episodes", "1", "--threads", "1",
)  # fmt: skip
MOMENTS = {
    "environments": (NativeMarioVectorEnv, "step_wait"),
    "caching": (DDQN, "cache"),
    "update": (Learner, "update"),
    "save": (checkpoint, "write_atomically"),
    "evaluation": (evaluator, "play_episodes"),
}
"""Functions of the program during which a signal arrives."""


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_t13_a_signal_at_any_moment_saves_the_run(
    tmp_path, monkeypatch, capsys, moment, number, code
):
    owner, name = MOMENTS[moment]
    real, calls = getattr(owner, name), []

    def interrupted(*arguments, **more):
        calls.append(name)
        if len(calls) == 3 or moment == "evaluation":
            os.kill(os.getpid(), number)
        return real(*arguments, **more)

    monkeypatch.setattr(owner, name, interrupted)
    with pytest.raises(SystemExit) as exit_:
        main([*FLAGS, "--save-dir", str(tmp_path)])
    assert exit_.value.code == code, capsys.readouterr().err
    (run,) = tmp_path.iterdir()
    captured = capsys.readouterr()
    assert captured.err == ""
    assert f"continue it with: mario-train --resume {run}" in captured.out
    assert 0 < load(run / "last.chkpt")["steps"] < 300
    assert not list(run.glob(".tmp-*"))


PROGRAM = """
import os, signal, sys
import mario.runs.checkpoint as checkpoint
from mario.commands.train import main
real = checkpoint.write_atomically
def interrupted(path, write, **more):
    def twice(file):
        write(file)
        if path.name == "last.chkpt" and path.exists():
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
    return real(path, twice, **more)
checkpoint.write_atomically = interrupted
main(sys.argv[1:])
"""


def test_t13_a_second_signal_in_a_save_leaves_a_good_checkpoint(tmp_path):
    command = [sys.executable, "-c", PROGRAM, *FLAGS, "--save-dir", tmp_path]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 143, done.stderr
    assert "Traceback" not in done.stderr
    (run,) = tmp_path.iterdir()
    assert load(run / "last.chkpt")["steps"] > 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_t13_a_signal_to_the_installed_command_saves_the_run(tmp_path, number, code):
    command = Path(sys.executable).with_name("mario-train")
    process = subprocess.Popen(
        [command, "--save-dir", tmp_path, *FLAGS], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert "run: " in process.stdout.readline()
    time.sleep(1.5)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    (folder,) = tmp_path.iterdir()
    assert "the run was stopped and saved: " in output
    assert f"continue it with: mario-train --resume {folder}\n" in output
    assert load(folder / "last.chkpt")["steps"] > 0
