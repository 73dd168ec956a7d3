"""Workers as Ray processes: both modes, and what may happen to processes and machines."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from cluster_runs import (
    HYPER,
    config,
    episodes,
    learned,
    same,
    train_in_process,
    train_locally,
)
from machines import Machines

from mario.cluster import connection, fleet
from mario.cluster.check import check_cluster
from mario.cluster.jobs.level_training import LevelWorker, train_levels_on_fleet
from mario.cluster.launch import cluster_session, job_fleet
from mario.cluster.workers.versions import running_versions
from mario.commands import evaluate
from mario.config.serialization import to_dict
from mario.errors import RunError, UsageError
from mario.levels import LevelList
from mario.runs.checkpoint import load
from mario.training.callbacks import Callback

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

CHECKPOINT = Path(__file__).resolve().parents[3] / "checkpoints" / "mario-1-1.chkpt"
TRAIN = "from mario.commands.train import main; main()"


@pytest.fixture(scope="module")
def train(machines):
    """Return a function that trains over the cluster and returns the run folder."""

    def train(config, **kwargs):
        config = replace(config, cluster=machines.address, worker_timeout=5.0)
        stop = kwargs.pop("stop", lambda: False)
        with cluster_session(config, kwargs.pop("resume", None), stop=stop, **kwargs) as session:
            session.train()
            return session.run.path

    return train


class Faults(Callback):
    """Causes one fault after another, each after the workers have recovered from the last.

    A fault is the number of workers that take part before it, and a function.
    """

    def __init__(self, *faults):
        self.faults, self.steps, self.before = list(faults), 0, 0

    def on_step(self, step):
        ready, wanted = self.trainer.num_ready, self.faults[0][0] if self.faults else 2
        if ready != self.before:  # the latest fault was noticed
            self.before = None
        self.steps = self.steps + step.num_steps if ready == wanted and not self.before else 0
        if self.faults and self.steps > 100:
            self.steps, self.before = 0, ready
            self.faults.pop(0)[1](self.trainer.fleet)

    @property
    def complete(self):
        return not self.faults and self.steps > 100


@pytest.mark.parametrize("agent", sorted(HYPER))
def test_ray_workers_learn_the_same_numbers_as_workers_in_this_process(tmp_path, agent, train):
    small = config(tmp_path / "processes", agent, workers=2)
    run, other = train(small), train_in_process(replace(small, save_dir=tmp_path / "objects"))
    assert same(learned(run), learned(other))
    assert episodes(run) == episodes(other)


class PlayerFaults(Faults):
    """Faults after which training goes on until the replacements have played."""

    @property
    def complete(self):
        return super().complete and all(self.trainer.state_dict()["envs"]["workers"])


def test_players_are_replaced_and_leave_no_gap_in_the_replay_memory(tmp_path, train, capsys):
    faults = PlayerFaults((2, lambda fleet: os.kill(fleet.pids[1], signal.SIGKILL)))
    hyper = replace(HYPER["ddqn"], learn_every=20, replay_capacity=10_000)
    players = config(tmp_path, "ddqn", workers=2, hyper=hyper, cluster_mode="players", steps=10**6)
    checks = []

    class Check(Callback):
        def on_close(self):
            checks.append(self.trainer.agent.replay.storage.check_valid())

    run = train(players, callbacks=[faults, Check()])
    assert checks == [(True, "")]
    assert "worker 1 is lost (its process died)" in capsys.readouterr().out
    assert all(load(run / "last.chkpt")["resume"]["envs"]["workers"])


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


def test_training_goes_on_when_workers_and_machines_die_freeze_and_join(
    tmp_path, machines, train, capsys
):
    faults = Faults(
        (2, lambda fleet: os.kill(fleet.pids[0], signal.SIGKILL)),
        (2, lambda fleet: os.kill(fleet.pids[1], signal.SIGSTOP)),
        (2, lambda fleet: machines.kill_one()),
        (1, lambda fleet: machines.add()),
    )
    run = train(config(tmp_path, workers=2, steps=10**6), callbacks=[faults])
    assert not faults.faults
    output = capsys.readouterr().out
    for reason in ("its process died", "it did not answer for 5 s", "its machine died"):
        assert f"is lost ({reason}); a replacement is on its way" in output
    assert learned(run)


def test_a_machine_with_other_versions_is_refused_by_name(tmp_path, train, monkeypatch, capsys):
    monkeypatch.setattr(fleet, "MAX_LOSSES", 2)
    other = running_versions() | {"torch": "1.0"}
    monkeypatch.setattr(fleet, "running_versions", lambda: other)
    with pytest.raises(RunError, match=r"worker 0 was lost 2 times within 300 s, .* refused"):
        train(config(tmp_path, workers=1))
    torch_version, machine = running_versions()["torch"], socket.gethostname()
    line = f"refused, because {machine} has torch {torch_version}, the driver has 1.0"
    assert line in capsys.readouterr().out


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


def test_a_killed_driver_and_a_lost_head_end_a_run_that_can_be_resumed(tmp_path, machines):
    doomed = Machines()
    doomed.add()
    doomed.add()
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
    third = Program(tmp_path, machines.address, f"--resume={run}", f"--steps={steps + 200}")
    code, output = third.finish()
    assert code == 0, output
    assert load(run / "last.chkpt")["steps"] >= steps + 200
    doomed.shut_down()


def test_a_signal_saves_the_run_and_exits(tmp_path, machines):
    program = Program(tmp_path, machines.address, *NEW)
    program.run_until("^1 episode ")
    program.process.send_signal(signal.SIGTERM)
    code, output = program.finish()
    assert code == 128 + signal.SIGTERM, output
    (run,) = tmp_path.iterdir()
    states = load(run / "last.chkpt")["resume"]["envs"]["workers"]
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
    values = {alone.game: to_dict(replace(alone, save_seconds=0.0))}
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
