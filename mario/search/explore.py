"""Search for a play that reaches the goal of a game, with the smallest set of actions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from mario.games.actions import ActionSet, action_masks
from mario.search.interface import Explorer, Play, SearchBackend

CHECK_STEPS = 4_096
"""Steps between two checks of the progress."""

PATIENCE_STEPS = 65_536
"""An action set is given up if the number of cells grew by less than `MIN_GROWTH` in as many
steps, and another set is left."""

MIN_GROWTH = 0.05


@dataclass(frozen=True)
class SearchProgress:
    """The state of a running search.

    Attributes:
        actions: The current action set.
        steps: Steps played with all action sets.
        cells: Cells that were reached with the current one.
        objective: The greatest objective of these cells, see `NesGame.objective`.
    """

    actions: ActionSet
    steps: int
    cells: int
    objective: float


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        play: The buttons of each step: of a play that reaches the goal, or of the one with the
            greatest objective.
        solved: Whether the play reaches the goal.
        progress: The state of the search at its end, with the action set of the play.
    """

    play: Play
    solved: bool
    progress: SearchProgress


def explore(
    backend: SearchBackend,
    action_sets: Sequence[ActionSet],
    *,
    seed: int = 0,
    max_length: int = 0,
    max_steps: int | None = None,
    on_progress: Callable[[SearchProgress], Any] = lambda progress: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> SearchResult:
    """Explore a game until a play reaches its goal.

    The action sets are tried in order. The next one begins when the current one finds hardly any
    new cells, so the first set that reaches the goal is a small one. The result depends only on
    the arguments, unless ``should_stop`` ends the search.

    Args:
        backend: The game, from one start.
        action_sets: Action sets, the smallest first.
        seed: Seed of the random choices.
        max_length: Steps of the longest play, or 0 for no limit.
        max_steps: Number of steps to play in total, or None for no limit.
        on_progress: Called after every `CHECK_STEPS` steps.
        should_stop: Called as often; returns whether to end the search.

    Returns:
        The play that reaches the goal, or else the one with the greatest objective of the last
        action set.
    """
    steps = 0
    for number, actions in enumerate(action_sets):
        explorer = backend.make_explorer(action_masks(actions), seed=seed, max_length=max_length)
        is_last = number == len(action_sets) - 1
        for cells in _run(explorer, until_stagnation=not is_last):
            done = steps + explorer.steps()
            progress = SearchProgress(actions, done, cells, explorer.best_objective())
            on_progress(progress)
            solution = explorer.solution()
            is_over = (max_steps is not None and done >= max_steps) or should_stop()
            if solution is not None or is_over:
                play = explorer.best_play() if solution is None else solution
                return SearchResult(play, solution is not None, progress)
        steps += explorer.steps()
    raise AssertionError("the last action set is explored without end")


def _run(explorer: Explorer, *, until_stagnation: bool) -> Iterator[int]:
    """Explore and yield the number of cells after every `CHECK_STEPS` steps."""
    history = [explorer.num_cells()]
    window = PATIENCE_STEPS // CHECK_STEPS
    while True:
        explorer.run(CHECK_STEPS)
        history.append(explorer.num_cells())
        yield history[-1]
        has_grown = len(history) <= window or (
            history[-1] >= history[-1 - window] * (1 + MIN_GROWTH)
        )
        if until_stagnation and not has_grown:
            return
