"""A process that stops in the middle of a message is ended, and its environment restarted."""

from __future__ import annotations

import os
import signal
import threading
import time

import gymnasium as gym
import numpy as np
import pytest
from doubles import FakeGame

from mario.system.watchdog import Watchdog
from mario.vector import worker_process
from mario.vector.process_vector import ProcessVectorEnv


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
def test_a_process_that_stops_in_a_message_is_restarted(monkeypatch, moment):
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


def test_a_watchdog_calls_only_what_takes_too_long():
    watchdog, calls = Watchdog(), []
    with watchdog.limit(0.1, lambda: calls.append("slow")):
        time.sleep(1.5)
    with watchdog.limit(60.0, lambda: calls.append("fast")):
        pass
    time.sleep(0.6)
    watchdog.close()
    assert calls == ["slow"]
