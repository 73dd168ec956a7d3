"""Configurations come from presets and from earlier runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from agents import DDQN, PPO, DDQNConfig, Distillation
from mario.config.serialization import to_dict
from mario.errors import UsageError
from mario.runs.file_kind import CONFIG
from mario.runs.run_folder import _write_config
from mario.runs.train_config import check_same_run, saved_config, train_config


class Mine(DDQN):
    """An agent of a user."""


class MyStudent(Distillation):
    """A subclass of an agent that is itself a subclass of another one."""


def test_without_arguments_it_is_the_default_preset():
    config = train_config()
    assert (config.preset, config.agent, config.game) == ("mario", "ddqn", "SuperMarioBros-1-1-v0")
    assert (config.num_envs, config.evaluation.every) == (8, 12_500)


def test_nested_settings_keep_the_other_values_of_the_preset():
    config = train_config(wrappers={"size": 48}, evaluation={"episodes": 5})
    assert (config.wrappers.size, config.wrappers.observation) == (48, "orange")
    assert (config.evaluation.episodes, config.evaluation.every) == (5, 12_500)


def test_the_preset_is_read_for_the_game():
    assert train_config(game="Tetris-v0").wrappers.observation == "gray"
    assert train_config(game="SuperMarioBros-1-2-v0").wrappers.observation == "orange"


def test_schedules_are_as_long_as_the_run():
    assert train_config(preset="atari-ppo2", steps=500).hyper.schedule_steps == 500


def test_hyperparameters_can_be_an_object():
    hyper = DDQNConfig(gamma=0.5)
    assert train_config(hyper=hyper).hyper == hyper


def test_a_class_of_agents_is_saved_by_its_module_and_name():
    assert train_config(agent=PPO).agent == "ppo"
    assert train_config(agent=Mine).agent == f"{__name__}:Mine"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"step": 1}, "unknown setting 'step'; did you mean 'steps'"),
        ({"steps": "many"}, "steps cannot be 'many'; give a whole number or None"),
        ({"preset": "tutoral"}, "unknown preset 'tutoral'; did you mean 'tutorial'"),
        ({"game": "SuperMarioBros-1-1"}, "did you mean 'SuperMarioBros-1-1-v0'"),
        ({"agent": "dqn"}, "unknown agent 'dqn'; did you mean 'ddqn'"),
        ({"evaluation": {"noop_max": -1}}, "^evaluation.noop_max must be at least 0"),
        ({"num_envs": 0}, "num_envs must be at least 1, got 0"),
    ],
)
def test_wrong_settings_are_usage_errors(settings, message):
    with pytest.raises(UsageError, match=message):
        train_config(**settings)


def test_the_configuration_of_a_run_is_read_back(tmp_path):
    config = train_config(steps=100, save_dir=tmp_path)
    _write_config(tmp_path, to_dict(config))
    assert saved_config(tmp_path) == saved_config(str(tmp_path)) == config
    assert (tmp_path / CONFIG).is_file()


def test_totals_may_change_in_a_resumed_run_but_not_what_it_learns(tmp_path):
    config = train_config(steps=100)
    _write_config(tmp_path, to_dict(config))
    check_same_run(replace(config, steps=200), tmp_path)
    with pytest.raises(UsageError, match="has seed 0, which cannot become 1; omit seed"):
        check_same_run(replace(config, seed=1), tmp_path)


def test_code_of_the_user_must_be_named_again(tmp_path):
    config = replace(train_config(agent=Mine), callback=("mine:Print",))
    _write_config(tmp_path, to_dict(config))
    with pytest.raises(UsageError, match="with an agent of your own; add agent .*:Mine"):
        saved_config(tmp_path)
    with pytest.raises(UsageError, match="with callbacks of your own; add callback mine:Print"):
        saved_config(tmp_path, agent=Mine)


def test_the_default_preset_is_that_of_the_nearest_built_in_agent():
    assert train_config(agent="distill").preset == "mario-distill"
    assert train_config(agent=MyStudent).preset == "mario-distill"
    assert train_config(agent="dagger").preset == "mario-dagger"
