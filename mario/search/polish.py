"""Improves a play that reaches the goal: fewer steps, fewer changes of buttons, more margin.

The play is improved by local search. A variant differs by one edit: steps are removed, a change of
buttons is moved, a stretch is held with the buttons before or after it. Variants are played from
save-states, and one that still reaches the goal at a lower cost replaces the play.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from mario.search.interface import RUNNING, Outcome, Play, PlayTester
from mario.search.split_mix import SplitMix64, mix

ROUND_SIZE = 32
"""Variants that are tested at a time."""

MAX_EDIT = 8
"""Steps that an edit removes or changes at most."""

MARGIN_STEPS = 24
"""A change of buttons has margin if the game is not lost this many steps after it, even though it
came a step too early or too late."""


def num_changes(play: Play) -> int:
    """Return how often the buttons change in a play.

    >>> num_changes(bytes([1, 1, 2, 1]))
    2
    """
    return sum(before != after for before, after in pairwise(play))


def cost(play: Play) -> int:
    """Return what `polish` minimizes: the number of steps and of changes of buttons."""
    return len(play) + num_changes(play)


@dataclass
class Polisher:
    """Local search around a play.

    Attributes:
        tester: Plays the variants.
        play: The best play so far, which reaches the goal.
        steps: Number of steps played so far.
        random: Chooses the edits.
        last_margin: Margin of the play at the end of `polish`.
    """

    tester: PlayTester
    play: Play
    random: SplitMix64
    steps: int = 0
    last_margin: float = 0.0

    def __post_init__(self) -> None:
        steps, _, solved = self.tester.record(self.play)
        if not solved:
            raise ValueError(f"the play does not reach the goal within its {len(self.play)} steps")
        self.steps += steps
        self.play = self.play[:steps]

    def shorten(self) -> None:
        """Test a round of variants, and replace the play by the one with the lowest cost."""
        variants = [variant for _ in range(ROUND_SIZE) if (variant := self._edit()) != self.play]
        solutions = [variant[:steps] for variant, steps in self._solving(variants)]
        if solutions:
            best = min(solutions, key=cost)
            if cost(best) <= cost(self.play):
                self._replace(best)

    def widen(self) -> None:
        """Test variants that move a change of buttons, and keep one that has more margin there."""
        variants = [_move_change(self.play, self.random) for _ in range(ROUND_SIZE)]
        for variant, steps in self._solving([v for v in variants if v != self.play]):
            previous, candidate = self.play, variant[:steps]
            if cost(candidate) > cost(previous):
                continue
            moved = _first_difference(candidate, previous)
            window = moved - MARGIN_STEPS, moved + MARGIN_STEPS
            margin = self.margin(*window)
            self._replace(candidate)
            if self.margin(*window) > margin:
                return
            self._replace(previous)

    def margin(self, first: int = 0, last: int | None = None) -> float:
        """Return the share of changes of buttons that may come a step too early or too late.

        Each change is moved by one step in both directions, and the game goes on for
        `MARGIN_STEPS`.

        Args:
            first: First step whose change is considered.
            last: Last such step, None for the end.
        """
        last = len(self.play) if last is None else last
        variants = []
        for step in (step for step in _changes(self.play) if first <= step <= last):
            end = step + MARGIN_STEPS
            early, late = bytearray(self.play[:end]), bytearray(self.play[:end])
            early[step - 1], late[step] = early[step], late[step - 1]
            variants += [(step - 1, bytes(early)), (step, bytes(late))]
        outcomes = self._test(variants)
        safe = sum(ending == RUNNING or solved for _, ending, solved in outcomes)
        return safe / len(outcomes) if outcomes else 1.0

    def _solving(self, variants: list[Play]) -> Iterator[tuple[Play, int]]:
        """Yield the variants that reach the goal, with their number of steps."""
        starts = [_first_difference(variant, self.play) for variant in variants]
        outcomes = self._test(list(zip(starts, variants, strict=True)))
        for variant, (steps, _, solved) in zip(variants, outcomes, strict=True):
            if solved:
                yield variant, steps

    def _test(self, variants: list[tuple[int, Play]]) -> list[Outcome]:
        # A variant that is a part of the play differs nowhere: it has no state to start from.
        last = len(self.play) - 1
        starts = [min(start, last) for start, _ in variants]
        plays = [play[start:] for start, (_, play) in zip(starts, variants, strict=True)]
        outcomes = self.tester.test(list(zip(starts, plays, strict=True)))
        self.steps += sum(
            steps - start for start, (steps, _, _) in zip(starts, outcomes, strict=True)
        )
        return outcomes

    def _replace(self, play: Play) -> None:
        self.steps += self.tester.record(play)[0]
        self.play = play

    def _edit(self) -> Play:
        """Return the play with one random edit."""
        edits: tuple[Callable[[Play, SplitMix64], Play], ...] = (_remove, _move_change, _hold)
        return edits[self.random.below(len(edits))](self.play, self.random)


def polish(
    tester: PlayTester, play: Play, *, seed: int = 0, shorten_steps: int, widen_steps: int
) -> Polisher:
    """Improve a play that reaches the goal.

    Args:
        tester: Plays the variants.
        play: The buttons of each step.
        seed: Seed of the edits.
        shorten_steps: Number of steps to play for a lower cost.
        widen_steps: Number of steps to play afterwards for more margin.

    Returns:
        The polisher, with the improved play.

    Raises:
        ValueError: The play does not reach the goal.
    """
    polisher = Polisher(tester, play, SplitMix64(mix(seed)))
    while polisher.steps < shorten_steps:
        polisher.shorten()
    shortest, margin = polisher.play, polisher.margin()
    end = polisher.steps + widen_steps
    while polisher.steps < end:
        polisher.widen()
    # A variant with more margin at one change may have less at later ones.
    polisher.last_margin = polisher.margin()
    if polisher.last_margin < margin:
        polisher.play, polisher.last_margin = shortest, margin
    return polisher


def _changes(play: Play) -> list[int]:
    """Return the steps at which the buttons differ from the step before."""
    return [step for step in range(1, len(play)) if play[step] != play[step - 1]]


def _first_difference(play: Play, other: Play) -> int:
    for step, (buttons, other_buttons) in enumerate(zip(play, other, strict=False)):
        if buttons != other_buttons:
            return step
    return min(len(play), len(other))


def _remove(play: Play, random: SplitMix64) -> Play:
    """Remove a few steps."""
    start = random.below(len(play))
    return play[:start] + play[start + 1 + random.below(MAX_EDIT) :]


def _move_change(play: Play, random: SplitMix64) -> Play:
    """Make one change of buttons a few steps earlier or later."""
    changes = _changes(play)
    if not changes:
        return play
    step = changes[random.below(len(changes))]
    distance = 1 + random.below(MAX_EDIT)
    if random.below(2):
        end = min(step + distance, len(play))
        return play[:step] + play[step - 1 : step] * (end - step) + play[end:]
    start = max(step - distance, 0)
    return play[:start] + play[step : step + 1] * (step - start) + play[step:]


def _hold(play: Play, random: SplitMix64) -> Play:
    """Replace a stretch between two changes by the buttons before or after it."""
    borders = [0, *_changes(play), len(play)]
    number = random.below(len(borders) - 1)
    start, end = borders[number], borders[number + 1]
    neighbours = [*play[max(start - 1, 0) : start], *play[end : end + 1]]
    if not neighbours:
        return play
    buttons = neighbours[random.below(len(neighbours))]
    return play[:start] + bytes([buttons]) * (end - start) + play[end:]
