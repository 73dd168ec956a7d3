"""Environments in worker processes: the order of events, and everything that can go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from doubles import SHAPE, FakeGame, Fault, fake_game

from mario.config.env_config import StartCurriculumConfig
from mario.errors import RunError, UsageError
from mario.games.starts.start_curriculum import StartCurriculum
from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.seeding import episode_seed


def actions(*numbers):
    return np.array(numbers, np.int64)


@pytest.fixture
def vector():
    made = []

    def make(maker, num_envs=2, **kwargs):
        kwargs.setdefault("report", lambda line: None)
        made.append(ProcessVectorEnv(maker, num_envs, **kwargs))
        return made[-1]

    yield make
    for envs in made:
        envs.close()


def base(seed, env_index, episode):
    """The value of a `FakeGame`'s first observation."""
    return episode_seed(seed, env_index, episode) % 100


def test_environments_are_reset_and_stepped_together(vector):
    envs = vector(fake_game(), seed=7)
    observations, _ = envs.reset()
    assert observations.shape == (2, *SHAPE)
    assert observations[:, 0, 0, 0].tolist() == [base(7, 0, 0), base(7, 1, 0)]
    observations, rewards, terminated, truncated, infos = envs.step(actions(1, 2))
    assert observations[:, 0, 0, 0].tolist() == [base(7, 0, 0) + 1, base(7, 1, 0) + 1]
    assert rewards.tolist() == [1, 2]
    assert rewards.dtype == np.float32
    assert envs.num_processes == 2
    assert not terminated.any()
    assert not truncated.any()
    assert infos["x_pos"].tolist() == [1, 1]


def test_an_episode_that_ends_is_reset_in_the_same_step(vector):
    envs = vector(fake_game(length=2), seed=3)
    envs.reset()
    envs.step(actions(0, 0))
    observations, _, terminated, _, infos = envs.step(actions(0, 0))
    assert terminated.all()
    assert observations[0, 0, 0, 0] == base(3, 0, 1)
    assert infos["final_obs"][0][0, 0, 0] == base(3, 0, 0) + 2
    assert infos["final_info"]["ending"][1] == "flag"


def test_a_replay_log_restores_every_environment(vector):
    envs = vector(fake_game(length=4), seed=5)
    envs.reset()
    for _ in range(6):
        observations, *_ = envs.step(actions(1, 2))
    others = vector(fake_game(length=4), seed=5)
    restored, _ = others.restore(envs.replay_log())
    assert (restored == observations).all()
    for _ in range(3):
        expected, result = envs.step(actions(2, 1)), others.step(actions(2, 1))
        assert (result[0] == expected[0]).all()
        assert result[2].tolist() == expected[2].tolist()


class LostGame(FakeGame):
    def step(self, action):
        *result, info = super().step(action)
        return *result, info | {"ending": "death" if info["ending"] else ""}


def lost_game(fault=None):
    config = StartCurriculumConfig(probability=0.8, farthest_probability=0.5)
    return StartCurriculum(LostGame(length=100, fault=fault), config)


def test_a_replay_log_restores_episodes_that_start_before_an_earlier_loss(vector):
    envs, others = (vector(lost_game, 3, seed=5) for _ in range(2))
    envs.reset()
    for _ in range(250):
        observations, *_, infos = envs.step(actions(1, 2, 0))
    points = envs.replay_log()
    assert [point.start_offset for point in points] == infos["start_offset"].tolist()
    (index, *_) = np.flatnonzero(infos["start_offset"])
    log = points[index].log
    assert log.start_episode < points[index].episode
    expected = base(5, index, log.start_episode) + len(log.actions)
    assert observations[index, 0, 0, 0] == expected
    assert (others.restore(points)[0] == observations).all()
    for _ in range(250):
        expected, result = envs.step(actions(2, 1, 1)), others.step(actions(2, 1, 1))
        assert (result[0] == expected[0]).all()
    assert envs.replay_log() == others.replay_log()


def test_after_a_crash_the_next_episode_starts_at_the_beginning_of_the_game(vector):
    envs = vector(lost_game, 1, seed=5)
    envs.reset()
    while not envs.step(actions(1))[-1]["start_offset"].any():
        pass
    os.kill(envs._workers[0].pid, signal.SIGKILL)
    envs.step(actions(1))
    (point,) = envs.replay_log()
    assert (point.start_offset, point.log.actions) == (0, [])
    assert point.log.start_episode == point.episode
    assert point.farthest, "the farthest trajectory survives the process"
    others = vector(lost_game, 1, seed=5)
    others.restore([point])
    for _ in range(300):
        expected, result = envs.step(actions(1)), others.step(actions(1))
        assert (result[0] == expected[0]).all()
    assert envs.replay_log() == others.replay_log()


