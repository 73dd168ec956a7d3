"""Figures of an evaluation, and the fairness of what is counted."""

from __future__ import annotations

import numpy as np
import pytest
from doubles import FakeGame, fake_game
from hypothesis import given, settings
from hypothesis import strategies as st
from tape import TapeAgent, spec

from mario.evaluation.episodes import (
    EpisodeResult,
    bootstrap_interval,
    play_episodes,
    summarize,
    wilson_interval,
)
from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.seeding import episode_seed


def played(**changes):
    base = {"reward": 100.0, "length": 50, "x_pos": 200, "best_x": 300, "ending": "death"}
    return EpisodeResult(**(base | changes))


def summary(*episodes):
    return summarize(list(episodes), game="g", steps_trained=9, emulator="e", seed=4)


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [(0, 10, 0.0, 0.2775), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0), (0, 0, 0.0, 1.0)],
)
def test_the_interval_is_wilsons(successes, trials, low, high):
    """Reference values: R's prop.test without continuity correction."""
    assert wilson_interval(successes, trials) == pytest.approx([low, high], abs=1e-4)


def test_the_interval_of_a_mean_is_that_of_the_normal_where_many_scores_are_normal():
    scores = np.random.default_rng(3).normal(50.0, 20.0, 400)
    half = 1.96 * scores.std() / 20
    expected = [scores.mean() - half, scores.mean() + half]
    assert bootstrap_interval(scores.tolist()) == pytest.approx(expected, abs=0.15)


def test_nine_in_ten_intervals_and_more_hold_the_mean_they_are_of():
    random = np.random.default_rng(0)
    bounds = [bootstrap_interval(random.exponential(3.0, 50).tolist()) for _ in range(100)]
    assert 90 <= sum(low <= 3.0 <= high for low, high in bounds) <= 99


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(-21, 21), min_size=1, max_size=30))
def test_an_interval_ends_within_the_scores(scores):
    low, high = bootstrap_interval(scores)
    assert min(scores) - 1e-9 <= low <= high <= max(scores) + 1e-9
    assert bootstrap_interval(scores) == [low, high], "drawn the same each time"


def test_of_no_scores_there_is_no_interval():
    assert np.isnan(bootstrap_interval([])).all()


def test_figures_are_counted_as_they_are_named():
    figures = summary(
        played(ending="flag", length=180, best_x=3161, x_pos=3161, reward=3000.0),
        played(ending="flag", length=200, best_x=3161, x_pos=3161, reward=3000.0),
        played(x_pos=700, best_x=720, reward=600.0),
        played(ending="truncated", x_pos=400, best_x=434, reward=400.0),
    )
    assert figures.episodes == 4
    assert figures.clear_rate == 0.5
    assert figures.median_steps_to_clear == 190
    assert figures.mean_return == 1750
    assert figures.mean_return_ci95 == bootstrap_interval([3000, 3000, 600, 400])
    assert figures.mean_x_pos == (3161 * 2 + 720 + 434) / 4
    assert figures.max_x_pos == 3161
    assert figures.deaths == [700]
    assert (figures.steps_trained, figures.emulator, figures.seed) == (9, "e", 4)


def test_what_was_played_alike_is_one_episode():
    one, other = played(actions=(1, 0)), played(actions=(1, 1))
    assert summary(one, one, other).distinct_episodes == 2


def test_a_game_without_places_has_none():
    figures = summary(played(x_pos=None, best_x=None))
    assert (figures.mean_x_pos, figures.max_x_pos, figures.deaths) == (None, None, [])


def test_a_clear_outranks_any_distance():
    clears = summary(played(ending="flag", best_x=10), played(best_x=10))
    walks = summary(played(best_x=3000), played(best_x=3000))
    assert clears.rank > walks.rank
    assert walks.rank > summary(played(best_x=2000), played(best_x=2000, reward=9e9)).rank


@pytest.fixture
def games():
    vector = ProcessVectorEnv(fake_game(length=3), 2, seed=0)
    yield vector
    vector.close()


def test_each_game_plays_its_share_and_no_more(games):
    episodes = play_episodes(TapeAgent(spec(2)), games, 5)
    assert [each.length for each in episodes] == [3] * 5
    assert all(each.ending == "flag" for each in episodes)


