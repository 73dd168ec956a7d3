"""Tests of the statistics of the latest episodes."""

from __future__ import annotations

import math

from mario.metrics.episode_history import EpisodeHistory
from mario.metrics.episode_rows import EpisodeRow


def episode(
    reward: float = 0.0,
    best_x: float | None = None,
    ending: str = "death",
    start_offset: int = 0,
    loss: float = 0.5,
) -> EpisodeRow:
    metrics = {"loss": loss, "q": 2.0}
    return EpisodeRow(1, 1, 0, reward, 10, metrics, 0.1, best_x, ending, 1.0, start_offset)


def test_means_cover_only_the_latest_episodes():
    history = EpisodeHistory(window=2)
    for reward in (100.0, 2.0, 4.0):
        history.add(episode(reward=reward))
    assert history.means() == {"reward": 3.0, "length": 10.0, "loss": 0.5, "q": 2.0}


def test_means_before_the_first_episode_are_zero():
    assert set(EpisodeHistory(window=2).means().values()) == {0.0}


def test_episodes_before_the_first_update_are_left_out_of_the_means_of_metrics():
    history = EpisodeHistory(window=3)
    for loss in (math.nan, 1.0, 2.0):
        history.add(episode(loss=loss))
    assert history.means()["loss"] == 1.5


def test_ending_rates_cover_the_latest_episodes_and_fall_to_zero():
    history = EpisodeHistory(window=2)
    for ending in ("pit", "flag", "death"):
        history.add(episode(ending=ending))
    assert history.ending_rates() == {"death": 0.5, "flag": 0.5, "pit": 0.0}
    assert history.clear_rate == 0.5


def test_only_episodes_from_the_start_of_the_game_count_as_clears():
    history = EpisodeHistory(window=4)
    for ending, start_offset in (("death", 0), ("flag", 50), ("flag", 0), ("flag", 1)):
        history.add(episode(ending=ending, start_offset=start_offset))
    assert history.clear_rate == 0.5


def test_best_x_is_the_maximum_over_all_episodes():
    history = EpisodeHistory(window=1)
    assert history.best_x is None
    for best_x in (5.0, 40.0, None, 7.0):
        history.add(episode(best_x=best_x))
    assert history.best_x == 40.0
