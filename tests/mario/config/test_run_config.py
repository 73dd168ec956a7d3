"""The configuration: checked, presets, plain values and back."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
import yaml

from agents import Agent, DDQNConfig, PPOConfig
from agents.ddqn.agent import DDQN
from mario.config.presets import preset_names, read_preset
from mario.config.run_config import (
    DEFAULT_EPISODES,
    MAY_CHANGE,
    EvaluationConfig,
    TrainConfig,
    agent_class,
)
from mario.config.serialization import from_dict, to_dict
from mario.errors import UsageError


def config(**changes):
    return TrainConfig(hyper=DDQNConfig(), **changes)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"episodes": 0}, "--episodes must be at least 1, got 0"),
        ({"steps": -3}, "--steps must be at least 1, got -3"),
        ({"num_envs": 0}, "--num-envs must be at least 1, got 0"),
        ({"seed": -1}, "--seed must be at least 0, got -1"),
        ({"threads": 0}, "--threads must be at least 1, got 0"),
        ({"save_every": 0}, "--save-every must be at least 1"),
        ({"save_seconds": float("nan")}, "--save-seconds must be at least 0, got nan"),
        ({"log_every": 0}, "--log-every must be at least 1"),
    ],
)
def test_impossible_numbers_are_refused_by_name(changes, complaint):
    with pytest.raises(UsageError, match=complaint):
        config(**changes)


def test_impossible_evaluations_are_refused():
    with pytest.raises(UsageError, match=r"--evaluation\.every must be at least 1"):
        EvaluationConfig(every=0)
    for until in (0.0, 1.1, float("nan")):
        with pytest.raises(UsageError, match=r"--evaluation\.until must be above 0"):
            EvaluationConfig(target_clear_rate=until)
    with pytest.raises(UsageError, match=r"--evaluation\.epsilon must lie between 0 and 1"):
        EvaluationConfig(epsilon=1.5)
    with pytest.raises(UsageError, match=r"until needs evaluations; give --evaluation\.episodes"):
        EvaluationConfig(episodes=0, target_clear_rate=0.5)


def test_forty_thousand_episodes_unless_told_otherwise():
    assert config().total_episodes == DEFAULT_EPISODES
    assert config(steps=10).total_episodes is None
    assert config(episodes=3, steps=10).total_episodes == 3


def test_every_flag_has_a_help_text():
    """tyro takes it from the line beneath the field."""
    for kind in (TrainConfig, EvaluationConfig, DDQNConfig, PPOConfig):
        source = inspect.getsource(kind).splitlines()
        for item in fields(kind):
            (line,) = [n for n, text in enumerate(source) if text.startswith(f"    {item.name}: ")]
            assert source[line + 1].strip().startswith('"""'), item.name


def test_what_may_change_is_named_rightly():
    assert {item.name for item in fields(TrainConfig)} >= MAY_CHANGE


def test_plain_values_and_back_through_yaml():
    before = config(episodes=7, save_dir=Path("a b"), num_envs=3)
    values = yaml.safe_load(yaml.safe_dump(to_dict(before)))
    values["hyper"] = from_dict(DDQNConfig, values["hyper"])
    assert from_dict(TrainConfig, values) == before


def test_yaml_writes_small_numbers_as_text_and_they_are_read_all_the_same():
    assert from_dict(DDQNConfig, {"learning_rate": "1e-4"}).learning_rate == 1e-4


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"gama": 0.9}, r"unknown setting 'hyper\.gama'; did you mean 'hyper\.gamma'"),
        ({"batch_size": "many"}, r"hyper\.batch_size cannot be 'many'"),
        ({"batch_size": True}, r"hyper\.batch_size cannot be True"),
        ({"separate_target": 1}, r"hyper\.separate_target cannot be 1"),
        ({"gamma": "x"}, r"hyper\.gamma cannot be 'x'"),
    ],
)
def test_values_that_do_not_fit_are_refused(values, complaint):
    with pytest.raises(UsageError, match=complaint):
        from_dict(DDQNConfig, values, "hyper.")