@pytest.mark.parametrize(
    ("kind", "cause"),
    [
        ("raise", "raised RuntimeError: the game broke"),
        ("segfault", "was killed by SIGSEGV"),
        ("exit", "ended with exit code 3"),
        ("hang", "did not answer for 1 s"),
    ],
)
def test_a_crash_is_reported_and_the_environment_restarted(vector, tmp_path, kind, cause):
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


def test_a_worker_killed_between_two_steps_is_restarted(vector):
    lines = []
    envs = vector(fake_game(), 2, report=lines.append)
    envs.reset()
    os.kill(envs._workers[1].pid, signal.SIGKILL)
    *_, infos = envs.step(actions(0, 0))
    assert infos["crashed"].tolist() == [False, True]
    assert "SIGKILL" in lines[0]
    observations, *_ = envs.step(actions(0, 0))
    assert observations[:, 0, 0, 0].tolist() == [base(0, 0, 0) + 2, base(0, 1, 1) + 1]


def test_a_crash_loop_ends_the_run_when_no_restarts_are_left(vector):
    lines = []
    fault = Fault("exit", at=1)
    envs = vector(fake_game(fault=fault), 1, max_restarts=2, report=lines.append)
    envs.reset()
    envs.step(actions(0))
    envs.step(actions(0))
    with pytest.raises(RunError, match="exit code 3; no restarts are left"):
        envs.step(actions(0))
    assert len(lines) == 2


def test_a_game_that_cannot_be_made_is_reported_with_the_reason(vector):
    with pytest.raises(RunError, match="game 0 could not be started: it raised RuntimeError"):
        vector(fake_game(fault=Fault("raise", at=-1)))


def raise_usage_error():
    raise UsageError("there is no such ROM; install it")


def test_a_usage_error_in_a_worker_is_raised_unchanged(vector):
    with pytest.raises(UsageError, match="^there is no such ROM; install it$"):
        vector(raise_usage_error)


def test_reset_options_are_refused(vector):
    with pytest.raises(UsageError, match="has no reset options"):
        vector(fake_game()).reset(options={"level": 3})


def test_close_does_not_wait_for_a_game_that_hangs(vector):
    envs = vector(fake_game(fault=Fault("hang", at=1)), 1)
    envs.reset()
    envs.step_async(actions(0))
    start = time.monotonic()
    envs.close()
    envs.close()
    assert time.monotonic() - start < 5


class ModuleListGame(gym.Env):
    """Its metadata lists the modules that are loaded in its process."""

    observation_space = action_space = gym.spaces.Discrete(1)

    def __init__(self):
        self.metadata = {"modules": sorted(sys.modules)}


TRAINING_PROGRAM = """
import sys
sys.path[:0] = [{support!r}, {tests!r}]
from test_process_vector import ModuleListGame
from mario.commands.train import main  # as the mario-train script does
from mario.vector.process_vector import ProcessVectorEnv

if __name__ == "__main__":
    import mario.training.session
    envs = ProcessVectorEnv(ModuleListGame, 1)
    print(*envs.metadata["modules"])
    envs.close()
"""


def test_workers_never_import_torch_or_agents(tmp_path):
    script = tmp_path / "program.py"
    folders = {
        "support": str(Path(__file__).parents[2] / "support"),
        "tests": str(Path(__file__).parent),
    }
    script.write_text(TRAINING_PROGRAM.format(**folders))
    program = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    assert (program.returncode, program.stderr) == (0, "")
    modules = set(program.stdout.split())
    assert {"mario.vector.worker", "mario.vector.env", "mario.commands.train"} <= modules
    assert {"torch", "tensordict", "agents", "matplotlib"} & modules == set()


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
def test_no_worker_survives_its_killed_parent(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(ORPHAN_MAKER.format(tests=str(Path(__file__).parents[2] / "support")))
    parent = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60)
    pids = [int(word) for word in parent.stdout.split()]
    assert parent.returncode == -signal.SIGKILL
    assert len(pids) == 2
    deadline = time.monotonic() + 2
    while any(is_alive(pid) for pid in pids) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not any(is_alive(pid) for pid in pids)
