"""Finds the smallest change of a failed episode with which the same policy survives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import compress
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mario.config.correction_config import CorrectionConfig
from mario.corrections.save_states import EnvStep, SaveStateEnvs
from mario.games import _native
from mario.games.endings import SUCCESSES
from mario.games.super_mario_bros import MAX_X

Policy = Callable[[NDArray[np.uint8]], NDArray[np.int64]]
"""Returns an action for each state."""

GOALS = np.array([ending in SUCCESSES for ending in _native.ENDINGS])
"""Whether each ending is a success, by its index."""

POLICY = -1
"""Stands for the action of the policy."""

NEAR = 2
"""Two corrections are neighbors if their depths and their lengths differ by at most this."""


class Correction(NamedTuple):
    """A change of an episode.

    Attributes:
        depth: number of steps before the failure at which it begins.
        actions: the actions that replace the policy's.
    """

    depth: int
    actions: tuple[int, ...]

    def is_near(self, other: Correction) -> bool:
        """Return whether another correction is almost the same.

        >>> Correction(5, (1, 1, 1)).is_near(Correction(7, (1, 1, 1, 1)))
        True
        >>> Correction(5, (1, 1, 1)).is_near(Correction(5, (2, 2, 2)))
        False
        """
        lengths = len(self.actions) - len(other.actions)
        near = abs(self.depth - other.depth) <= NEAR and abs(lengths) <= NEAR
        return near and set(self.actions) == set(other.actions)


class Failure(NamedTuple):
    """The end of a failed episode.

    Attributes:
        history: the states before the latest steps, oldest first.
        x: the farthest position that was reached, in pixels.
        area: the area in which the episode failed.
    """

    history: Sequence[_native.RunnerState]
    x: int
    area: int


class CorrectionSearch:
    """Tries changes in parallel branches, which begin at the save-states of a failed episode.

    Args:
        envs: the environments.
        slots: the indices of those in which the branches run.
        config: the configuration.
        policy: the policy, which continues every branch.
    """

    def __init__(
        self, envs: SaveStateEnvs, slots: range, config: CorrectionConfig, policy: Policy
    ) -> None:
        self._envs, self._slots, self._config, self._policy = envs, slots, config, policy

    def find(self, failure: Failure, rng: np.random.Generator) -> Correction | None:
        """Return the most robust correction that was found, or None.

        Args:
            failure: the failed episode.
            rng: draws the branches.
        """
        successes: list[Correction] = []
        failures: list[Correction] = []
        for num_segments in range(1, self._config.max_segments + 1):
            for depth in self._config.depths:
                candidates = self._draw(min(depth, len(failure.history)), num_segments, rng)
                survived = self._run(candidates, failure)
                successes += compress(candidates, survived)
                failures += compress(candidates, ~survived)
                if len(successes) >= self._config.min_successes:
                    break
            if successes:
                break
        return most_robust(successes, failures)

    def _draw(self, depth: int, num_segments: int, rng: np.random.Generator) -> list[Correction]:
        """Draw corrections of a number of actions, each of which is held for some steps."""
        count, config = len(self._slots), self._config
        depths = rng.integers(1, depth, size=count, endpoint=True)
        actions = rng.integers(self._envs.num_actions, size=(count, num_segments))
        holds = rng.integers(1, config.max_hold, size=(count, num_segments), endpoint=True)
        return [
            Correction(int(depths[row]), tuple(np.repeat(actions[row], holds[row]).tolist()))
            for row in range(count)
        ]

    def _run(self, candidates: Sequence[Correction], failure: Failure) -> NDArray[np.bool_]:
        """Play a branch for each candidate, and return which of them succeeded."""
        for slot, candidate in zip(self._slots, candidates, strict=True):
            self._envs.load_state(slot, failure.history[-candidate.depth])
        lengths = np.array([candidate.depth for candidate in candidates])
        lengths += self._config.survive_steps
        changes = np.full((len(candidates), int(lengths.max())), POLICY)
        for row, candidate in zip(changes, candidates, strict=True):
            row[: len(candidate.actions)] = candidate.actions[: len(row)]
        succeeded = np.zeros(len(candidates), np.bool_)
        running = np.arange(len(candidates))
        step = self._envs.observe(self._slots)
        for time, changed in enumerate(changes.T):
            chosen = changed[running]
            chosen = np.where(chosen == POLICY, self._policy(step.observations), chosen)
            step = self._envs.step([self._slots[branch] for branch in running], chosen)
            ended = step.endings > 0
            complete = ~ended & (time + 1 >= lengths[running])
            succeeded[running] = GOALS[step.endings] | complete & self._is_ahead(step, failure)
            going_on = ~(ended | complete)
            running = running[going_on]
            if not running.size:
                break
            step = step.select(going_on)
        return succeeded

    def _is_ahead(self, step: EnvStep, failure: Failure) -> NDArray[np.bool_]:
        x = step.column("x_pos")
        ahead: NDArray[np.bool_] = (failure.x + self._config.min_progress <= x) & (x <= MAX_X)
        ahead |= step.column("area") != failure.area
        return ahead


def most_robust(
    successes: Sequence[Correction], failures: Sequence[Correction]
) -> Correction | None:
    """Return the correction with the best neighbors, or None if there is none.

    Successful neighbors show that the exact step matters little. Among equals, the later and
    shorter correction is the smaller change.

    Args:
        successes: corrections that survived.
        failures: corrections that did not.

    >>> margin = [Correction(5, (1, 1)), Correction(6, (1, 1)), Correction(9, (2, 2))]
    >>> most_robust(margin, [])
    Correction(depth=5, actions=(1, 1))
    """

    def score(correction: Correction) -> tuple[float, int]:
        """Return the successful neighbors minus half of the failed ones, and the size."""
        near = sum(map(correction.is_near, successes)) - 0.5 * sum(
            map(correction.is_near, failures)
        )
        return near, -(correction.depth + len(correction.actions))

    return max(successes, key=score, default=None)
