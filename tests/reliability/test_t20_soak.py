"""T20: memory, open files and shared memory do not grow in a long run."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from doubles import Fault, fake_game
from short_runs import config

from mario.training.callbacks import Callback
from mario.training.session import Session
from mario.vector.process_vector import ProcessVectorEnv

SECONDS = float(os.environ.get("SOAK_SECONDS", "3600"))
"""Duration of the soak in the slow suite."""

MIN_SAVES = 60

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def resident_mb():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def open_files():
    return len(list(Path("/proc/self/fd").iterdir()))


def shared_memory():
    """Return how many blocks of shared memory this process has."""
    return Path("/proc/self/maps").read_text().count(" /dev/shm/")


class Soak(Callback):
    """Saves after every step, and records the use of resources, until the time is over."""

    def __init__(self, seconds):
        self.end = time.monotonic() + seconds
        self.rows = []

    @property
    def complete(self):
        return time.monotonic() > self.end and len(self.rows) >= MIN_SAVES

    def on_step(self, step):
        if self.trainer.steps % 20 == 0:
            self.trainer._callbacks[-1].save()
            self.rows.append((resident_mb(), open_files(), shared_memory()))


def assert_flat(rows):
    """Compare the second quarter, when all files are open, with the last one."""
    quarter = len(rows) // 4
    early, late = rows[quarter : 2 * quarter], rows[-quarter:]
    growth = max(row[0] for row in late) - max(row[0] for row in early)
    print(f"{len(rows)} saves, memory grew by {growth:.1f} MB from {early[0][0]:.0f} MB")
    assert growth < 0.05 * early[0][0], f"memory grew by {growth:.1f} MB"
    # plots open some more files while they are drawn
    for column in (1, 2):
        assert min(row[column] for row in late) <= min(row[column] for row in early)


@pytest.mark.parametrize(
    "seconds", [0, pytest.param(SECONDS, marks=[pytest.mark.long, pytest.mark.timeout(0)])]
)
def test_t20_training_and_saving_needs_no_more_memory_and_files_over_time(tmp_path, seconds):
    soak = Soak(seconds)
    settings = config(tmp_path, steps=10**9)
    with Session(settings, None, stop=lambda: False, callbacks=[soak]) as session:
        session.train()
    assert_flat(soak.rows)


@pytest.mark.parametrize("restarts", [4, pytest.param(200, marks=pytest.mark.long)])
def test_t20_restarts_of_games_leave_no_open_files(monkeypatch, restarts):
    monkeypatch.setattr("mario.vector.process_vector.time.sleep", lambda seconds: None)
    envs = ProcessVectorEnv(
        fake_game(fault=Fault("exit", at=1)), 1, max_restarts=restarts, report=lambda line: None
    )
    envs.reset()
    files = []
    for _ in range(restarts):
        envs.step(np.zeros(1, np.int64))
        files.append(open_files())
    envs.close()
    assert files[-1] <= files[0]
