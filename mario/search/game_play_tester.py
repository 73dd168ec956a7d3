"""Plays variants of a recorded play of any NES game, in Python."""

from __future__ import annotations

from collections.abc import Sequence

from mario.games.endings import SUCCESSES
from mario.games.nes_game import GameState, NesGame
from mario.search.interface import RUNNING, Outcome, Play

ENDED = 1
"""The ending in the outcome of a play that ended."""


class GamePlayTester:
    """See `mario.search.interface.PlayTester`.

    Args:
        game: The game, at the start of its episode.
        skip: Frames per step.
    """

    def __init__(self, game: NesGame, *, skip: int) -> None:
        self._game, self._skip = game, skip
        self._start = game.save_state(screen=False)
        self._states: list[GameState] = []

    def record(self, play: Play) -> Outcome:
        """See `PlayTester.record`."""
        self._states = []
        return self._play(self._start, 0, play, keep_states=True)

    def test(self, variants: Sequence[tuple[int, Play]]) -> list[Outcome]:
        """See `PlayTester.test`."""
        return [
            self._play(self._states[start], start, play, keep_states=False)
            for start, play in variants
        ]

    def _play(self, state: GameState, start: int, play: Play, *, keep_states: bool) -> Outcome:
        self._game.load_state(state)
        steps = start
        for buttons in play:
            if keep_states:
                self._states.append(self._game.save_state(screen=False))
            ending = self._game.play_frames(buttons, self._skip)
            steps += 1
            if ending is not None:
                return steps, ENDED, ending in SUCCESSES
        return steps, RUNNING, False
