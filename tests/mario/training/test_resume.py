"""A run killed and resumed gives the numbers of one that never was; on the real game."""

from __future__ import annotations

import csv
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
import torch

from agents import DDQNConfig, PPOConfig
from mario.config.env_config import StartCurriculumConfig
from mario.config.run_config import EvaluationConfig, TrainConfig
from mario.runs.checkpoint import load
from mario.training.session import Session
from wrappers import WrapperConfig

TIMES = {"seconds", "TimeDelta", "Time", "csv_bytes", "log_bytes"}


DDQN = DDQNConfig(
    replay_capacity=300, burnin=60, learn_every=8, batch_size=8, sync_every=100, n_step=2,
    exploration_decay=0.998,
)  # fmt: skip
PPO = PPOConfig(
    horizon=16, minibatches=2, epochs=2, hidden_size=32, lstm_size=16, schedule_steps=400,
)  # fmt: skip


def config(folder, *, num_envs=1, steps=400, **changes):
    return TrainConfig(
        **{"hyper": DDQN} | changes,
        num_envs=num_envs, steps=steps, save_dir=folder, seed=11, log_every=1,
        actions="simple", save_seconds=3600, tensorboard=False, save_every=10**6,
        evaluation=EvaluationConfig(episodes=0),
    )  # fmt: skip


def train(config, resume=None, after=lambda session: None):
    with Session(config, resume, stop=lambda: False) as session:
        session.train()
        after(session)
        return session.run.path


def rows(path):
    """The rows of a log without the columns that tell the time of day."""
    if path.name == "log":
        lines = [line.split() for line in path.read_text().splitlines()]
    else:
        lines = list(csv.reader(path.read_text().splitlines()))
    return [
        [cell for name, cell in zip(lines[0], line, strict=True) if name not in TIMES]
        for line in lines[1:]
    ]


def differences(one, other, where=""):
    """The names of all entries in which two states differ, times left out."""
    if where.rsplit(".", 1)[-1] in TIMES:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return [where]
        return [d for key in one for d in differences(one[key], other[key], f"{where}.{key}")]
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [where]
    if isinstance(one, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [d for place, (a, b) in pairs for d in differences(a, b, f"{where}.{place}")]
    return [] if one == other else [where]


def assert_same_run(one, other):
    assert differences(load(one / "last.chkpt"), load(other / "last.chkpt")) == []
    for name in ("log", "metrics.csv"):
        assert rows(one / name) == rows(other / name)
    mine, theirs = (
        {path.name: path.read_bytes() for path in (run / "memory").glob("*.memmap")}
        for run in (one, other)
    )
    assert mine.keys() == theirs.keys()
    assert [name for name in mine if mine[name] != theirs[name]] == []


@pytest.mark.slow
@pytest.mark.parametrize("emulator", ["nes-py", "auto"])
@pytest.mark.parametrize("num_envs", [1, 4])
def test_stopping_and_resuming_changes_nothing(tmp_path, num_envs, emulator):
    chosen = {"num_envs": num_envs, "emulator": emulator}
    whole = train(config(tmp_path / "whole", **chosen))
    folder = tmp_path / "parts"
    part = train(config(folder, steps=148, **chosen))
    for steps in (260, 400):  # two resumes: a resumed run's own save is as good
        train(config(folder, steps=steps, **chosen), part)
    assert load(whole / "last.chkpt")["resume"]["agent"]["decisions"] == 400
    assert len(rows(whole / "metrics.csv")) > 0
    assert_same_run(whole, part)


@pytest.mark.slow
@pytest.mark.parametrize("emulator", ["nes-py", "auto"])
def test_stopping_on_the_way_back_to_a_loss_changes_nothing(tmp_path, emulator):
    chosen = {
        "num_envs": 2,
        "emulator": emulator,
        "wrappers": WrapperConfig(noop_max=30, repeat_action_probability=0.25),
        "start_curriculum": StartCurriculumConfig(1.0, farthest_probability=0.5),
    }
    whole = train(config(tmp_path / "whole", steps=700, **chosen))
    part = train(config(tmp_path / "parts", steps=500, **chosen))
    points = load(part / "last.chkpt")["resume"]["games"]
    assert any(point["start_offset"] for point in points)
    assert any(point["farthest"] for point in points)
    train(config(tmp_path / "parts", steps=700, **chosen), part)
    assert_same_run(whole, part)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["cnn", "lnlstm"])
