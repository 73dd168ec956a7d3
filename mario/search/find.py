"""Finds a demonstration of a game: explores, polishes, and verifies by replay from power-on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from mario.games.actions import ActionSet
from mario.games.nes_game import NesGame
from mario.search.backend import make_backend, make_nes_game
from mario.search.demonstration import Demonstration
from mario.search.explore import SearchProgress, SearchResult, explore
from mario.search.interface import Play, SearchBackend
from mario.search.polish import Polisher, num_changes, polish
from mario.search.replay import replay
from mario.search.split_mix import SplitMix64


@dataclass(frozen=True)
class SearchOptions:
    """How to search.

    Attributes:
        actions: The action sets to try, the smallest first; empty for those of the game.
        seed: Seed of the search and of the game's reset.
        noops: Number of no-op frames before the first step.
        skip: Frames per step.
        max_length: Steps of the longest play, or 0 for no limit.
        max_steps: Number of steps to play, None for no limit.
        shorten_steps: Number of steps to play to make a play shorter and smoother.
        widen_steps: Number of steps to play to give a play more margin.
        emulator: Name of an emulator.
    """

    actions: Sequence[ActionSet] = ()
    seed: int = 0
    noops: int = 0
    skip: int = 4
    max_length: int = 0
    max_steps: int | None = None
    shorten_steps: int = 60_000
    widen_steps: int = 20_000
    emulator: str = "auto"


@dataclass(frozen=True)
class PlayFigures:
    """Figures of a play: its number of steps, its changes of buttons, and its margin.

    The margin is None for a play that does not reach the goal, see `Polisher.margin`.
    """

    steps: int
    changes: int
    margin: float | None = None


@dataclass(frozen=True)
class SearchReport:
    """What a search found, and what it took.

    Attributes:
        demonstration: The play, verified by replay.
        solved: Whether it reaches the goal.
        search_steps: Steps played until the play was found.
        polish_steps: Steps played to improve it.
        cells: Number of cells in the archive.
        objective: See `NesGame.objective`.
        core_seconds: Processor time of the search and of the improvement.
        found: Figures of the play that was found.
        polished: Figures of the play in the demonstration.
    """

    demonstration: Demonstration
    solved: bool
    search_steps: int
    polish_steps: int
    cells: int
    objective: float
    core_seconds: tuple[float, float]
    found: PlayFigures
    polished: PlayFigures


def find_demonstration(
    game_id: str,
    options: SearchOptions,
    *,
    on_progress: Callable[[SearchProgress], Any] = lambda progress: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> SearchReport:
    """Search for a play of a game that reaches its goal, or that comes as far as possible.

    Args:
        game_id: Id in Gymnasium's registry.
        options: How to search.
        on_progress: See `explore`.
        should_stop: See `explore`.

    Raises:
        UsageError: The game is unknown, or cannot be searched.
    """
    backend = make_backend(
        game_id, skip=options.skip, noops=options.noops, seed=options.seed,
        emulator=options.emulator,
    )  # fmt: skip
    with closing(make_nes_game(game_id, options.emulator)) as game:
        sets = options.actions or game.search_actions or (game.default_actions,)
        start = time.process_time()
        result = explore(
            backend, sets, seed=options.seed, max_length=options.max_length,
            max_steps=options.max_steps, on_progress=on_progress, should_stop=should_stop,
        )  # fmt: skip
        found_at = time.process_time()
        play, found, polished, polish_steps = _polish(backend, result, options)
        core_seconds = found_at - start, time.process_time() - found_at
        demonstration = _demonstrate(game_id, game, options, result, play)
    return SearchReport(
        demonstration, result.solved, result.progress.steps, polish_steps, result.progress.cells,
        result.progress.objective, core_seconds, found, polished,
    )  # fmt: skip


def _polish(
    backend: SearchBackend, result: SearchResult, options: SearchOptions
) -> tuple[Play, PlayFigures, PlayFigures, int]:
    """Improve a play that reaches the goal."""
    figures = _figures(result.play)
    if not result.solved:
        return result.play, figures, figures, 0
    tester = backend.make_tester()
    found = _figures(result.play, Polisher(tester, result.play, SplitMix64(0)).margin())
    polisher = polish(
        tester, result.play, seed=options.seed, shorten_steps=options.shorten_steps,
        widen_steps=options.widen_steps,
    )  # fmt: skip
    return polisher.play, found, _figures(polisher.play, polisher.last_margin), polisher.steps


def _figures(play: Play, margin: float | None = None) -> PlayFigures:
    return PlayFigures(len(play), num_changes(play), margin)


def _demonstrate(
    game_id: str, game: NesGame, options: SearchOptions, result: SearchResult, play: Play
) -> Demonstration:
    """Return the demonstration of a play, with the ending that a replay from power-on has."""
    actions = result.progress.actions
    demonstration = Demonstration(
        game=game_id,
        rom_sha256=game.rom_sha256,
        emulator=game.emulator.name,
        seed=options.seed,
        noops=options.noops,
        reward_version=game.reward_version,
        actions=actions if isinstance(actions, str) else [list(action) for action in actions],
        skip=options.skip,
        ending="",
        play=play,
    )
    replayed = replay(demonstration, emulator=game.emulator.name, game=game_id)
    assert bool(replayed.ending) == result.solved, f"the replay ended by {replayed.ending!r}"
    return replace(demonstration, ending=replayed.ending)
