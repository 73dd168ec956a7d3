"""T2: SIGKILL at random moments, alone and together with damage; no run is lost or starts over."""

from __future__ import annotations

import csv
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from exact_runs import assert_same_run, config, train
from run_comparison import rows

from mario.runs.checkpoint import load

REPOSITORY = Path(__file__).resolve().parents[2]
EXPERIMENTS = REPOSITORY / "scripts" / "experiments"
PATH = (REPOSITORY, REPOSITORY / "tests" / "support", EXPERIMENTS)


@pytest.mark.parametrize(
    "trials", [4, pytest.param(200, marks=[pytest.mark.long, pytest.mark.timeout(7200)])]
)
def test_t02_killed_and_damaged_runs_end_like_runs_that_were_never_stopped(tmp_path, trials):
    command = [sys.executable, EXPERIMENTS / "kill_and_damage.py", tmp_path / "out"]
    done = subprocess.run(
        [*command, "--trials", str(trials)], capture_output=True, text=True, cwd=REPOSITORY,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    with (tmp_path / "out" / "trials.csv").open() as file:
        found = list(csv.DictReader(file))
    assert len(found) == trials
    assert sum(trial["result"] == "equal" for trial in found) >= trials / 4
    assert sum(int(trial["resumed_after"]) > 0 for trial in found) >= trials / 4
    assert [trial["failure"] for trial in found] == [""] * trials


KILLED = """
import os, signal, sys
import exact_runs
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
    config = exact_runs.config(Path(sys.argv[1]), num_envs={num_envs})
    session = Session(config, None, stop=lambda: False, callbacks=[Killer()])
    print(session.run.path, flush=True)
    session.train()
"""


@pytest.mark.slow
@pytest.mark.parametrize(("num_envs", "after"), [(1, 7), (4, 16)])
def test_t02_a_kill_some_steps_after_a_save_changes_nothing(tmp_path, num_envs, after):
    """What was written to the replay after the save must not be used."""
    whole = train(config(tmp_path / "whole", num_envs=num_envs))
    script = tmp_path / "killed.py"
    script.write_text(KILLED.format(num_envs=num_envs, after=after))
    done = subprocess.run(
        [sys.executable, script, tmp_path / "killed"], capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, PATH))},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    part = tmp_path / "killed" / os.path.basename(done.stdout.splitlines()[0])
    assert load(part / "last.chkpt")["steps"] == 200
    train(config(tmp_path / "killed", num_envs=num_envs), part)
    assert_same_run(whole, part)


@pytest.mark.slow
def test_t02_a_run_killed_at_random_moments_can_always_be_resumed(tmp_path):
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
