"""Configuration of runs: validation, presets and serialization."""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest
import yaml

from agents import DDQNConfig, PPOConfig
from mario.config.presets import preset_names, read_preset
from mario.config.run_config import (
    DEFAULT_EPISODES,
    RESUME_OVERRIDES,
    EvaluationConfig,
    TrainConfig,
)
from mario.config.serialization import from_dict, to_dict
from mario.errors import UsageError
from mario.runs.agent_factory import agent_class


def config(**changes):
    return TrainConfig(hyper=DDQNConfig(), **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"episodes": 0}, "episodes must be at least 1, got 0"),
        ({"steps": -3}, "steps must be at least 1, got -3"),
        ({"num_envs": 0}, "num_envs must be at least 1, got 0"),
        ({"seed": -1}, "seed must be at least 0, got -1"),
        ({"threads": 0}, "threads must be at least 1, got 0"),
        ({"save_every": 0}, "save_every must be at least 1"),
        ({"save_seconds": float("nan")}, "save_seconds must be at least 0, got nan"),
        ({"log_every": 0}, "log_every must be at least 1"),
    ],
)
def test_values_out_of_range_are_refused_by_flag(changes, message):
    with pytest.raises(UsageError, match=message):
        config(**changes)


def test_invalid_evaluation_settings_are_refused():
    with pytest.raises(UsageError, match=r"evaluation\.every must be at least 1"):
        EvaluationConfig(every=0)
    for target in (0.0, 1.1, float("nan")):
        with pytest.raises(UsageError, match=r"evaluation\.target_clear_rate must be above 0"):
            EvaluationConfig(target_clear_rate=target)
    with pytest.raises(UsageError, match=r"evaluation\.epsilon must be between 0 and 1"):
        EvaluationConfig(epsilon=1.5)
    with pytest.raises(UsageError, match=r"needs evaluations, but evaluation\.episodes is 0"):
        EvaluationConfig(episodes=0, target_clear_rate=0.5)


def test_the_default_total_is_40000_episodes():
    assert config().total_episodes == DEFAULT_EPISODES
    assert config(steps=10).total_episodes is None
    assert config(episodes=3, steps=10).total_episodes == 3


def test_every_flag_has_a_help_text():
    """tyro takes the help text from the docstring below the field."""
    for kind in (TrainConfig, EvaluationConfig, DDQNConfig, PPOConfig):
        source = inspect.getsource(kind).splitlines()
        for item in fields(kind):
            (line,) = [n for n, text in enumerate(source) if text.startswith(f"    {item.name}: ")]
            assert source[line + 1].strip().startswith('"""'), item.name


def test_resume_overrides_are_fields_of_the_configuration():
    assert {item.name for item in fields(TrainConfig)} >= RESUME_OVERRIDES


def test_a_configuration_survives_yaml():
    before = config(episodes=7, save_dir=Path("a b"), num_envs=3)
    values = yaml.safe_load(yaml.safe_dump(to_dict(before)))
    values["hyper"] = from_dict(DDQNConfig, values["hyper"])
    assert from_dict(TrainConfig, values) == before


def test_floats_that_yaml_reads_as_text_are_converted():
    assert from_dict(DDQNConfig, {"learning_rate": "1e-4"}).learning_rate == 1e-4


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gama": 0.9}, r"unknown setting 'hyper\.gama'; did you mean 'hyper\.gamma'"),
        ({"batch_size": "many"}, r"hyper\.batch_size cannot be 'many'; give a whole number"),
        ({"batch_size": True}, r"hyper\.batch_size cannot be True"),
        ({"separate_target": 1}, r"hyper\.separate_target cannot be 1"),
        ({"gamma": "x"}, r"hyper\.gamma cannot be 'x'"),
    ],
)
def test_values_of_the_wrong_type_are_refused(values, message):
    with pytest.raises(UsageError, match=message):
        from_dict(DDQNConfig, values, "hyper.")


def test_a_nested_setting_is_named_with_its_path():
    with pytest.raises(UsageError, match=r"unknown setting 'wrappers\.skipp'"):
        from_dict(TrainConfig, {"hyper": DDQNConfig(), "wrappers": {"skipp": 4}})


@pytest.mark.parametrize("values", [[], "x", None])
def test_a_group_that_is_not_a_mapping_is_refused(values):
    with pytest.raises(UsageError, match="hyper cannot be"):
        from_dict(DDQNConfig, values, "hyper.")


def test_every_preset_is_valid_for_its_agent():
    assert "tutorial" in preset_names()
    for name in preset_names():
        values = read_preset(name)
        hyper = from_dict(agent_class(values["agent"]).Config, values.pop("hyper"))
        assert is_dataclass(from_dict(TrainConfig, values | {"hyper": hyper}))


def test_the_tutorial_preset_has_the_constants_of_the_pytorch_tutorial():
    values = read_preset("tutorial")
    hyper = from_dict(DDQNConfig, values["hyper"])
    assert (hyper.gamma, hyper.learning_rate, hyper.batch_size) == (0.9, 0.00025, 32)
    assert (hyper.replay_capacity, hyper.burnin) == (100_000, 10_000)
    assert (hyper.learn_every, hyper.sync_every) == (3, 10_000)
    assert (hyper.exploration_start, hyper.exploration_min) == (1.0, 0.1)
    assert hyper.exploration_decay == 0.99999975
    assert values["actions"] == "tutorial"
    assert values["save_every"] == 500_000


def test_the_ppo2_preset_has_the_constants_of_openai_baselines():
    values = read_preset("atari-ppo2")
    hyper = from_dict(PPOConfig, values["hyper"])
    assert hyper == PPOConfig(), "the defaults are those of ppo2"
    assert (values["num_envs"], hyper.horizon, hyper.epochs, hyper.minibatches) == (8, 128, 4, 4)
    assert (hyper.gamma, hyper.gae_lambda, hyper.value_coef) == (0.99, 0.95, 0.5)
    assert (hyper.learning_rate, hyper.clip_range, hyper.entropy_coef) == (2.5e-4, 0.1, 0.01)
    assert (hyper.learning_rate_end, hyper.clip_range_end) == (0.0, 0.0)
    assert (hyper.max_grad_norm, hyper.adam_epsilon) == (0.5, 1e-5)
    assert values["steps"] == 11_000_000


def test_a_presets_actions_apply_only_to_matching_games():
    assert "actions" not in read_preset("tutorial", "Tetris-v0")


def test_settings_of_matching_games_override_the_common_settings():
    mario, others = (read_preset("mario", game) for game in (None, "Tetris-v0"))
    assert mario["wrappers"]["noop_max"] == others["wrappers"]["noop_max"] == 30
    assert mario["wrappers"]["reward_clip"] is None
    assert mario["ending_reward"]["success"] == 5.0
    assert others["wrappers"]["reward_clip"] == 1.0
    assert "ending_reward" not in others


def test_an_unknown_preset_error_suggests_the_nearest_name():
    with pytest.raises(UsageError, match="unknown preset 'tutrial'; did you mean 'tutorial'"):
        read_preset("tutrial")


def test_schedule_points_survive_yaml():
    points = ((0, 1.0), (100, 0.1))
    values = yaml.safe_load(yaml.safe_dump(to_dict(DDQNConfig(exploration_schedule=points))))
    assert from_dict(DDQNConfig, values).exploration_schedule == points
