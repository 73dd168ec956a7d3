"""T8-T12: games that raise, die, hang or crash in a loop, and a main process that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from doubles import FakeGame, Fault, fake_game
from process_vectors import actions, base, process_vectors
from short_runs import config, train

from mario.errors import RunError
from mario.runs.checkpoint import load
from mario.training.callbacks import Callback
from mario.training.session import Session
from mario.vector import worker_process
from mario.vector.process_vector import ProcessVectorEnv


@pytest.fixture
def vector():
    yield from process_vectors()


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("raise", "raised RuntimeError: the game broke"),
        ("segfault", "was killed by SIGSEGV"),
        ("exit", "ended with exit code 3"),
        ("hang", "did not answer for 1 s"),
    ],
)
def test_t08_t09_t10_a_crash_is_reported_and_the_environment_restarted(
    vector, tmp_path, kind, cause
):
    lines = []
    fault = Fault(kind, at=2, once=tmp_path / "struck")
    envs = vector(fake_game(fault=fault), 2, seed=1, timeout=1.0, report=lines.append)
    envs.reset()
    before, *_ = envs.step(actions(1, 1))
    observations, rewards, terminated, truncated, infos = envs.step(actions(2, 2))
    (crashed,) = np.flatnonzero(infos["crashed"])
    other = 1 - crashed
    assert truncated[crashed]
    assert not terminated.any()
    assert (infos["final_obs"][crashed] == before[crashed]).all()
    assert infos["final_info"]["ending"][crashed] == "crash"
    assert observations[crashed, 0, 0, 0] == base(1, crashed, 1)
    assert rewards[crashed] == 0
    assert observations[other, 0, 0, 0] == base(1, other, 0) + 2
    assert rewards[other] == 2
    assert len(lines) == 1
    for part in (f"game {crashed}", "seed 1", "episode 0", "action 2", cause, "9 restarts left"):
        assert part in lines[0]


def test_t09_a_worker_killed_between_two_steps_is_restarted(vector):
    lines = []
    envs = vector(fake_game(), 2, report=lines.append)
    envs.reset()
    os.kill(envs._workers[1].pid, signal.SIGKILL)
    *_, infos = envs.step(actions(0, 0))
    assert infos["crashed"].tolist() == [False, True]
    assert "SIGKILL" in lines[0]
    observations, *_ = envs.step(actions(0, 0))
    assert observations[:, 0, 0, 0].tolist() == [base(0, 0, 0) + 2, base(0, 1, 1) + 1]


def test_t11_a_crash_loop_ends_the_run_when_no_restarts_are_left(vector):
    lines = []
    fault = Fault("exit", at=1)
    envs = vector(fake_game(fault=fault), 1, max_restarts=2, report=lines.append)
    envs.reset()
    envs.step(actions(0))
    envs.step(actions(0))
    with pytest.raises(RunError, match="exit code 3; no restarts are left"):
        envs.step(actions(0))
    assert len(lines) == 2


def test_t08_a_game_that_cannot_be_made_is_reported_with_the_reason(vector):
    with pytest.raises(RunError, match="game 0 could not be started: it raised RuntimeError"):
        vector(fake_game(fault=Fault("raise", at=-1)))


class OddError(Exception):
    """Cannot be sent to another process: its constructor needs two arguments."""

    def __init__(self, reason, lock):
        super().__init__(reason)
        self.lock = lock


class OddGame(FakeGame):
    def step(self, action):
        raise OddError("it broke oddly", threading.Lock())


def test_t08_an_exception_that_cannot_be_sent_is_reported_with_its_reason(vector):
    lines = []
    envs = vector(OddGame, 1, report=lines.append)
    envs.reset()
    envs.step(actions(0))
    assert "raised OddError: it broke oddly" in lines[0]
    start = time.monotonic()
    envs.close()
    assert time.monotonic() - start < 5


class Killer(Callback):
    """Kills a game process of a training run after each of some numbers of steps."""

    def __init__(self, *steps):
        self.steps = list(steps)

    def on_step(self, step):
        if self.steps and self.trainer.steps >= self.steps[0]:
            del self.steps[0]
            os.kill(self.trainer.envs._workers[1].pid, signal.SIGKILL)


def test_t09_training_goes_on_after_the_death_of_a_game_process(tmp_path, capsys):
    configuration = config(tmp_path, steps=100, emulator="nes-py")
    with Session(configuration, None, stop=lambda: False, callbacks=[Killer(20, 60)]) as session:
        session.train()
        run = session.run.path
    assert load(run / "last.chkpt")["steps"] >= 100
    output = capsys.readouterr().out
    assert output.count("was killed by SIGKILL; restarted") == 2
    train(config(tmp_path, steps=110, emulator="nes-py"), run)


def test_t11_a_run_whose_game_always_dies_is_saved_and_stops(tmp_path, monkeypatch):
    monkeypatch.setattr("mario.vector.process_vector.time.sleep", lambda seconds: None)
    killer = Killer(*range(1, 100))
    configuration = config(tmp_path, steps=400, emulator="nes-py")
    session = Session(configuration, None, stop=lambda: False, callbacks=[killer])
    with session, pytest.raises(RunError, match="SIGKILL; no restarts are left"):
        session.train()
    assert load(session.run.path / "last.chkpt")["steps"] > 10


def test_t10_close_does_not_wait_for_a_game_that_hangs(vector):
    envs = vector(fake_game(fault=Fault("hang", at=1)), 1)
    envs.reset()
    envs.step_async(actions(0))
    start = time.monotonic()
    envs.close()
    envs.close()
    assert time.monotonic() - start < 5


class LargeGame(FakeGame):
    """A game whose observations are larger than a pipe's buffer; action 2 stops its process."""

    observation_space = gym.spaces.Box(0, 255, (2000, 2000), np.uint8)

    def observe(self):
        return np.full((2000, 2000), self.base + self.steps, np.uint8)

    def step(self, action):
        if action == 2:
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGSTOP)).start()
        return super().step(action)


