"""The explorers: against brute force on a maze, and the two implementations against each other."""

from __future__ import annotations

import pytest
from maze import GOAL, START, MazeGame, distances, tile

from mario.games.actions import action_masks
from mario.search.backend import GameBackend, NativeMarioBackend, make_nes_game
from mario.search.explore import explore
from mario.search.game_explorer import GameExplorer

MASKS = action_masks(MazeGame.default_actions)


def maze_explorer(seed=0, max_length=0):
    game = MazeGame()
    game.reset()
    return GameExplorer(game, MASKS, skip=1, seed=seed, max_length=max_length)


def test_the_archive_has_the_cells_and_shortest_ways_that_brute_force_finds():
    explorer = maze_explorer()
    while explorer.steps() < 20_000:
        explorer.run(1)
        explorer._solution = None  # goes on after the goal
    expected = {cell: n for cell, n in distances().items() if tile(cell) not in "GP"}
    assert {c.key: c.way.length for c in explorer.archive.cells} == expected


def test_the_goal_is_found_and_the_play_leads_there():
    explorer = maze_explorer()
    explorer.run(20_000)
    play = explorer.solution()
    assert play is not None
    assert len(play) >= distances()[GOAL]
    game = MazeGame()
    game.reset()
    assert game.play_frames(play[0], 1) is None
    assert [game.play_frames(mask, 1) for mask in play[1:]][-1] == "flag"
    assert explorer.steps() < 20_000, "it stops at the goal"


def test_every_way_in_the_archive_leads_to_its_cell():
    explorer = maze_explorer(seed=3)
    explorer.run(300)
    game = MazeGame()
    for cell in explorer.archive.cells:
        game.reset()
        for mask in cell.way.play():
            assert game.play_frames(mask, 1) is None
        assert game.cell() == cell.key


def test_a_limit_on_the_length_limits_every_way():
    explorer = maze_explorer(max_length=5)
    explorer.run(3_000)
    reachable = {cell for cell, n in distances().items() if n <= 5}
    assert {cell.key for cell in explorer.archive.cells} == reachable
    assert explorer.solution() is None


def test_the_best_play_leads_to_the_greatest_objective():
    explorer = maze_explorer(max_length=5)
    assert (explorer.best_play(), explorer.best_objective()) == (b"", sum(START))
    explorer.run(3_000)
    best = max(sum(cell) for cell, n in distances().items() if n <= 5)
    assert explorer.best_objective() == best


def test_a_seed_determines_the_search():
    def result(seed):
        game = MazeGame()
        return explore(GameBackend(game, skip=1), (MazeGame.default_actions,), seed=seed)

    assert result(4) == result(4)
    assert result(4) != result(5)


@pytest.mark.parametrize("game", ["SuperMarioBros-1-1-v0", "SuperMarioBros2-v0"])
def test_both_explorers_find_the_same(game):
    pytest.importorskip("mario.games._native", reason="the native extension is not built")
    masks = action_masks("complex")
    native = NativeMarioBackend(game, skip=4, noops=9).make_explorer(masks, seed=5, max_length=70)
    console = make_nes_game(game, "native")
    python = GameBackend(console, skip=4, noops=9).make_explorer(masks, seed=5, max_length=70)
    for explorer in (native, python):
        explorer.run(2_500)
    assert native.steps() == python.steps()
    assert [play for _, play in native.cells()] == [c.way.play() for c in python.archive.cells]
    assert (native.best_play(), native.best_objective()) == (
        python.best_play(),
        python.best_objective(),
    )


def test_the_number_of_threads_does_not_change_the_search():
    pytest.importorskip("mario.games._native", reason="the native extension is not built")
    found = []
    for threads in (1, 3):
        backend = NativeMarioBackend("SuperMarioBros-1-4-v0", skip=4, threads=threads)
        explorer = backend.make_explorer(action_masks("right-only"), seed=0, max_length=0)
        explorer.run(4_000)
        found.append((explorer.steps(), explorer.cells(), explorer.solution()))
    assert found[0] == found[1]
