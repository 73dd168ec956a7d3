"""Polishing of plays, on the maze of the tests."""

from __future__ import annotations

import pytest
from maze import GOAL, MazeGame, distances

from mario.games.actions import BUTTONS
from mario.search.game_play_tester import GamePlayTester
from mario.search.polish import Polisher, cost, polish
from mario.search.split_mix import SplitMix64

R, L, D, U = (BUTTONS[name] for name in ("right", "left", "down", "up"))
SHORTEST = bytes([R] * 2 + [D] * 2 + [L] * 2 + [D] * 2 + [R] * 4 + [U] * 4 + [R] * 3 + [D] * 4)
DETOUR = SHORTEST[:2] + bytes([L, R, U]) + SHORTEST[2:14] + bytes([D, U, U, U]) + SHORTEST[15:]


def make_tester():
    game = MazeGame()
    game.reset()
    return GamePlayTester(game, skip=1)


def polisher(play):
    return Polisher(make_tester(), play, SplitMix64(0))


def test_the_plays_of_this_test_reach_the_goal():
    for play in (SHORTEST, DETOUR):
        assert make_tester().record(play) == (len(play), 1, True)
    assert len(SHORTEST) == distances()[GOAL]


def test_a_detour_is_removed():
    result = polish(make_tester(), DETOUR, shorten_steps=20_000, widen_steps=0)
    assert make_tester().record(result.play)[2]
    assert cost(result.play) <= cost(SHORTEST)


def test_polishing_never_costs_more_and_is_deterministic():
    first, second = (
        polish(make_tester(), DETOUR, seed=2, shorten_steps=3_000, widen_steps=1_000)
        for _ in range(2)
    )
    assert (first.play, first.steps, first.last_margin) == (
        second.play,
        second.steps,
        second.last_margin,
    )
    assert cost(first.play) <= cost(DETOUR)


def test_steps_after_the_goal_are_cut_off():
    assert polisher(SHORTEST + b"\x80\x80").play == SHORTEST


def test_a_play_that_misses_the_goal_is_refused():
    with pytest.raises(ValueError, match="does not reach the goal within its 22 steps"):
        polisher(SHORTEST[:-1])


def test_the_margin_counts_changes_that_may_come_early_or_late():
    # A turn to the right two steps early, at row 2, leads into the pit; one step early is safe.
    assert polisher(SHORTEST).margin() == 1.0
    game = make_tester()
    game.record(SHORTEST)
    assert game.test([(14, bytes([R, R]))]) == [(16, 1, False)]


def test_a_change_beside_a_pit_has_no_margin():
    # At (2, 5) the pit is one step to the right.
    play = SHORTEST[:14] + bytes([R, L]) + SHORTEST[14:]
    assert polisher(play).margin() < 1.0


def test_variants_are_played_from_the_recorded_steps():
    game = make_tester()
    game.record(SHORTEST)
    assert game.test([(0, SHORTEST), (8, SHORTEST[8:]), (15, bytes([U]))]) == [
        (23, 1, True),
        (23, 1, True),
        (16, 0, False),
    ]
