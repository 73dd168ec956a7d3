from __future__ import annotations

import pytest
import tyro

from agents.agent import AgentSpec
from agents.ddqn.build import build_exploration
from agents.ddqn.config import DDQNConfig


def test_the_defaults_are_those_of_the_tutorial():
    config = DDQNConfig()
    assert (config.gamma, config.learning_rate, config.batch_size) == (0.9, 0.00025, 32)
    assert (config.replay_capacity, config.burnin) == (100_000, 10_000)
    assert (config.learn_every, config.sync_every) == (3, 10_000)
    rates = config.exploration_start, config.exploration_decay, config.exploration_min
    assert rates == (1.0, 0.99999975, 0.1)
    assert (config.dueling, config.priority_alpha, config.random_shift) == (False, 0.0, 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gamma": 1.5}, "gamma is 1.5; give a number from 0 to 1"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0; give a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan; give a number above 0"),
        ({"learning_rate_end": -1.0}, "learning_rate_end is -1.0; give above 0, or none"),
        ({"learning_rate_steps": 0}, "learning_rate_steps is 0; give 1 or more"),
        ({"batch_size": 0}, "batch_size is 0; give 1 or more"),
        ({"replay_capacity": -5}, "replay_capacity is -5; give 1 or more"),
        ({"burnin": -1}, "burnin is -1; give 0 or more"),
        ({"learn_every": 0}, "learn_every is 0; give 1 or more"),
        ({"sync_every": 0}, "sync_every is 0; give 1 or more"),
        ({"exploration_start": 2.0}, "exploration_start is 2.0; give a number from 0 to 1"),
        ({"exploration_decay": 1.1}, "exploration_decay is 1.1; give above 0 and up to 1"),
        ({"exploration_start": 0.05}, "exploration_min is 0.1; give at most exploration_start"),
        (
            {"exploration_schedule": ((0, 1.5),)},
            "exploration_schedule is .*; give rates from 0 to 1",
        ),
        ({"exploration_schedule": ((5, 1.0), (5, 0.1))}, r"points have the steps \[5, 5\]; give"),
        ({"exploration_apex_base": 1.5}, "exploration_apex_base is 1.5; give a number from 0 to 1"),
        ({"exploration_action_repeat": 0}, "exploration_action_repeat is 0; give 1 or more"),
        ({"adam_epsilon": 0.0}, "adam_epsilon is 0.0; give a number above 0"),
        ({"n_step": 0}, "n_step is 0; give 1 or more"),
        ({"hidden_size": 0}, "hidden_size is 0; give 1 or more"),
        ({"priority_alpha": 1.1}, "priority_alpha is 1.1; give a number from 0 to 1"),
        ({"priority_beta": -0.1}, "priority_beta is -0.1; give a number from 0 to 1"),
        ({"priority_beta_steps": 0}, "priority_beta_steps is 0; give 1 or more"),
        ({"random_shift": -1}, "random_shift is -1; give 0 or more"),
        ({"max_grad_norm": -1.0}, "max_grad_norm is -1.0; give a number above 0, or none"),
        ({"max_grad_norm": 0.0}, "max_grad_norm is 0.0; give a number above 0, or none"),
    ],
)
def test_values_out_of_range_are_reported_with_a_remedy(change, message):
    with pytest.raises(ValueError, match=message):
        DDQNConfig(**change)


def test_every_field_can_be_set_from_the_command_line_and_has_help(capsys):
    assert tyro.cli(DDQNConfig, args=["--max-grad-norm", "10", "--separate-target"]) == DDQNConfig(
        max_grad_norm=10.0, separate_target=True
    )
    with pytest.raises(SystemExit):
        tyro.cli(DDQNConfig, args=["--help"])
    assert "Steps between updates of the online network." in capsys.readouterr().out


def test_exploration_follows_the_points_of_its_schedule():
    config = DDQNConfig(exploration_schedule=((0, 1.0), (100, 0.1), (300, 0.0)))
    exploration = build_exploration(AgentSpec((4, 84, 84), num_actions=2), config)
    rates = []
    for _ in range(4):
        rates.append(exploration.rate)
        exploration.choose(100)
    assert rates == pytest.approx([1.0, 0.1, 0.05, 0.0])
