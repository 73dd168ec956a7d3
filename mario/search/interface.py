"""What a search needs of a game: an explorer, and a tester of variants of a play."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

Play = bytes
"""The buttons of each step, one mask per byte, see `mario.games.actions.BUTTONS`."""

Outcome = tuple[int, int, bool]
"""How a play ended: number of steps, an ending or 0 if the buttons ran out, and whether the goal of
the game was reached."""

RUNNING = 0
"""The ending in the outcome of a play whose buttons ran out."""


class Explorer(Protocol):
    """Explores a game by returning to save-states, see `mario.search.game_explorer`."""

    def run(self, steps: int) -> None:
        """Explore until at least this many more steps were played or the goal is reached."""

    def steps(self) -> int:
        """Return the number of steps played so far."""

    def num_cells(self) -> int:
        """Return the number of cells in the archive."""

    def best_objective(self) -> float:
        """Return the greatest `NesGame.objective` of a cell."""

    def best_play(self) -> Play:
        """Return the shortest known play to the cell with the greatest objective."""

    def solution(self) -> Play | None:
        """Return a play that reaches the goal, or None."""


class PlayTester(Protocol):
    """Plays variants of a recorded play, from save-states at its steps."""

    def record(self, play: Play) -> Outcome:
        """Play from the start of the game, and keep the state before each step."""

    def test(self, variants: Sequence[tuple[int, Play]]) -> list[Outcome]:
        """Play variants of the recorded play.

        Args:
            variants: The step from which a variant differs, and its buttons from there on.

        Returns:
            The outcome of each variant. Its steps include those before the first difference.
        """


class SearchBackend(Protocol):
    """Makes explorers and testers for one start of one game.

    Attributes:
        skip: Frames per step.
    """

    skip: int

    def make_explorer(self, button_masks: Sequence[int], *, seed: int, max_length: int) -> Explorer:
        """Return a new explorer.

        Args:
            button_masks: The buttons of each action.
            seed: Seed of the random choices.
            max_length: Steps of the longest play, or 0 for no limit.
        """

    def make_tester(self) -> PlayTester:
        """Return a new tester."""
