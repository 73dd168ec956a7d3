"""The whole search: own games, errors, and the shipped demonstrations."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
from maze import GOAL, distances, register

from mario.errors import UsageError
from mario.games.smb_levels import LEVELS
from mario.search.backend import make_backend
from mario.search.demonstration import load
from mario.search.find import SearchOptions, find_demonstration
from mario.search.replay import replay, verify

SHIPPED = sorted(Path("checkpoints/demonstrations").glob("*.demo"))


def test_a_game_of_the_users_is_solved_on_a_shortest_way():
    options = SearchOptions(skip=1, shorten_steps=20_000, widen_steps=0)
    report = find_demonstration(register(), options)
    assert (report.solved, report.demonstration.ending) == (True, "flag")
    assert report.polished.steps == distances()[GOAL]
    assert report.polished.steps <= report.found.steps
    assert replay(report.demonstration).ending == "flag"


def test_without_the_goal_the_play_with_the_greatest_objective_is_returned():
    options = SearchOptions(skip=1, max_length=5, max_steps=4_000)
    report = find_demonstration(register(), options)
    assert (report.solved, report.demonstration.ending) == (False, "")
    best = max(sum(cell) for cell, n in distances().items() if n <= 5)
    info = replay(report.demonstration).info
    assert report.objective == best == info["row"] + info["column"]


def test_the_smallest_action_set_that_reaches_the_goal_is_kept(monkeypatch):
    monkeypatch.setattr(sys.modules["mario.search.explore"], "PATIENCE_STEPS", 8_192)
    sets = ((("right",), ("down",)), (("right",), ("down",), ("up",), ("left",)))
    report = find_demonstration(register(), SearchOptions(actions=sets, skip=1, widen_steps=0))
    assert report.demonstration.actions == [["right"], ["down"], ["up"], ["left"]]


def test_an_emulator_without_states_is_refused():
    with pytest.raises(UsageError, match="nes-py cannot save its state as bytes"):
        make_backend("SuperMarioBros-1-1-v0", emulator="nes-py")


def test_a_demonstration_of_another_rom_or_of_a_module_is_refused():
    report = find_demonstration(register(), SearchOptions(skip=1, shorten_steps=0, widen_steps=0))
    with pytest.raises(UsageError, match="was made with the ROM 000000000000"):
        replay(replace(report.demonstration, rom_sha256="0" * 64))
    with pytest.raises(UsageError, match="add game os:x-v0 if you trust it"):
        replay(replace(report.demonstration, game="os:x-v0"))


def test_a_demonstration_that_ends_otherwise_is_not_verified():
    report = find_demonstration(register(), SearchOptions(skip=1, shorten_steps=0, widen_steps=0))
    with pytest.raises(UsageError, match="ends with 'flag' after"):
        verify(replace(report.demonstration, ending="death"), "x.demo")


def test_a_demonstration_of_every_level_is_shipped():
    assert sorted(path.stem for path in SHIPPED) == sorted(LEVELS)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_demonstration_clears_its_level_from_power_on(path):
    demonstration = load(path)
    assert demonstration.game == f"SuperMarioBros-{path.stem}-v0"
    assert demonstration.ending == "flag"
    assert verify(demonstration, path, "native").info["flag_get"]


@pytest.mark.parametrize("level", ["1-1", "1-2"])
def test_a_shipped_demonstration_is_the_same_on_nes_py(level):
    path = Path(f"checkpoints/demonstrations/{level}.demo")
    assert verify(load(path), path, "nes-py") == verify(load(path), path, "native")
