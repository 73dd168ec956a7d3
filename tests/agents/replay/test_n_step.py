from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from agents.replay.n_step import n_step_returns


def row(*values, dtype=np.bool_):
    return np.array([values], dtype)


def test_three_steps_are_summed_with_their_discounts():
    no = row(False, False, False)
    reward, discount, steps = n_step_returns(row(1, 2, 4, dtype=np.float32), no, no, gamma=0.5)
    assert (reward[0], discount[0], steps[0]) == (1 + 1 + 1, 0.125, 3)


def test_a_truncation_shortens_and_a_termination_also_stops_the_bootstrap():
    rewards, no, second = row(1, 2, 4, dtype=np.float32), row(0, 0, 0), row(0, 1, 0)
    truncated = n_step_returns(rewards, no, second, gamma=0.5)
    terminated = n_step_returns(rewards, second, no, gamma=0.5)
    assert [part[0] for part in truncated] == [2, 0.25, 2]
    assert [part[0] for part in terminated] == [2, 0, 2]


def test_what_follows_an_end_belongs_to_another_episode():
    rewards = row(1, 100, 100, dtype=np.float32)
    reward, discount, steps = n_step_returns(rewards, row(0, 1, 0), row(1, 0, 0), gamma=0.5)
    assert (reward[0], discount[0], steps[0]) == (1, 0.5, 1)


@given(
    arrays(np.float32, (3, 4), elements=st.integers(-8, 8).map(np.float32)),
    arrays(np.bool_, (3, 4)),
    arrays(np.bool_, (3, 4)),
)
def test_it_is_what_a_loop_over_the_steps_gives(rewards, terminated, truncated):
    found = n_step_returns(rewards, terminated, truncated, gamma=0.5)
    for each in range(len(rewards)):
        total, discount, steps = 0.0, 1.0, 0
        for reward, end, cut in zip(rewards[each], terminated[each], truncated[each], strict=True):
            total, discount, steps = total + discount * reward, discount * 0.5, steps + 1
            if end:
                discount = 0.0
            if end or cut:
                break
        assert [part[each] for part in found] == [total, discount, steps]
