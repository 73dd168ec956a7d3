from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agents.replay.n_step import n_step_returns


def row(*values, dtype=np.bool_):
    return np.array([values], dtype)


def test_three_rewards_are_discounted_and_summed():
    never = row(False, False, False)
    rewards = row(1, 2, 4, dtype=np.float32)
    reward, discount, steps = n_step_returns(rewards, never, never, gamma=0.5)
    assert (reward[0], discount[0], steps[0]) == (1 + 1 + 1, 0.125, 3)


def test_truncation_ends_the_sum_and_termination_also_stops_the_bootstrap():
    rewards, never, second = row(1, 2, 4, dtype=np.float32), row(0, 0, 0), row(0, 1, 0)
    truncated = n_step_returns(rewards, never, second, gamma=0.5)
    terminated = n_step_returns(rewards, second, never, gamma=0.5)
    assert [part[0] for part in truncated] == [2, 0.25, 2]
    assert [part[0] for part in terminated] == [2, 0, 2]


def test_steps_after_the_end_of_an_episode_do_not_count():
    rewards = row(1, 100, 100, dtype=np.float32)
    reward, discount, steps = n_step_returns(rewards, row(0, 1, 0), row(1, 0, 0), gamma=0.5)
    assert (reward[0], discount[0], steps[0]) == (1, 0.5, 1)


@given(
    arrays(np.float32, (3, 4), elements=st.integers(-8, 8).map(np.float32)),
    arrays(np.bool_, (3, 4)),
    arrays(np.bool_, (3, 4)),
)
def test_it_equals_a_loop_over_the_steps(rewards, terminated, truncated):
    returns = n_step_returns(rewards, terminated, truncated, gamma=0.5)
    for index in range(len(rewards)):
        total, discount, steps = 0.0, 1.0, 0
        columns = rewards[index], terminated[index], truncated[index]
        for reward, end, cut in zip(*columns, strict=True):
            total, discount, steps = total + discount * reward, discount * 0.5, steps + 1
            if end:
                discount = 0.0
            if end or cut:
                break
        assert [part[index] for part in returns] == [total, discount, steps]
