"""Tests that a stopped or killed run continues exactly, on the real game."""

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
from pathlib import Path

import pytest
import torch

from agents import DAggerConfig, DDQNConfig, PPOConfig
from mario.config.env_config import StartCurriculumConfig
from mario.config.run_config import EvaluationConfig, TrainConfig
from mario.runs.checkpoint import load
from mario.training.session import Session
from wrappers import WrapperConfig

TIMES = {"seconds", "TimeDelta", "Time", "file_sizes", "file_checksums"}
"""Columns and entries that depend on the time of day."""

REPOSITORY = Path(__file__).resolve().parents[3]
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


def train(config, resume=None, stop=lambda session: False):
    with Session(config, resume, stop=lambda: stop(session)) as session:
        session.train()
        return session.run.path


def rows(path):
    """Return the rows of a log without the columns that depend on the time of day."""
    if path.name == "log":
        lines = [line.split() for line in path.read_text().splitlines()]
    else:
        lines = list(csv.reader(path.read_text().splitlines()))
    return [
        [cell for name, cell in zip(lines[0], line, strict=True) if name not in TIMES]
        for line in lines[1:]
    ]


def differences(one, other, path=""):
    """Return the paths of all entries in which two states differ, except for times."""
    if path.rsplit(".", 1)[-1] in TIMES:
        return []
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return [path]
        return [d for key in one for d in differences(one[key], other[key], f"{path}.{key}")]
    if isinstance(one, torch.Tensor):
        return [] if torch.equal(one, other) else [path]
    if isinstance(one, list | tuple) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [d for index, (a, b) in pairs for d in differences(a, b, f"{path}.{index}")]
    return [] if one == other else [path]


def assert_same_run(one, other):
    assert differences(load(one / "last.chkpt"), load(other / "last.chkpt")) == []
    for name in ("log", "metrics.csv"):
        assert rows(one / name) == rows(other / name)
    files, other_files = (
        {path.name: path.read_bytes() for path in (run / "memory").glob("*.memmap")}
        for run in (one, other)
    )
    assert files.keys() == other_files.keys()
    assert [name for name in files if files[name] != other_files[name]] == []


@pytest.mark.slow
@pytest.mark.parametrize("emulator", ["nes-py", "auto"])
@pytest.mark.parametrize("num_envs", [1, 4])
def test_stopping_and_resuming_changes_nothing(tmp_path, num_envs, emulator):
    changes = {"num_envs": num_envs, "emulator": emulator}
    whole = train(config(tmp_path / "whole", **changes))
    folder = tmp_path / "parts"
    part = train(config(folder, steps=148, **changes))
    for steps in (260, 400):  # twice: the save of a resumed run must be complete, too
        train(config(folder, steps=steps, **changes), part)
    assert load(whole / "last.chkpt")["resume"]["agent"]["steps"] == 400
    assert len(rows(whole / "metrics.csv")) > 0
    assert_same_run(whole, part)


@pytest.mark.slow
@pytest.mark.parametrize("emulator", ["nes-py", "auto"])
def test_stopping_in_an_episode_of_the_start_curriculum_changes_nothing(tmp_path, emulator):
    changes = {
        "num_envs": 2,
        "emulator": emulator,
        "wrappers": WrapperConfig(noop_max=30, repeat_action_probability=0.25),
        "start_curriculum": StartCurriculumConfig(1.0, farthest_probability=0.5),
    }
    whole = train(config(tmp_path / "whole", steps=800, **changes))

    def stop(session):
        points = session.trainer.envs.replay_log()
        return any(p.start_offset for p in points) and any(p.farthest for p in points)

    part = train(config(tmp_path / "parts", steps=700, **changes), stop=stop)
    assert load(part / "last.chkpt")["steps"] < 700, "it was stopped in such an episode"
    train(config(tmp_path / "parts", steps=800, **changes), part)
    assert_same_run(whole, part)


@pytest.mark.slow
def test_stopping_and_resuming_with_demonstrations_changes_nothing(tmp_path):
    changes = {
        "num_envs": 2,
        "demos": (str(REPOSITORY / "checkpoints" / "demonstrations" / "1-1.demo"),),
        "noise": (0.0, 0.1),
        "hyper": replace(DDQN, demonstration_share=0.25),
        "start_curriculum": StartCurriculumConfig(
            0.5, demonstration_probability=0.8, demonstration_max_steps=30
        ),
    }
    whole = train(config(tmp_path / "whole", **changes))
    part = train(config(tmp_path / "parts", steps=148, **changes))
    train(config(tmp_path / "parts", **changes), part)
    assert_same_run(whole, part)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["cnn", "lnlstm"])
