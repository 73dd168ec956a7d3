"""Workers as Ray processes: both modes, and what may happen to processes and machines."""

from __future__ import annotations

import os
import re
import signal
import socket
from dataclasses import replace

import pytest
from cluster_runs import (
    HYPER,
    config,
    episodes,
    learned,
    same,
    train_in_process,
)
from unreliable_worker import UnreliableWorker

from mario.cluster import fleet, launch
from mario.cluster.launch import cluster_session
from mario.cluster.workers.versions import running_versions
from mario.errors import RunError
from mario.runs.checkpoint import load
from mario.training.callbacks import Callback

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


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


def test_training_goes_on_when_workers_and_machines_fail_and_machines_join(
    tmp_path, machines, train, monkeypatch, capsys
):
    monkeypatch.setattr(launch, "GradientWorker", UnreliableWorker)
    faults = Faults(
        (2, lambda fleet: os.kill(fleet.pids[0], signal.SIGKILL)),
        (2, lambda fleet: machines.freeze_one()),
        (1, lambda fleet: machines.add()),
        (2, lambda fleet: machines.kill_one()),
        (1, lambda fleet: machines.add()),
    )
    run = train(config(tmp_path, workers=2, steps=10**6), callbacks=[faults])
    assert not faults.faults
    lost = re.findall(r"is lost \((.*)\); a replacement is on its way", capsys.readouterr().out)
    assert lost == [
        "it did not answer for 5 s", "3 gradients were not finite",
        "its process died", "its machine died", "its machine died",
    ]  # fmt: skip
    assert all(tensor.isfinite().all() for tensor in learned(run))


def test_a_machine_with_other_versions_is_refused_by_name(tmp_path, train, monkeypatch, capsys):
    monkeypatch.setattr(fleet, "MAX_LOSSES", 1)
    other = running_versions() | {"torch": "1.0"}
    monkeypatch.setattr(fleet, "running_versions", lambda: other)
    with pytest.raises(RunError, match=r"worker 0 was lost 1 times within 300 s, .* refused"):
        train(config(tmp_path, workers=1))
    torch_version, machine = running_versions()["torch"], socket.gethostname()
    line = f"refused, because {machine} has torch {torch_version}, the driver has 1.0"
    assert line in capsys.readouterr().out
