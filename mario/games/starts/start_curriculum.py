"""A start-state curriculum: episodes that start shortly before an earlier episode was lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium as gym
import numpy as np

from mario.config.env_config import StartCurriculumConfig
from mario.games.endings import FAILURES, Ending
from mario.games.starts.demonstration_reset import OPTION

STEPS_BEFORE_LOSS = 10, 80
"""Minimum and maximum number of agent steps from the start of an episode to the earlier loss."""

UNCHANGED, REPLACED, CLEARED = 0, 1, -1
"""Values of ``info["farthest_update"]``, see `StartCurriculum`."""


def draw_steps_before_loss(config: StartCurriculumConfig, seed: int) -> int:
    """Draw the number of agent steps between the start of the next episode and an earlier loss.

    A loss is the end of a trajectory in which the player lost. The random numbers are independent
    of those for the number of no-op frames, so that this number does not depend on ``config``.

    Args:
        config: The probabilities.
        seed: Seed of the next episode.

    Returns:
        0 to start at the beginning of the game, n > 0 to start n steps before the end of the latest
        trajectory, -n to start n steps before the end of the farthest trajectory.

    >>> draw_steps_before_loss(StartCurriculumConfig(), seed=1)
    0
    >>> draw_steps_before_loss(StartCurriculumConfig(1.0, farthest_probability=0.0), seed=1)
    35
    >>> draw_steps_before_loss(StartCurriculumConfig(1.0, farthest_probability=1.0), seed=1)
    -35
    """
    rng = np.random.default_rng([seed, 1])
    starts_late = rng.random() < config.probability
    steps = int(rng.integers(*STEPS_BEFORE_LOSS, endpoint=True)) if starts_late else 0
    return -steps if rng.random() < config.farthest_probability else steps


@dataclass(frozen=True)
class StartPoint:
    """A point of a game, given by the seed and the actions that lead to it.

    Attributes:
        seed: Seed of the game's ``reset``.
        actions: Actions taken since the ``reset``.
        on_farthest: Whether the actions are those of the farthest trajectory.
        options: Options of the game's ``reset``.
    """

    seed: int | None
    actions: Sequence[Any] = ()
    on_farthest: bool = False
    options: dict[str, Any] | None = None

    @property
    def start_offset(self) -> int:
        """The number of actions, negative on the farthest trajectory."""
        return -len(self.actions) if self.on_farthest else len(self.actions)


@dataclass
class Trajectory:
    """The course of a game since its ``reset``.

    Attributes:
        seed: Seed of the ``reset``.
        options: Options of the ``reset``.
        actions: Actions taken since the ``reset``.
        total_reward: Sum of the rewards since the ``reset``.
    """

    seed: int | None
    options: dict[str, Any] | None = None
    actions: list[Any] = field(default_factory=list)
    total_reward: float = 0.0


class StartCurriculum(gym.Wrapper[Any, Any, Any, Any]):
    """Start some episodes shortly before the point where an earlier episode was lost.

    Such an episode replays the seed and the actions of a lost trajectory, except for the last few
    steps, see `draw_steps_before_loss`. If the trajectory is too short, or either episode has no
    seed, the episode starts at the beginning of the game.

    The replayed trajectory is either the latest one or the farthest one: the lost trajectory with
    the highest return since the game was last won. The agent thus practices the hardest part that
    it reaches until it masters this part (Ecoffet et al. 2021, https://arxiv.org/abs/2004.12919).

    Episodes that start on a demonstration, see `mario.games.starts.demonstration_reset`, are
    truncated after ``config.demonstration_max_steps`` steps.

    ``info`` contains

    * ``start_offset``: the number of actions replayed before the episode's first observation,
      negative on the farthest trajectory;
    * ``farthest_update``: 1 in the last step of an episode that becomes the farthest trajectory, -1
      when the game is won and the farthest trajectory is forgotten, else 0.

    ``reset`` accepts the options ``start_point``, a `StartPoint` to start at, and with it
    ``farthest``, the end of the farthest trajectory as a `StartPoint` or None.

    Args:
        env: An environment that behaves the same after the same seed and actions, with ``ending``
            in ``info``, see `mario.games.endings.Ending`.
        config: The probabilities.
    """

    def __init__(self, env: gym.Env[Any, Any], config: StartCurriculumConfig) -> None:
        super().__init__(env)
        self._config = config
        self._trajectory = Trajectory(seed=None)
        self._farthest: Trajectory | None = None
        self._info = {"start_offset": 0, "farthest_update": UNCHANGED}
        self._lost = False
        self._length = 0

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env.reset`; ``seed`` is ignored if a start point is given."""
        options = dict(options or {})
        start, farthest = options.pop("start_point", None), options.pop("farthest", None)
        if start is None:
            start = self._next_start(seed, options or None)
        else:
            self._farthest = None
            if farthest is not None:
                self._replay(farthest)
        observation, info = self._replay(start)
        self._length = 0
        self._info = {"start_offset": start.start_offset, "farthest_update": UNCHANGED}
        return observation, info | self._info

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        observation, reward, terminated, truncated, info = self._record_step(action)
        self._length += 1
        if self._exceeds_max_steps() and not (terminated or truncated):
            truncated, info["ending"] = True, str(Ending.TRUNCATED)
        return observation, reward, terminated, truncated, info

    def _exceeds_max_steps(self) -> bool:
        on_demonstration = OPTION in (self._trajectory.options or {})
        max_steps = self._config.demonstration_max_steps
        return on_demonstration and 0 < max_steps <= self._length

    def _record_step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Take a step and record it in the trajectory."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._trajectory.actions.append(action)
        self._trajectory.total_reward += float(reward)
        self._lost = info.get("ending") in FAILURES
        won = terminated and not self._lost
        self._info["farthest_update"] = self._update_farthest(won=won)
        return observation, reward, terminated, truncated, info | self._info

    def _replay(self, start: StartPoint) -> tuple[Any, dict[str, Any]]:
        """Reset the game and take the actions of a start point."""
        self._trajectory, self._lost = Trajectory(start.seed, start.options), False
        observation, info = self.env.reset(seed=start.seed, options=start.options)
        for action in start.actions:
            observation, _, _, _, info = self._record_step(action)
        return observation, info

    def _update_farthest(self, *, won: bool) -> int:
        """Update the farthest trajectory after a step and return ``info["farthest_update"]``."""
        if not self._config.farthest_probability:
            return UNCHANGED
        if won:
            self._farthest = None
            return CLEARED
        if not self._lost or (
            self._farthest is not None
            and self._trajectory.total_reward <= self._farthest.total_reward
        ):
            return UNCHANGED
        self._farthest = self._trajectory
        return REPLACED

    def _next_start(self, seed: int | None, options: dict[str, Any] | None) -> StartPoint:
        """Draw where the next episode starts."""
        beginning = StartPoint(seed, options=options)
        if not self._lost or seed is None:
            return beginning
        steps = draw_steps_before_loss(self._config, seed)
        base = self._farthest if steps < 0 else self._trajectory
        if steps == 0 or base is None or base.seed is None:
            return beginning
        actions = base.actions[: -abs(steps)]
        if not actions:
            return beginning
        return StartPoint(base.seed, actions, steps < 0, base.options)
