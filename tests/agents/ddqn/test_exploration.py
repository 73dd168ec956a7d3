from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from agents.ddqn.exploration import GREEDY, EpsilonGreedy, apex_epsilons, start_rate
from agents.schedules import Constant, Exponential


def test_a_rate_of_one_is_always_random_and_zero_always_greedy():
    always, never = EpsilonGreedy(Constant(1.0), 3), EpsilonGreedy(Constant(0.0), 3)
    assert set(always.choose(200)) == {0, 1, 2}
    assert set(never.choose(200)) == {GREEDY}


def test_random_actions_have_the_given_rate_and_are_uniform():
    actions = EpsilonGreedy(Constant(0.3), num_actions=4, seed=1).choose(20_000)
    shares = np.bincount(actions + 1, minlength=5) / len(actions)
    np.testing.assert_allclose(shares, [0.7, 0.075, 0.075, 0.075, 0.075], atol=0.01)


def test_the_schedule_counts_the_steps_of_all_environments():
    seen = []
    exploration = EpsilonGreedy(lambda step: seen.append(step) or 0.5, num_actions=2)
    exploration.choose(3)
    exploration.choose(1)
    assert seen == [0, 1, 2, 3]
    assert exploration.steps == 4


def test_the_rate_is_that_of_the_next_step():
    exploration = EpsilonGreedy(Exponential(1.0, decay=0.5, minimum=0.1), num_actions=2)
    assert exploration.rate == 1.0
    exploration.choose(2)
    assert exploration.rate == 0.25


def test_a_restored_state_continues_the_same_sequence():
    there = EpsilonGreedy(Exponential(1.0, decay=0.99, minimum=0.1), num_actions=5, seed=7)
    there.choose(33)
    file = io.BytesIO()
    torch.save(there.state_dict(), file)
    here = EpsilonGreedy(Exponential(1.0, decay=0.99, minimum=0.1), num_actions=5, seed=8)
    here.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
    assert here.rate == there.rate
    np.testing.assert_array_equal(here.choose(50), there.choose(50))


def test_exploration_depends_on_the_seed():
    first, same, other = (EpsilonGreedy(Constant(0.5), 9, seed).choose(99) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, same)
    assert (first != other).any()


@pytest.mark.parametrize("games", [1, 8])
def test_actions_have_the_expected_shape_and_type(games: int):
    actions = EpsilonGreedy(Constant(0.5), num_actions=2).choose(games)
    assert (actions.shape, actions.dtype) == ((games,), np.int64)


class TestLadder:
    @given(st.floats(0.01, 0.99), st.integers(2, 64))
    def test_rates_decrease_from_the_base_to_its_eighth_power(self, base, games):
        rates = apex_epsilons(base, games)
        assert rates.shape == (games,)
        np.testing.assert_allclose(rates[[0, -1]], [base, base**8])
        assert (np.diff(rates) < 0).all()

    def test_a_single_environment_gets_the_middle_rate(self):
        np.testing.assert_allclose(apex_epsilons(0.4, 1), [0.4**4.5])

    def test_each_environment_explores_at_least_at_its_minimum_rate(self):
        exploration = EpsilonGreedy(Constant(0.0), 2, min_rates=np.array([0.5, 0.1, 0.0]))
        random = np.array([exploration.choose(3) for _ in range(5_000)]) != GREEDY
        np.testing.assert_allclose(random.mean(axis=0), [0.5, 0.1, 0.0], atol=0.02)
        assert exploration.rate == pytest.approx(0.2)

    def test_no_environment_explores_less_than_the_schedule(self):
        exploration = EpsilonGreedy(Constant(1.0), 2, min_rates=apex_epsilons(0.4, 4))
        assert exploration.rate == 1.0
        assert GREEDY not in exploration.choose(4)


class TestHeldActions:
    @given(st.floats(0.0, 1.0), st.floats(1.0, 50.0))
    def test_repeats_started_at_the_start_rate_take_up_the_given_fraction(self, rate, length):
        start = start_rate(rate, length)
        assert start * length / (1 - start + start * length) == pytest.approx(rate)

    @pytest.mark.parametrize("rate", [0.05, 0.5, 1.0])
    def test_repeated_actions_do_not_change_the_fraction_of_random_steps(self, rate):
        exploration = EpsilonGreedy(Constant(rate), num_actions=9, action_repeat=8)
        actions = np.array([exploration.choose(64) for _ in range(2_000)])
        assert (actions != GREEDY).mean() == pytest.approx(rate, abs=0.01)

    def test_lengths_follow_the_inverse_square_distribution(self):
        exploration = EpsilonGreedy(Constant(0.01), num_actions=10**6, action_repeat=3)
        actions = np.array([exploration.choose(1)[0] for _ in range(200_000)])
        _, lengths = np.unique(actions[actions != GREEDY], return_counts=True)
        shares = np.bincount(lengths, minlength=4)[1:] / len(lengths)
        np.testing.assert_allclose(shares, np.array([1, 1 / 4, 1 / 9]) / (49 / 36), atol=0.03)

    def test_environments_repeat_different_actions(self):
        exploration = EpsilonGreedy(Constant(1.0), num_actions=10**6, action_repeat=16)
        actions = np.array([exploration.choose(2) for _ in range(1_000)])
        held = actions[1:] == actions[:-1]
        assert held.any(axis=0).all()
        assert not (actions[:, 0] == actions[:, 1]).any()

    def test_the_end_of_an_episode_ends_the_repeated_action(self):
        exploration = EpsilonGreedy(Constant(1.0), num_actions=10**6, action_repeat=16)
        exploration.end_episodes(np.array([True, True]))  # nothing is repeated yet
        for _ in range(1_000):
            before = exploration.choose(2)
            if (exploration._remaining_steps > 0).all():
                break
        exploration.end_episodes(np.array([True, False]))
        after = exploration.choose(2)
        assert after[0] != before[0]
        assert after[1] == before[1]

    def test_a_repeated_action_continues_after_restoring(self):
        there = EpsilonGreedy(Constant(0.5), num_actions=99, seed=1, action_repeat=16)
        for _ in range(20):
            there.choose(8)
        file = io.BytesIO()
        torch.save(there.state_dict(), file)
        here = EpsilonGreedy(Constant(0.5), num_actions=99, seed=2, action_repeat=16)
        here.load_state_dict(torch.load(io.BytesIO(file.getvalue()), weights_only=True))
        for _ in range(20):
            np.testing.assert_array_equal(here.choose(8), there.choose(8))


def test_exploration_does_not_share_the_random_numbers_of_the_replay_memory():
    random_actions = EpsilonGreedy(Constant(1.0), num_actions=10**6, seed=5).choose(8)
    replay_rng = np.random.default_rng(5)
    replay_rng.random(8)
    assert (random_actions != replay_rng.integers(10**6, size=8)).all()
