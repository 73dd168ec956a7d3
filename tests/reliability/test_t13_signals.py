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
from mario.training.session import Session
from mario.vector.native_mario import NativeMarioVectorEnv

FLAGS = (
    "--steps", "300", "--num-envs", "2", "--save-seconds", "0.05", "--no-tensorboard",
    "--hyper.replay-capacity", "300", "--hyper.burnin", "20", "--hyper.batch-size", "8",
    "--hyper.hidden-size", "16", "--evaluation.every", "40", "--evaluation.episodes", "1",
    "--evaluation.confirm-episodes", "1", "--threads", "1",
)  # fmt: skip
STOPPING = "stopping: the run is saved; a second Ctrl-C ends it without saving\n"
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
    tmp_path, monkeypatch, capfd, moment, number, code
):
    owner, name = MOMENTS[moment]
    real, calls = getattr(owner, name), []

    def interrupted(*arguments, **more):
        calls.append(name)
        if len(calls) == 3 or moment == "evaluation":
            os.kill(os.getpid(), number)
        return real(*arguments, **more)

    monkeypatch.setattr(owner, name, interrupted)
    assert main_code([*FLAGS, "--save-dir", str(tmp_path)]) == code
    (run,) = tmp_path.iterdir()
    captured = capfd.readouterr()
    assert captured.err == ""
    assert captured.out.count(STOPPING) == 1
    assert captured.out.index(STOPPING) < captured.out.index("the run was stopped and saved: ")
    assert f"continue it with: mario-train --resume {run}" in captured.out
    assert 0 < load(run / "last.chkpt")["steps"] < 300
    assert not list(run.glob(".tmp-*"))


PROGRAM = """
import os, signal, sys, time
import mario.runs.checkpoint as checkpoint
from mario.commands.train import main
real, seconds = checkpoint.write_atomically, float(sys.argv.pop(1))
def interrupted(path, write, **more):
    def twice(file):
        write(file)
        if path.name == "last.chkpt" and path.exists():
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(seconds)
            os.kill(os.getpid(), signal.SIGTERM)
    return real(path, twice, **more)
checkpoint.write_atomically = interrupted
main(sys.argv[1:])
"""


def test_t13_a_second_signal_in_a_save_leaves_a_good_checkpoint(tmp_path):
    done, run, saved = signal_twice(1.1, tmp_path)
    assert done.stdout.endswith(
        f"{STOPPING}ended without saving; the latest save is step {saved}; "
        f"continue with: mario-train --resume {run}\n"
    )


def test_t13_a_second_signal_soon_after_the_first_one_lets_the_run_be_saved(tmp_path):
    done, _, saved = signal_twice(0, tmp_path)
    assert f"{STOPPING}the run was stopped and saved: " in done.stdout
    assert f" {saved} steps\n" in done.stdout


def signal_twice(seconds, folder):
    """Send two signals to a program during a save.

    Args:
        seconds: time between the signals.
        folder: folder for the run.

    Returns:
        The process, the folder of the run, and the steps in its last checkpoint.
    """
    command = [sys.executable, "-c", PROGRAM, str(seconds), *FLAGS, "--save-dir", folder]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 143, done.stderr
    assert "Traceback" not in done.stderr
    (run,) = folder.iterdir()
    steps = load(run / "last.chkpt")["steps"]
    assert steps > 0
    return done, run, steps


def test_t13_a_signal_while_a_resume_starts_prints_a_line(tmp_path, monkeypatch, capfd):
    main_code([*FLAGS, "--steps", "30", "--save-dir", str(tmp_path)])
    (run,) = tmp_path.iterdir()
    monkeypatch.setattr(Session, "_resume", lambda _: os.kill(os.getpid(), signal.SIGINT))
    assert main_code(["--resume", str(run), "--steps", "60"]) == 130
    captured = capfd.readouterr()
    assert captured.out.endswith("stopped before training began; there was nothing to save\n")
    assert load(run / "last.chkpt")["steps"] == 30


def main_code(arguments):
    """Call the command and return its exit code."""
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    return exit_.value.code


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_t13_a_signal_to_the_installed_command_saves_the_run(tmp_path, number, code):
    command = Path(sys.executable).with_name("mario-train")
    process = subprocess.Popen(
        [command, "--save-dir", tmp_path, *FLAGS, "--steps", "100000"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert "run: " in process.stdout.readline()
    time.sleep(1.5)
    os.killpg(process.pid, number) if number == signal.SIGINT else process.send_signal(number)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    (folder,) = tmp_path.iterdir()
    assert f"{STOPPING}the run was stopped and saved: " in output
    assert f"continue it with: mario-train --resume {folder}\n" in output
    assert load(folder / "last.chkpt")["steps"] > 0
