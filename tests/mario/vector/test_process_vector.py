"""Several games at once: the order of things, and everything that can go wrong with a process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from doubles import SHAPE, FakeGame, Fault, fake_game

from mario.errors import RunError, UsageError
from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.seeding import episode_seed
from wrappers import StartCurriculum


def actions(*each):
    return np.array(each, np.int64)


@pytest.fixture
def vector():
    made = []

    def make(maker, num_envs=2, **kwargs):
        kwargs.setdefault("report", lambda line: None)
        made.append(ProcessVectorEnv(maker, num_envs, **kwargs))
        return made[-1]

    yield make
    for each in made:
        each.close()


def base(seed, game, episode):
    return episode_seed(seed, game, episode) % 100


def test_games_are_reset_and_stepped_together(vector):
    games = vector(fake_game(), seed=7)
    observations, _ = games.reset()
    assert observations.shape == (2, *SHAPE)
    assert observations[:, 0, 0, 0].tolist() == [base(7, 0, 0), base(7, 1, 0)]
    observations, rewards, terminated, truncated, infos = games.step(actions(1, 2))
    assert observations[:, 0, 0, 0].tolist() == [base(7, 0, 0) + 1, base(7, 1, 0) + 1]
    assert rewards.tolist() == [1, 2]
    assert rewards.dtype == np.float32
    assert games.processes == 2
    assert not terminated.any()
    assert not truncated.any()
    assert infos["x_pos"].tolist() == [1, 1]


def test_an_episode_that_ends_starts_anew_in_the_same_step(vector):
    games = vector(fake_game(length=2), seed=3)
    games.reset()
    games.step(actions(0, 0))
    observations, _, terminated, _, infos = games.step(actions(0, 0))
    assert terminated.all()
    assert observations[0, 0, 0, 0] == base(3, 0, 1)
    assert infos["final_obs"][0][0, 0, 0] == base(3, 0, 0) + 2
    assert infos["final_info"]["ending"][1] == "flag"


def test_a_journal_brings_every_game_back_to_where_it_was(vector):
    games = vector(fake_game(length=4), seed=5)
    games.reset()
    for _ in range(6):
        observations, *_ = games.step(actions(1, 2))
    others = vector(fake_game(length=4), seed=5)
    restored, _ = others.restore(games.journal())
    assert (restored == observations).all()
    for _ in range(3):
        theirs, ours = games.step(actions(2, 1)), others.step(actions(2, 1))
        assert (theirs[0] == ours[0]).all()
        assert theirs[2].tolist() == ours[2].tolist()


class LostGame(FakeGame):
    def step(self, action):
        *step, info = super().step(action)
        return *step, info | {"ending": "death" if info["ending"] else ""}


def lost_game(fault=None):
    return StartCurriculum(LostGame(length=100, fault=fault), share=0.8, farthest=0.5)


def test_a_journal_brings_a_game_back_that_goes_back_to_where_it_was_lost(vector):
    games, others = (vector(lost_game, 3, seed=5) for _ in range(2))
    games.reset()
    for _ in range(250):
        observations, *_, infos = games.step(actions(1, 2, 0))
    journal = games.journal()
    assert [entry["revisited"] for entry in journal] == infos["revisited"].tolist()
    (revisiting, *_) = np.flatnonzero(infos["revisited"])
    entry = journal[revisiting]
    assert entry["start"] < entry["episode"]
    seen = base(5, revisiting, entry["start"]) + len(entry["actions"])
    assert observations[revisiting, 0, 0, 0] == seen
    assert (others.restore(journal)[0] == observations).all()
    for _ in range(250):
        ours, theirs = games.step(actions(2, 1, 1)), others.step(actions(2, 1, 1))
        assert (ours[0] == theirs[0]).all()
    assert games.journal() == others.journal()


def test_a_game_that_dies_on_its_way_begins_anew_at_its_start(vector):
    games = vector(lost_game, 1, seed=5)
    games.reset()
    while not games.step(actions(1))[-1]["revisited"].any():
        pass
    os.kill(games._workers[0].pid, signal.SIGKILL)
    games.step(actions(1))
    (entry,) = games.journal()
    assert (entry["revisited"], entry["actions"]) == (0, [])
    assert entry["start"] == entry["episode"]
    assert entry["farthest"], "what came farthest is not lost with the process"
    others = vector(lost_game, 1, seed=5)
    others.restore([entry])
    for _ in range(300):
        ours, theirs = games.step(actions(1)), others.step(actions(1))
        assert (ours[0] == theirs[0]).all()
    assert games.journal() == others.journal()


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("raise", "raised RuntimeError: the game broke"),
        ("segfault", "was killed by SIGSEGV"),
        ("exit", "ended with exit code 3"),
        ("hang", "gave no answer for 1 s"),
    ],
)
def test_a_game_that_dies_is_named_and_started_again(vector, tmp_path, kind, cause):
    lines = []
    fault = Fault(kind, at=2, once=tmp_path / "struck")
    games = vector(fake_game(fault=fault), 2, seed=1, timeout=1.0, report=lines.append)
    games.reset()
    before, *_ = games.step(actions(1, 1))
    observations, rewards, terminated, truncated, infos = games.step(actions(2, 2))
    (struck,) = np.flatnonzero(infos["lost"])
    other = 1 - struck
    assert truncated[struck]
    assert not terminated.any()
    assert (infos["final_obs"][struck] == before[struck]).all()
    assert observations[struck, 0, 0, 0] == base(1, struck, 1)
    assert rewards[struck] == 0
    assert observations[other, 0, 0, 0] == base(1, other, 0) + 2
    assert rewards[other] == 2
    assert len(lines) == 1
    for part in (f"game {struck}", "seed 1", "episode 0", "action 2", cause, "9 restarts left"):
        assert part in lines[0]


def test_a_worker_killed_between_two_steps_is_started_again(vector):
    lines = []
    games = vector(fake_game(), 2, report=lines.append)
    games.reset()
    os.kill(games._workers[1].pid, signal.SIGKILL)
    *_, infos = games.step(actions(0, 0))
    assert infos["lost"].tolist() == [False, True]
    assert "SIGKILL" in lines[0]
    observations, *_ = games.step(actions(0, 0))
    assert observations[:, 0, 0, 0].tolist() == [base(0, 0, 0) + 2, base(0, 1, 1) + 1]


def test_a_crash_loop_ends_when_the_restarts_are_spent(vector):
    lines = []
    games = vector(fake_game(fault=Fault("exit", at=1)), 1, restarts=2, report=lines.append)
    games.reset()
    games.step(actions(0))
    games.step(actions(0))
    with pytest.raises(RunError, match="exit code 3; no restarts are left"):
        games.step(actions(0))
    assert len(lines) == 2


def test_a_game_that_cannot_be_made_says_why(vector):
    with pytest.raises(RunError, match="game 0 could not be started: it raised RuntimeError"):
        vector(fake_game(fault=Fault("raise", at=-1)))


def broken_by_the_user():
    raise UsageError("there is no such ROM; install it")


def test_a_mistake_of_the_users_comes_through_as_it_is(vector):
    with pytest.raises(UsageError, match="^there is no such ROM; install it$"):
        vector(broken_by_the_user)


def test_reset_options_are_refused(vector):
    with pytest.raises(UsageError, match="takes no reset options"):
        vector(fake_game()).reset(options={"level": 3})


def test_closing_does_not_wait_for_a_game_that_hangs(vector):
    games = vector(fake_game(fault=Fault("hang", at=1)), 1)
    games.reset()
    games.step_async(actions(0))
    start = time.monotonic()
    games.close()
    games.close()
    assert time.monotonic() - start < 5


def alive(pid):
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
    games = ProcessVectorEnv(fake_game(fault=Fault("hang", at=1)), 2)
    games.reset()
    games.step_async(np.array([0, 0]))
    print(*[worker.pid for worker in games._workers], flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_no_game_survives_its_killed_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(ORPHAN_MAKER.format(tests=str(Path(__file__).parents[2] / "support")))
    parent = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    pids = [int(word) for word in parent.stdout.split()]
    assert parent.returncode == -signal.SIGKILL
    assert len(pids) == 2
    deadline = time.monotonic() + 2
    while any(alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in pids)