def test_a_run_goes_on_in_the_midst_of_a_rollout(tmp_path, policy):
    chosen = {"num_envs": 4, "agent": "ppo", "hyper": replace(PPO, policy=policy)}
    whole = train(config(tmp_path / "whole", **chosen))
    folder = tmp_path / "parts"
    part = train(config(folder, steps=148, **chosen))
    assert len(load(part / "last.chkpt")["resume"]["agent"]["rollout"]["action"]) == 148 // 4 % 16
    train(config(folder, **chosen), part)
    assert len(rows(whole / "metrics.csv")) > 0
    assert_same_run(whole, part)


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import test_resume
from pathlib import Path
from mario.training.session import Session

if __name__ == "__main__":
    config = test_resume.config(Path(sys.argv[1]), num_envs={num_envs})
    session = Session(config, None, stop=lambda: False)
    print(session.run.path, flush=True)
    watch = session.trainer._watch
    def watched(step):
        watch(step)
        if session.trainer.steps == 200:
            session.checkpointer.save(session.trainer)
        if session.trainer.steps == 200 + {after}:
            os.kill(os.getpid(), signal.SIGKILL)
    session.trainer._watch = watched
    session.train()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("num_envs", "after"), [(1, 7), (4, 16)])
def test_a_kill_some_steps_after_a_save_changes_nothing(tmp_path, num_envs, after):
    """What was written to the memory after the save must not come back."""
    whole = train(config(tmp_path / "whole", num_envs=num_envs))
    script = tmp_path / "killed.py"
    tests = os.path.dirname(__file__)
    script.write_text(KILLED.format(tests=tests, num_envs=num_envs, after=after))
    done = subprocess.run(
        [sys.executable, script, tmp_path / "killed"], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(tests))},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    part = tmp_path / "killed" / os.path.basename(done.stdout.splitlines()[0])
    assert load(part / "last.chkpt")["steps"] == 200
    train(config(tmp_path / "killed", num_envs=num_envs), part)
    assert_same_run(whole, part)


@pytest.mark.slow
def test_every_entry_of_the_state_matters(tmp_path):
    """Were one not restored, the runs would differ: so the tests above see all of them."""
    whole = train(config(tmp_path / "whole", steps=300))
    start = train(config(tmp_path / "start", steps=1))
    part = train(config(tmp_path / "parts", steps=150))
    fresh = load(start / "last.chkpt")["resume"]
    for entry in fresh:
        if entry == "evaluator":  # nothing is examined here; its own test covers it
            continue
        copy = tmp_path / entry
        shutil.copytree(part, copy)
        checkpoint = load(copy / "last.chkpt")
        checkpoint["resume"][entry] = fresh[entry]
        torch.save(checkpoint, copy / "last.chkpt")
        train(config(tmp_path / "parts", steps=300), copy)
        with pytest.raises(AssertionError):
            assert_same_run(whole, copy)


@pytest.mark.slow
def test_a_run_killed_at_random_moments_always_goes_on_and_ends(tmp_path):
    """The installed command itself, SIGKILLed again and again."""
    rng = random.Random(1)
    command = [
        "mario-train", "--steps", "900", "--num-envs", "2", "--save-seconds", "0.3",
        "--save-dir", str(tmp_path), "--evaluation.episodes", "0", "--hyper.replay-capacity", "500",
        "--hyper.burnin", "100", "--hyper.batch-size", "8", "--no-tensorboard",
        "--log-every", "1",
    ]  # fmt: skip
    kills, steps, seen = 0, [], []
    for _ in range(40):
        runs = [path for path in tmp_path.iterdir() if (path / "config.yaml").exists()]
        more = ["--resume", str(runs[0])] if runs else []
        process = subprocess.Popen(
            [os.path.join(os.path.dirname(sys.executable), command[0]), *command[1:], *more],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        deadline = time.monotonic() + rng.uniform(2.5, 6)
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        if process.poll() is None and kills < 12:
            process.kill()
            kills += 1
        output, _ = process.communicate(timeout=600)
        seen.append(output)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, output
        if runs and (runs[0] / "last.chkpt").exists():
            steps.append(load(runs[0] / "last.chkpt")["steps"])
    assert process.returncode == 0, seen[-1]
    assert kills >= 3
    assert steps == sorted(steps)
    (run,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert load(run / "last.chkpt")["steps"] >= 900
    episodes = [int(row[0]) for row in rows(run / "metrics.csv")]
    assert episodes == list(range(1, len(episodes) + 1))
