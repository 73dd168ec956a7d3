"""Programs over a Ray cluster: commands, their ends, and what is resumed after them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cluster_runs import config, learned, same, train_locally
from machines import Machines

from mario.cluster import connection
from mario.cluster.check import check_cluster
from mario.cluster.jobs.level_training import LevelWorker, train_levels_on_fleet
from mario.cluster.launch import job_fleet
from mario.commands import evaluate
from mario.config.serialization import to_dict
from mario.errors import UsageError
from mario.levels import LevelList
from mario.runs.checkpoint import load

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

CHECKPOINT = Path(__file__).resolve().parents[3] / "checkpoints" / "mario-1-1.chkpt"
TRAIN = "from mario.commands.train import main; main()"


def test_a_cluster_is_checked_and_plays_evaluation_episodes(machines, capsys):
    assert check_cluster(machines.address, print)
    output = capsys.readouterr().out
    assert output.startswith(f"{machines.address}: reachable, 2 cores, token authentication")
    assert output.count("same versions") == 3
    flags = ["--episodes=4", "--json", f"--cluster={machines.address}", "--workers=2"]
    with pytest.raises(SystemExit) as stop:
        evaluate.main([str(CHECKPOINT), *flags])
    assert stop.value.code == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 4


class Program:
    """A run of `mario-train` over a cluster in a process of its own."""

    def __init__(self, folder, address, *flags):
        self.folder = folder
        command = [
            sys.executable, "-c", TRAIN, f"--save-dir={folder}", "--worker-timeout=10",
            f"--cluster={address}", "--save-seconds=1", *flags,
        ]  # fmt: skip
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run_until(self, pattern):
        """Read the output until a line matches; return all lines so far."""
        lines = []
        for line in self.process.stdout:
            lines.append(line)
            if re.search(pattern, line):
                return lines
        raise AssertionError("".join(lines))

    def finish(self):
        """Return the exit code and the output."""
        output, _ = self.process.communicate(timeout=120)
        return self.process.returncode, output


NEW = (
    "--agent=ppo", "--actions=simple", "--num-envs=4", "--workers=2", "--hyper.horizon=16",
    "--hyper.minibatches=2", "--hyper.hidden-size=16", "--evaluation.episodes=0",
    "--no-tensorboard", "--steps=1000000", "--log-every=1",
)  # fmt: skip


def test_a_run_can_be_resumed_after_a_killed_driver_a_lost_head_and_a_signal(tmp_path, machines):
    doomed = Machines()
    doomed.add(cores=2)
    first = Program(tmp_path, doomed.address, *NEW)
    first.run_until("^3 episodes")
    first.process.kill()
    first.finish()
    (run,) = tmp_path.iterdir()
    second = Program(tmp_path, doomed.address, f"--resume={run}")
    second.run_until("^Resumed after")
    second.run_until(" episodes? ")
    doomed.kill_head()
    code, output = second.finish()
    assert code == 1, output
    assert f"error: the head of the cluster at {doomed.address} does not answer" in output
    steps = load(run / "last.chkpt")["steps"]
    doomed.shut_down()
    third = Program(tmp_path, machines.address, f"--resume={run}")
    third.run_until("^Resumed after")
    third.run_until(" episodes? ")
    third.process.send_signal(signal.SIGTERM)
    code, output = third.finish()
    assert code == 128 + signal.SIGTERM, output
    checkpoint = load(run / "last.chkpt")
    assert checkpoint["steps"] > steps
    states = checkpoint["resume"]["envs"]["workers"]
    assert len(states) == 2
    assert None not in states


def test_a_wrong_address_is_refused_within_five_seconds():
    start = time.monotonic()
    refused = pytest.raises(UsageError, match="nothing answers there; start the head with ray")
    with refused, connection.connected("127.0.0.1:9"):
        pass
    assert time.monotonic() - start < 5


def test_the_training_of_a_level_goes_on_elsewhere_when_its_worker_is_killed(
    tmp_path, machines, capsys
):
    alone = config(tmp_path / "alone", steps=800, game="SuperMarioBros-1-2-v0")
    values = {alone.game: to_dict(replace(alone, save_seconds=0.1))}
    levels = LevelList.create(tmp_path / "list", values, parallel=1, threads=1)
    (run,) = levels.runs
    killed = []

    def stop():
        if (run.path / "last.chkpt").exists() and not killed:
            killed.append(load(run.path / "last.chkpt")["steps"])
            os.kill(jobs.pids[0], signal.SIGKILL)
        return False

    with job_fleet(machines.address, 1, jobs=1, make_worker=LevelWorker, timeout=60.0) as jobs:
        train_levels_on_fleet(levels, [], jobs, report=print, stop=stop)
    levels.close()
    assert run.status == "complete"
    assert 0 < killed[0] < 800
    assert "worker 0 is lost (its process died)" in capsys.readouterr().out
    assert "Resumed after" in (run.path / "console").read_text()
    assert same(learned(run.path), learned(train_locally(alone)))
