"""Every number of a configuration has bounds, and the message gives a reason."""

from __future__ import annotations

import dataclasses
import math

import pytest

from agents import DDQNConfig, PPOConfig, REINFORCEConfig
from mario.config.env_config import EndingRewardConfig
from mario.config.run_config import EvaluationConfig, TrainConfig
from wrappers import WrapperConfig

UNBOUNDED = {
    "episodes", "steps", "save_every", "log_every", "every", "burnin", "learn_every", "sync_every",
    "learning_rate_steps", "priority_beta_steps", "schedule_steps", "replay_capacity",
    "max_grad_norm", "target_kl", "reward_clip", "confirm_episodes", "demonstration_margin_steps",
    "minutes",
}  # fmt: skip
"""Numbers that may be as large as one likes: "never", "no limit", or checked against the disk."""

CONFIGS = (
    DDQNConfig(), PPOConfig(), REINFORCEConfig(), WrapperConfig(), EndingRewardConfig(),
    EvaluationConfig(), TrainConfig(hyper=DDQNConfig()),
)  # fmt: skip
NUMBERS = [
    (config, field.name)
    for config in CONFIGS
    for field in dataclasses.fields(config)
    if field.type.partition(" ")[0] in ("int", "float")
]


def message(config, **changes):
    """Return the error of a changed configuration on one line, or None."""
    try:
        dataclasses.replace(config, **changes)
    except ValueError as error:
        return str(error)
    return None


@pytest.mark.parametrize(("config", "name"), NUMBERS)
def test_a_number_that_makes_no_sense_is_refused(config, name):
    is_float = type(config).__dataclass_fields__[name].type.startswith("float")
    flag = name.replace("_", "-")
    if is_float:
        error = message(config, **{name: math.nan})
        assert error is not None
        assert "nan" in error
        assert name in error or flag in error
    if name not in UNBOUNDED:
        error = message(config, **{name: 1e30 if is_float else 10**30})
        assert error is not None
        assert name in error or flag in error
        assert "\n" not in error


@pytest.mark.parametrize(
    ("config", "change", "expected"),
    [
        (DDQNConfig(), {"learning_rate": 1e30}, "Adam changes each weight by about this much"),
        (PPOConfig(), {"horizon": 10**9}, "a rollout must fit into the memory"),
        (TrainConfig(hyper=DDQNConfig()), {"num_envs": 100_000}, "must be at most 1,024, because"),
    ],
)  # fmt: skip
def test_the_message_gives_the_reason(config, change, expected):
    assert expected in message(config, **change)
