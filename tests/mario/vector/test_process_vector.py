"""Environments in worker processes: the order of events, and everything that can go wrong."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from doubles import SHAPE, FakeGame, fake_game
from process_vectors import actions, base, process_vectors

from mario.config.env_config import StartCurriculumConfig
from mario.errors import UsageError
from mario.games.endings import TimeLimitEnding
from mario.games.starts.start_curriculum import StartCurriculum


@pytest.fixture
def vector():
    yield from process_vectors()


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


def limited_game():
    return TimeLimitEnding(gym.wrappers.TimeLimit(FakeGame(length=100), max_episode_steps=3))


def test_an_episode_that_reaches_the_limit_of_its_id_is_truncated(vector):
    envs = vector(limited_game, 1)
    envs.reset()
    results = [envs.step(actions(0)) for _ in range(3)]
    assert [truncated.tolist() for _, _, _, truncated, _ in results] == [[False], [False], [True]]
    assert results[-1][-1]["final_info"]["ending"].tolist() == ["truncated"]


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


def raise_usage_error():
    raise UsageError("there is no such ROM; install it")


def test_a_usage_error_in_a_worker_is_raised_unchanged(vector):
    with pytest.raises(UsageError, match="^there is no such ROM; install it$"):
        vector(raise_usage_error)


def test_reset_options_are_refused(vector):
    with pytest.raises(UsageError, match="has no reset options"):
        vector(fake_game()).reset(options={"level": 3})


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