def test_a_nested_value_is_named_in_full():
    with pytest.raises(UsageError, match=r"unknown setting 'wrappers\.skipp'"):
        from_dict(TrainConfig, {"hyper": DDQNConfig(), "wrappers": {"skipp": 4}})


def test_every_preset_fits_its_agent():
    assert "tutorial" in preset_names()
    for name in preset_names():
        values = read_preset(name)
        hyper = from_dict(agent_class(values["agent"]).Config, values.pop("hyper"))
        assert is_dataclass(from_dict(TrainConfig, values | {"hyper": hyper}))


def test_the_tutorial_preset_has_the_tutorials_constants():
    values = read_preset("tutorial")
    hyper = from_dict(DDQNConfig, values["hyper"])
    assert (hyper.gamma, hyper.learning_rate, hyper.batch_size) == (0.9, 0.00025, 32)
    assert (hyper.memory, hyper.burnin) == (100_000, 10_000)
    assert (hyper.learn_every, hyper.sync_every) == (3, 10_000)
    assert (hyper.exploration_start, hyper.exploration_min) == (1.0, 0.1)
    assert hyper.exploration_decay == 0.99999975
    assert values["actions"] == "tutorial"
    assert values["save_every"] == 500_000


def test_the_ppo2_preset_has_the_constants_of_baselines():
    values = read_preset("atari-ppo2")
    hyper = from_dict(PPOConfig, values["hyper"])
    assert hyper == PPOConfig(), "the defaults are those of ppo2"
    assert (values["num_envs"], hyper.horizon, hyper.epochs, hyper.minibatches) == (8, 128, 4, 4)
    assert (hyper.gamma, hyper.gae_lambda, hyper.value_coef) == (0.99, 0.95, 0.5)
    assert (hyper.learning_rate, hyper.clip, hyper.entropy_coef) == (2.5e-4, 0.1, 0.01)
    assert (hyper.learning_rate_end, hyper.clip_end) == (0.0, 0.0)
    assert (hyper.max_grad_norm, hyper.adam_epsilon) == (0.5, 1e-5)
    assert values["steps"] == 11_000_000


def test_a_presets_actions_are_for_its_own_games():
    assert "actions" not in read_preset("tutorial", "Tetris-v0")


def test_what_is_for_some_games_is_added_to_what_is_for_all():
    mario, others = (read_preset("mario", game)["wrappers"] for game in (None, "Tetris-v0"))
    assert mario["noops"] == others["noops"] == 30
    assert (mario["reward_clip"], mario["reward_won"]) == (None, 5.0)
    assert (others["reward_clip"], others.get("reward_won")) == (1.0, None)


def test_an_unknown_preset_is_told_the_nearest():
    with pytest.raises(UsageError, match="unknown preset 'tutrial'; did you mean 'tutorial'"):
        read_preset("tutrial")


def test_agents_are_found_by_name_and_by_module(tmp_path, monkeypatch):
    assert agent_class("ddqn") is DDQN
    (tmp_path / "my_own_agent.py").write_text(
        "from agents import DDQN\nclass Mine(DDQN): pass\nx = 3"
    )
    monkeypatch.chdir(tmp_path)
    assert issubclass(agent_class("my_own_agent:Mine"), Agent)
    with pytest.raises(UsageError, match="my_own_agent has no 'Yours'"):
        agent_class("my_own_agent:Yours")
    with pytest.raises(UsageError, match="x is not a subclass of agents.Agent"):
        agent_class("my_own_agent:x")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("dqn", "unknown agent 'dqn'; did you mean 'ddqn'"),
        ("nowhere:A", "No module named 'nowhere'"),
    ],
)
def test_agents_that_are_not_there_are_named(name, complaint):
    with pytest.raises(UsageError, match=complaint):
        agent_class(name)


def test_points_of_a_schedule_survive_yaml():
    points = ((0, 1.0), (100, 0.1))
    values = yaml.safe_load(yaml.safe_dump(to_dict(DDQNConfig(exploration_schedule=points))))
    assert from_dict(DDQNConfig, values).exploration_schedule == points
