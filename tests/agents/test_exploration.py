from __future__ import annotations

import io

import numpy as np
import pytest
import torch

from agents.exploration import GREEDY, EpsilonGreedy
from agents.schedules import Constant, Exponential


def test_a_rate_of_one_never_takes_the_best_and_zero_always_does():
    always, never = EpsilonGreedy(Constant(1.0), 3), EpsilonGreedy(Constant(0.0), 3)
    assert set(always.choose(200)) == {0, 1, 2}
    assert set(never.choose(200)) == {GREEDY}


def test_random_actions_come_at_the_rate_and_evenly():
    actions = EpsilonGreedy(Constant(0.3), num_actions=4, seed=1).choose(20_000)
    shares = np.bincount(actions + 1, minlength=5) / len(actions)
    np.testing.assert_allclose(shares, [0.7, 0.075, 0.075, 0.075, 0.075], atol=0.01)


def test_the_rate_falls_with_each_decision_of_each_game():
    seen = []
    exploration = EpsilonGreedy(lambda step: seen.append(step) or 0.5, num_actions=2)
    exploration.choose(3)
    exploration.choose(1)
    assert seen == [0, 1, 2, 3]
    assert exploration.decisions == 4


def test_the_rate_is_that_of_the_next_decision():
    exploration = EpsilonGreedy(Exponential(1.0, decay=0.5, minimum=0.1), num_actions=2)
    assert exploration.rate == 1.0
    exploration.choose(2)
    assert exploration.rate == 0.25


def test_it_goes_on_where_its_state_was_saved():
    there = EpsilonGreedy(Exponential(1.0, decay=0.99, minimum=0.1), num_actions=5, seed=7)
    there.choose(33)
    file = io.BytesIO()
    torch.save(there.state_dict(), file)
    here = EpsilonGreedy(Exponential(1.0, decay=0.99, minimum=0.1), num_actions=5, seed=8)
    here.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    assert here.rate == there.rate
    np.testing.assert_array_equal(here.choose(50), there.choose(50))


def test_the_same_seed_explores_alike_and_another_does_not():
    first, same, other = (EpsilonGreedy(Constant(0.5), 9, seed).choose(99) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


@pytest.mark.parametrize("games", [1, 8])
def test_actions_are_what_an_agent_gives(games: int):
    actions = EpsilonGreedy(Constant(0.5), num_actions=2).choose(games)
    assert (actions.shape, actions.dtype) == ((games,), np.int64)