@pytest.mark.parametrize("moment", ["sending", "receiving"])
def test_t10_a_process_that_stops_in_a_message_is_restarted(monkeypatch, moment):
    monkeypatch.setattr(worker_process, "MESSAGE_SECONDS", 1.0)
    lines = []
    envs = ProcessVectorEnv(LargeGame, 2, report=lines.append)
    envs.reset()
    if moment == "sending":
        envs.step_async(np.array([0, 2]))
        time.sleep(1.5)
        *_, truncated, infos = envs.step_wait()
        assert truncated.tolist() == [False, True]
        assert infos["crashed"].tolist() == [False, True]
    else:
        os.kill(envs._workers[1].pid, signal.SIGSTOP)
        envs._points[1].log.actions.extend([0] * 10**6)
        worker = envs._workers[1]
        start = time.monotonic()
        worker.request("replay", 0, envs._points[1])
        with pytest.raises(worker_process.WorkerDied, match="in the middle of a message for 1 s"):
            worker.answer(30.0)
        assert time.monotonic() - start < 15
    envs.close()
    if moment == "sending":
        assert "stopped in the middle of a message for 1 s; restarted" in lines[0]


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


ORPHAN_MAKER = """
import os, signal, sys
sys.path.insert(0, {tests!r})
from doubles import Fault, fake_game
from mario.vector.process_vector import ProcessVectorEnv
import numpy as np
if __name__ == "__main__":
    envs = ProcessVectorEnv(fake_game(fault=Fault("hang", at=1)), 2)
    envs.reset()
    envs.step_async(np.array([0, 0]))
    print(*[worker.pid for worker in envs._workers], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_t12_no_worker_survives_its_killed_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(ORPHAN_MAKER.format(tests=str(Path(__file__).parents[1] / "support")))
    parent = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    pids = [int(word) for word in parent.stdout.split()]
    assert parent.returncode == -signal.SIGKILL
    assert len(pids) == 2
    deadline = time.monotonic() + 2
    while any(is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_alive(pid) for pid in pids)
