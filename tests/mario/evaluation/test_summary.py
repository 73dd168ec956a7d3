"""Statistics of evaluations and their confidence intervals."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mario.evaluation.episodes import EpisodeResult
from mario.evaluation.summary import bootstrap_interval, summarize, wilson_interval


def result(**changes):
    base = {"reward": 100.0, "length": 50, "x_pos": 200, "best_x": 300, "ending": "death"}
    return EpisodeResult(**(base | changes))


def summary_of(*results):
    return summarize(results, game="g", steps_trained=9, emulator="e", seed=4)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (0, 0, 0.0, 1.0)],
)
def test_wilson_interval_matches_reference_values(successes, trials, low, high):
    """Reference values: R's prop.test without continuity correction."""
    assert wilson_interval(successes, trials) == pytest.approx([low, high], abs=1e-4)


def test_bootstrap_interval_of_many_normal_samples_matches_the_normal_interval():
    samples = np.random.default_rng(3).normal(50.0, 20.0, 400)
    margin = 1.96 * samples.std() / 20
    expected = [samples.mean() - margin, samples.mean() + margin]
    assert bootstrap_interval(samples.tolist()) == pytest.approx(expected, abs=0.15)


def test_at_least_90_of_100_bootstrap_intervals_contain_the_true_mean():
    rng = np.random.default_rng(0)
    intervals = [bootstrap_interval(rng.exponential(3.0, 50).tolist()) for _ in range(100)]
    assert 90 <= sum(low <= 3.0 <= high for low, high in intervals) <= 99


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-21, 21), min_size=1, max_size=30))
def test_bootstrap_interval_stays_within_the_samples_and_is_deterministic(samples):
    low, high = bootstrap_interval(samples)
    assert min(samples) - 1e-9 <= low <= high <= max(samples) + 1e-9
    assert bootstrap_interval(samples) == [low, high]


def test_bootstrap_interval_without_samples_is_nan():
    assert np.isnan(bootstrap_interval([])).all()


def test_statistics_are_computed_from_the_results():
    clear = {"ending": "flag", "best_x": 3161, "x_pos": 3161, "reward": 3000.0}
    summary = summary_of(
        result(length=180, actions=(1,), **clear),
        result(length=200, actions=(2,), **clear),
        result(x_pos=700, best_x=720, reward=600.0),
        result(ending="truncated", x_pos=400, best_x=434, reward=400.0),
    )
    assert summary.episodes == 4
    assert summary.clear_rate == 0.5
    assert summary.median_steps_to_clear == 190
    assert summary.mean_return == 1750
    assert summary.mean_return_ci95 == bootstrap_interval([3000, 3000, 600, 400])
    assert summary.mean_x_pos == (3161 * 2 + 720 + 434) / 4
    assert summary.max_x_pos == 3161
    assert summary.deaths == [700]
    assert (summary.steps_trained, summary.emulator, summary.seed) == (9, "e", 4)


def test_identical_episodes_are_counted_once_as_distinct():
    first, second = result(actions=(1, 0)), result(actions=(1, 1))
    assert summary_of(first, first, second).distinct_episodes == 2


def test_intervals_count_repeated_episodes_once():
    clear, loss = result(ending="flag", actions=(1,), reward=9.0), result(actions=(2,))
    once, often = summary_of(clear, loss), summary_of(*[clear, loss] * 50)
    assert (often.episodes, often.distinct_episodes) == (100, 2)
    assert often.clear_rate_ci95 == once.clear_rate_ci95 == wilson_interval(1, 2)
    assert often.mean_return_ci95 == once.mean_return_ci95


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 9)), min_size=1, max_size=9))
def test_intervals_contain_the_mean_however_often_episodes_are_repeated(episodes):
    summary = summary_of(*[
        result(ending="flag" if cleared else "death", actions=(index,), reward=100.0 * cleared)
        for index, (cleared, repeats) in enumerate(episodes)
        for _ in range(repeats)
    ])  # fmt: skip
    low, high = summary.clear_rate_ci95
    assert summary.distinct_episodes == len(episodes)
    assert low - 1e-9 <= summary.clear_rate <= high + 1e-9


def test_crashed_episodes_are_counted_separately():
    crash = result(ending="crash", reward=0.0, x_pos=None, best_x=None)
    summary, expected = summary_of(result(), crash), summary_of(result())
    assert summary.crashed_episodes == 1
    assert summary == replace(expected, crashed_episodes=1)
    assert summary_of(crash).episodes == 0


def test_a_game_without_positions_has_no_position_statistics():
    summary = summary_of(result(x_pos=None, best_x=None))
    assert (summary.mean_x_pos, summary.max_x_pos, summary.deaths) == (None, None, [])


def test_clear_rate_outranks_distance_and_distance_outranks_return():
    clears = summary_of(result(ending="flag", best_x=10), result(best_x=10))
    far = summary_of(result(best_x=3000), result(best_x=3000))
    assert clears.sort_key > far.sort_key
    assert far.sort_key > summary_of(result(best_x=2000), result(best_x=2000, reward=9e9)).sort_key


def test_the_report_of_a_game_without_levels_omits_level_statistics():
    scores = {"x_pos": None, "best_x": None, "ending": "game over"}
    summary = summary_of(result(reward=1.0, **scores), result(reward=3.0, **scores))
    assert summary.report().keys() == {
        "game", "episodes", "distinct_episodes", "crashed_episodes", "mean_return",
        "mean_return_ci95", "steps_trained", "emulator", "seed", "epsilon",
        "repeat_action_probability",
    }  # fmt: skip
    assert summary_of(result()).report() == summary_of(result()).to_dict()