def test_stopping_in_the_middle_of_a_rollout_changes_nothing(tmp_path, policy):
    changes = {"num_envs": 4, "agent": "ppo", "hyper": replace(PPO, policy=policy)}
    whole = train(config(tmp_path / "whole", **changes))
    folder = tmp_path / "parts"
    part = train(config(folder, steps=148, **changes))
    assert len(load(part / "last.chkpt")["resume"]["agent"]["rollout"]["action"]) == 148 // 4 % 16
    train(config(folder, **changes), part)
    assert len(rows(whole / "metrics.csv")) > 0
    assert_same_run(whole, part)


def test_stopping_in_the_middle_of_a_correction_changes_nothing(tmp_path):
    hyper = DAggerConfig(
        replay_capacity=300, burnin=20, batch_size=8, samples_per_step=2, hidden_size=32,
    )  # fmt: skip
    changes = {"num_envs": 2, "agent": "dagger", "hyper": hyper}
    whole = train(config(tmp_path / "whole", steps=200, **changes))

    def stop(session):
        return any(point.planned for point in session.trainer.envs.replay_log())

    part = train(config(tmp_path / "parts", steps=160, **changes), stop=stop)
    assert load(part / "last.chkpt")["steps"] < 160, "it was stopped in a correction"
    train(config(tmp_path / "parts", steps=200, **changes), part)
    assert_same_run(whole, part)


KILLED = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import test_resume
from pathlib import Path
from mario.training.callbacks import Callback
from mario.training.session import Session

class Killer(Callback):
    def on_step(self, step):
        if self.trainer.steps == 200:
            self.trainer._callbacks[-1].save()
        if self.trainer.steps == 200 + {after}:
            os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    config = test_resume.config(Path(sys.argv[1]), num_envs={num_envs})
    session = Session(config, None, stop=lambda: False, callbacks=[Killer()])
    print(session.run.path, flush=True)
    session.train()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("num_envs", "after"), [(1, 7), (4, 16)])
def test_a_kill_some_steps_after_a_save_changes_nothing(tmp_path, num_envs, after):
    """What was written to the replay after the save must not be used."""
    whole = train(config(tmp_path / "whole", num_envs=num_envs))
    script = tmp_path / "killed.py"
    tests = str(Path(__file__).parent)
    script.write_text(KILLED.format(tests=tests, num_envs=num_envs, after=after))
    done = subprocess.run(
        [sys.executable, script, tmp_path / "killed"], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    part = tmp_path / "killed" / os.path.basename(done.stdout.splitlines()[0])
    assert load(part / "last.chkpt")["steps"] == 200
    train(config(tmp_path / "killed", num_envs=num_envs), part)
    assert_same_run(whole, part)


@pytest.mark.slow
def test_every_entry_of_the_state_matters(tmp_path):
    """If any entry were not restored, the runs would differ: the tests above cover all entries."""
    whole = train(config(tmp_path / "whole", steps=300))
    start = train(config(tmp_path / "start", steps=1))
    part = train(config(tmp_path / "parts", steps=150))
    fresh = load(start / "last.chkpt")["resume"]
    entries = [(fresh, name) for name in fresh if name != "callbacks"]
    # without evaluations, these have the same state at any step; they have tests of their own
    stateless = {"progress", "evaluator", "checkpointer", "state check"}
    entries += [(fresh["callbacks"], name) for name in fresh["callbacks"].keys() - stateless]
    for group, name in entries:
        copy = tmp_path / name
        shutil.copytree(part, copy)
        checkpoint = load(copy / "last.chkpt")
        state = checkpoint["resume"]
        (state if group is fresh else state["callbacks"])[name] = group[name]
        torch.save(checkpoint, copy / "last.chkpt")
        train(config(tmp_path / "parts", steps=300), copy)
        with pytest.raises(AssertionError):
            assert_same_run(whole, copy)


@pytest.mark.slow
def test_a_run_killed_at_random_moments_can_always_be_resumed(tmp_path):
    """The installed command itself, SIGKILLed again and again."""
    rng = random.Random(1)
    command = [
        "mario-train", "--steps", "900", "--num-envs", "2", "--save-seconds", "0.3",
        "--save-dir", str(tmp_path), "--evaluation.episodes", "0", "--hyper.replay-capacity", "500",
        "--hyper.burnin", "100", "--hyper.batch-size", "8", "--no-tensorboard",
        "--log-every", "1",
    ]  # fmt: skip
    kills, steps, outputs = 0, [], []
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
        outputs.append(output)
        if process.returncode == 0:
            break
        assert process.returncode == -signal.SIGKILL, output
        if runs and (runs[0] / "last.chkpt").exists():
            steps.append(load(runs[0] / "last.chkpt")["steps"])
    assert process.returncode == 0, outputs[-1]
    assert kills >= 3
    assert steps == sorted(steps)
    (run,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    assert load(run / "last.chkpt")["steps"] >= 900
    episodes = [int(row[0]) for row in rows(run / "metrics.csv")]
    assert episodes == list(range(1, len(episodes) + 1))
