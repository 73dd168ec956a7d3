"""Tests of the commands with a recurrent policy, from training to a video, on the real game."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import yaml

from agents import PPO
from mario.commands import evaluate, play, train
from mario.playback.watch import watch_episode
from mario.runs.checkpoint import load
from mario.runs.trained_agent import load_agent

FLAGS = [
    "--agent", "ppo", "--steps", "480", "--num-envs", "4", "--hyper.policy", "lnlstm",
    "--hyper.horizon", "32", "--hyper.minibatches", "2", "--hyper.lstm-size", "16",
    "--hyper.hidden-size", "32", "--evaluation.episodes", "1", "--no-tensorboard",
    "--log-every", "1",
]  # fmt: skip

pytestmark = pytest.mark.slow


def run(command, *arguments):
    """Call a command and return its exit code."""
    with pytest.raises(SystemExit) as exit_:
        command.main([str(argument) for argument in arguments])
    return exit_.value.code


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The folder of a short run."""
    save_dir = tmp_path_factory.mktemp("out")
    assert run(train, *FLAGS, "--save-dir", save_dir) == 0
    return next(save_dir.iterdir())


def test_the_run_has_the_preset_and_the_metrics_of_its_algorithm(folder):
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert (config["preset"], config["actions"], config["hyper"]["gamma"]) == (
        "mario-ppo", "simple", 0.9,
    )  # fmt: skip
    with open(folder / "metrics.csv") as file:
        rows = list(csv.DictReader(file))
    assert float(rows[-1]["entropy"]) == pytest.approx(np.log(7), abs=0.1)
    assert {f"{name}_plot.jpg" for name in PPO.reported_metrics} < {
        path.name for path in folder.iterdir()
    }
    assert not (folder / "q_plot.jpg").exists()


def test_the_run_can_be_resumed(folder, capfd):
    assert run(train, "--resume", folder, "--steps", 520) == 0
    assert "Resumed after" in capfd.readouterr().out
    assert load(folder / "last.chkpt")["steps"] == 520


def test_the_best_agent_is_evaluated_and_recorded(folder, tmp_path, capsys):
    best = folder / "best.chkpt"
    assert run(evaluate, best, "--episodes", 1, "--num-envs", 1, "--json") == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 1
    assert run(play, best, "--record", tmp_path / "clip.gif") == 0
    assert (tmp_path / "clip.gif").stat().st_size > 10_000


def test_each_watched_episode_starts_with_a_fresh_recurrent_state(folder):
    class TwoSteps:
        """An environment with episodes of two random observations."""

        def reset(self, *, seed):
            self.rng, self.steps = np.random.default_rng(seed), 0
            return self.observe(), {}

        def step(self, action):
            self.steps += 1
            info = {"episode": {"r": 0.0, "l": self.steps}}
            return self.observe(), 0.0, self.steps == 2, False, info

        def observe(self):
            return self.rng.integers(0, 256, (4, 84, 84), dtype=np.uint8)

    trained = load_agent(folder / "best.chkpt")
    agent = PPO.build(spec_of(trained), trained.hyper)
    agent.load_policy_state_dict(trained.policy_state)
    recurrent_state = []
    for seed in (0, 1, 0):
        watch_episode(agent, TwoSteps(), seed=seed)
        recurrent_state.append(agent._actor.state.recurrent_state)
    agent.close()
    assert (recurrent_state[0] == recurrent_state[2]).all()
    assert (recurrent_state[0] != recurrent_state[1]).any()


def spec_of(trained):
    from agents import AgentSpec

    return AgentSpec(trained.state_shape, trained.num_actions, training=False)
