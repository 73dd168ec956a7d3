"""T15: a run that is stopped, saved and resumed ends bit for bit like one that never stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from exact_runs import DDQN, PPO, assert_same_run, config, train
from run_comparison import rows

from agents import DAggerConfig
from mario.config.env_config import StartCurriculumConfig
from mario.runs.checkpoint import load
from wrappers import WrapperConfig

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.mark.slow
@pytest.mark.parametrize("emulator", ["nes-py", "auto"])
@pytest.mark.parametrize("num_envs", [1, 4])
def test_t15_stopping_and_resuming_changes_nothing(tmp_path, num_envs, emulator):
    changes = {"num_envs": num_envs, "emulator": emulator}
    whole = train(config(tmp_path / "whole", **changes))
    folder = tmp_path / "parts"
    part = train(config(folder, steps=148, **changes))
    for steps in (260, 400):  # twice: the save of a resumed run must be complete, too
        train(config(folder, steps=steps, **changes), part)
    assert load(whole / "last.chkpt")["resume"]["agent"]["steps"] == 400
    assert len(rows(whole / "metrics.csv")) > 0
    assert_same_run(whole, part)


@pytest.mark.slow
@pytest.mark.parametrize("emulator", ["nes-py", "auto"])
def test_t15_stopping_in_an_episode_of_the_start_curriculum_changes_nothing(tmp_path, emulator):
    changes = {
        "num_envs": 2,
        "emulator": emulator,
        "wrappers": WrapperConfig(noop_max=30, repeat_action_probability=0.25),
        "start_curriculum": StartCurriculumConfig(1.0, farthest_probability=0.5),
    }
    whole = train(config(tmp_path / "whole", steps=800, **changes))

    def stop(session):
        points = session.trainer.envs.replay_log()
        return any(p.start_offset for p in points) and any(p.farthest for p in points)

    part = train(config(tmp_path / "parts", steps=700, **changes), stop=stop)
    assert load(part / "last.chkpt")["steps"] < 700, "it was stopped in such an episode"
    train(config(tmp_path / "parts", steps=800, **changes), part)
    assert_same_run(whole, part)


@pytest.mark.slow
def test_t15_stopping_and_resuming_with_demonstrations_changes_nothing(tmp_path):
    changes = {
        "num_envs": 2,
        "demos": (str(REPOSITORY / "checkpoints" / "demonstrations" / "1-1.demo"),),
        "noise": (0.0, 0.1),
        "hyper": replace(DDQN, demonstration_share=0.25),
        "start_curriculum": StartCurriculumConfig(
            0.5, demonstration_probability=0.8, demonstration_max_steps=30
        ),
    }
    whole = train(config(tmp_path / "whole", **changes))
    part = train(config(tmp_path / "parts", steps=148, **changes))
    train(config(tmp_path / "parts", **changes), part)
    assert_same_run(whole, part)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["cnn", "lnlstm"])
def test_t15_stopping_in_the_middle_of_a_rollout_changes_nothing(tmp_path, policy):
    changes = {"num_envs": 4, "agent": "ppo", "hyper": replace(PPO, policy=policy)}
    whole = train(config(tmp_path / "whole", **changes))
    folder = tmp_path / "parts"
    part = train(config(folder, steps=148, **changes))
    assert len(load(part / "last.chkpt")["resume"]["agent"]["rollout"]["action"]) == 148 // 4 % 16
    train(config(folder, **changes), part)
    assert len(rows(whole / "metrics.csv")) > 0
    assert_same_run(whole, part)


def test_t15_stopping_in_the_middle_of_a_correction_changes_nothing(tmp_path):
    hyper = DAggerConfig(
        replay_capacity=300, burnin=20, batch_size=8, samples_per_step=2, hidden_size=32,
    )  # fmt: skip
    changes = {"num_envs": 2, "agent": "dagger", "hyper": hyper}
    whole = train(config(tmp_path / "whole", steps=200, **changes))

    def stop(session):
        return any(point.planned for point in session.trainer.envs.replay_log())

    part = train(config(tmp_path / "parts", steps=160, **changes), stop=stop)
    assert load(part / "last.chkpt")["steps"] < 160, "it was stopped in a correction"
    train(config(tmp_path / "parts", steps=200, **changes), part)
    assert_same_run(whole, part)