class ShortAndLong(FakeGame):
    """Its first episode, told by its seed, decides: game 0 has short episodes, game 1 long ones."""

    def reset(self, *, seed=None, options=None):
        self.first = getattr(self, "first", seed)
        self.length = 2 if self.first == ShortAndLong.short_seed else 20
        return super().reset(seed=seed)


def test_short_episodes_do_not_crowd_out_long_ones():
    ShortAndLong.short_seed = episode_seed(0, 0, 0)
    games = ProcessVectorEnv(make_short_and_long, 2, seed=0)
    lengths = [each.length for each in play_episodes(TapeAgent(spec(2)), games, 6)]
    games.close()
    assert sorted(lengths) == [2, 2, 2, 20, 20, 20]


def make_short_and_long():
    ShortAndLong.short_seed = episode_seed(0, 0, 0)
    return ShortAndLong()


def test_an_episode_can_be_played_again_from_what_is_told_of_it(games):
    episodes = play_episodes(TapeAgent(spec(2)), games, 5)
    assert {each.seed for each in episodes} == {
        episode_seed(0, *place) for place in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1))
    }
    assert all(len(each.actions) == each.length for each in episodes)
    assert all(sum(each.actions) == each.reward for each in episodes)


def test_a_game_whose_share_is_done_is_shown_no_more(games):
    agent = TapeAgent(spec(2))
    play_episodes(agent, games, 3)
    assert [len(seen) for verb, seen in agent.tape if verb == "act"] == [2, 2, 2, 1, 1, 1]


def test_the_agent_is_greedy_meanwhile_and_as_before_afterwards(games):
    modes = []

    class Watched(TapeAgent):
        def act(self, states):
            modes.append(self.training)
            return super().act(states)

    agent = Watched(spec(2))
    play_episodes(agent, games, 2)
    assert agent.training
    assert set(modes) == {False}
    assert not [entry for entry in agent.tape if entry[0] in ("cache", "learn")]


def test_the_agent_is_told_which_games_go_on_and_where_an_episode_begins(games):
    class Told(TapeAgent):
        def carry_recurrent_state(self, indices):
            if indices.tolist() != [0, 1]:
                self.tape.append(("carry", indices.tolist()))

    agent = Told(spec(2))
    play_episodes(agent, games, 3)
    kinds = [entry[0] if entry[0] == "act" else entry[1] for entry in agent.tape]
    both = [[-1, -1], "act", "act", "act"]
    assert kinds == [*both, [-1], "act", [0], "act", [0], "act", []], "game 0 plays one more"


def test_a_share_of_the_decisions_is_random_and_told_as_it_was_played():
    games = ProcessVectorEnv(fake_game(length=150), 2, seed=0)

    def actions(epsilon, seed=0):
        played = play_episodes(TapeAgent(spec(2)), games, 6, epsilon=epsilon, seed=seed)
        return np.array([each.actions for each in played])

    greedy, some = actions(0.0), actions(0.2)
    assert (some == actions(0.2)).all()
    assert (some != actions(0.2, seed=1)).any()
    games.close()
    by_chance = 0.2 * (1 - 1 / 3)
    assert (greedy != some).mean() == pytest.approx(by_chance, abs=0.035), "3 errors, of 900"


def test_it_can_be_stopped(games):
    asked = iter([False, True])
    assert play_episodes(TapeAgent(spec(2)), games, 4, stop=lambda: next(asked)) == []


def test_it_is_the_same_every_time(games):
    one = play_episodes(TapeAgent(spec(2)), games, 4)
    two = play_episodes(TapeAgent(spec(2)), games, 4)
    assert one == two
    assert np.isfinite([each.reward for each in one]).all()


def test_a_game_without_levels_has_no_rate_of_clearing_them():
    scores = {"x_pos": None, "best_x": None, "ending": "game over"}
    figures = summary(played(reward=1.0, **scores), played(reward=3.0, **scores))
    assert figures.told().keys() == {
        "game", "episodes", "distinct_episodes", "mean_return", "mean_return_ci95",
        "steps_trained", "emulator", "seed", "epsilon",
    }  # fmt: skip
    assert summary(played()).told() == summary(played()).to_dict()
