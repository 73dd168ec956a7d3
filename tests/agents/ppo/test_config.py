from __future__ import annotations

import pytest

from agents.ppo.config import PPOConfig


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"horizon": 0}, "horizon is 0; give 1 or more"),
        ({"minibatches": 0}, "minibatches is 0; give 1 or more"),
        ({"gamma": 1.1}, r"gamma is 1\.1; give a number from 0 to 1"),
        ({"gae_lambda": -0.1}, r"gae_lambda is -0\.1; give a number from 0 to 1"),
        ({"learning_rate": 0.0}, r"learning_rate is 0\.0; give a number above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"clip_range_end": -1.0}, r"clip_range_end is -1\.0; give 0 or more"),
        ({"schedule_steps": 0}, "schedule_steps is 0; give a number above 0, or none"),
        ({"target_kl": -1.0}, r"target_kl is -1\.0; give a number above 0, or none"),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        PPOConfig(**change)


def test_schedules_are_as_long_as_the_run_unless_they_have_a_length():
    assert PPOConfig().for_run(500).schedule_steps == 500
    assert PPOConfig(schedule_steps=9).for_run(500).schedule_steps == 9
    assert PPOConfig().for_run(None).schedule_steps is None
