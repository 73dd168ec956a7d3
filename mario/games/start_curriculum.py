"""Goes back to where a game was lost, to practise what is hard."""

from __future__ import annotations

from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np

LOST = ("death", "time", "game over")
"""What a game ends by when it is lost."""
BACK = 10, 80
"""Least and most decisions from where an episode that goes back begins to where one was lost."""
AS_BEFORE, FARTHEST_NOW, NONE_ANY_MORE = 0, 1, -1
"""What ``info["farthest"]`` says of the farthest way, see `StartCurriculum`."""


def draw_start_offset(share: float, farthest: float, seed: int) -> int:
    """How many decisions before a loss the next episode begins.

    Drawn from numbers of its own, so that random starts are the same whatever the shares.

    Args:
        share: of the episodes after a loss that go back, 0 to 1.
        farthest: the share of those that go back on the farthest way, not on the last.
        seed: the next episode's.

    Returns:
        0 for at the game's start; less than 0 for so many before the end of the farthest way.

    >>> draw_start_offset(0.0, 0.5, seed=1), draw_start_offset(1.0, 0.0, seed=1), draw_start_offset(1.0, 1.0, seed=1)
    (0, 35, -35)
    """
    random = np.random.default_rng([seed, 1])
    goes_back = random.random() < share
    back = int(random.integers(*BACK, endpoint=True)) if goes_back else 0
    return -back if random.random() < farthest else back


class Trajectory(NamedTuple):
    """How a game came to where it is.

    Attributes:
        start: what its `reset` was called with.
        actions: all that were taken since.
        earned: the sum of their rewards.
    """

    start: dict[str, Any]
    actions: list[Any]
    earned: float


class StartCurriculum(gym.Wrapper[Any, Any, Any, Any]):
    """Begins some of the episodes after one that was lost not long before where one was.

    They begin as that one did, and its actions are taken again but for the last few, see
    `draw_start_offset`; one that was too short for that is followed by an ordinary episode, and so is one
    without a seed. Some go back on the way that was lost last, the others on the one that earned
    most of all that were lost since the game was last won: what is hard is practised where it
    first is met, until it is mastered, as Ecoffet et al. 2021 do, https://arxiv.org/abs/2004.12919.

    ``info["revisited"]`` is the number of actions that were taken before what `reset` returns, less
    than 0 on the farthest way. ``info["farthest"]`` is 1 at the end of a way that is the farthest
    now, -1 where the game is won, so that there is none any more, and else 0.

    The option ``replay`` of `reset`, a list of actions, begins an episode just after them; with it
    come ``farthest``, the seed and the actions of the farthest way or None, and ``on_farthest``,
    whether they are of that way.

    Args:
        env: a game that does the same after the same seed and actions, and says in
            ``info["ending"]`` why it ended.
        share: of the episodes after a loss that go back.
        farthest: the share of those that go back on the farthest way.

    Raises:
        ValueError: one of them is no share.

    >>> StartCurriculum(gym.make("CartPole-v1"), share=1.5)
    Traceback (most recent call last):
        ...
    ValueError: share must lie between 0 and 1, got 1.5
    """

    def __init__(self, env: gym.Env[Any, Any], share: float, farthest: float = 0.0) -> None:
        super().__init__(env)
        for name, value in (("share", share), ("farthest", farthest)):
            if not 0 <= value <= 1:
                raise ValueError(f"{name} must lie between 0 and 1, got {value}")
        self._share, self._farthest_share = share, farthest
        self._way = Trajectory({"seed": None, "options": None}, [], 0.0)
        self._farthest: Trajectory | None = None
        self._told = {"revisited": 0, "farthest": AS_BEFORE}
        self._lost = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env.reset`."""
        others = dict(options or {})
        replay, farthest = others.pop("replay", None), others.pop("farthest", None)
        on_farthest = others.pop("on_farthest", False)
        start = {"seed": seed, "options": others or None}
        if replay is None:
            start, before, on_farthest = self._way_back(start)
        else:
            self._farthest = None
            if farthest is not None:
                self._go({"seed": farthest[0], "options": None}, farthest[1])
            before = replay
        observation, info = self._go(start, before)
        self._told = {
            "revisited": -len(before) if on_farthest else len(before), "farthest": AS_BEFORE
        }  # fmt: skip
        return observation, info | self._told

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        self._way.actions.append(action)
        self._way = self._way._replace(earned=self._way.earned + float(reward))
        self._lost = info.get("ending") in LOST
        self._told["farthest"] = self._judge(won=terminated and not self._lost)
        return observation, reward, terminated, truncated, info | self._told

    def _go(self, start: dict[str, Any], actions: list[Any]) -> tuple[Any, dict[str, Any]]:
        """Take a way from its start on."""
        self._way, self._lost = Trajectory(start, [], 0.0), False
        observation, info = self.env.reset(**start)
        for action in actions:
            observation, _, _, _, info = self.step(action)
        return observation, info

    def _judge(self, *, won: bool) -> int:
        """Keep the way if it is the farthest that was lost; keep none when the game is won."""
        if not self._farthest_share:
            return AS_BEFORE
        if won:
            self._farthest = None
            return NONE_ANY_MORE
        if self._lost and (self._farthest is None or self._way.earned > self._farthest.earned):
            self._farthest = self._way
            return FARTHEST_NOW
        return AS_BEFORE

    def _way_back(self, start: dict[str, Any]) -> tuple[dict[str, Any], list[Any], bool]:
        """Where the next episode starts, the actions from there, and if by the farthest way."""
        seed, nothing = start["seed"], (start, list[Any](), False)
        if not self._lost or seed is None:
            return nothing
        back = draw_start_offset(self._share, self._farthest_share, seed)
        way = self._farthest if back < 0 else self._way
        if back == 0 or way is None or way.start["seed"] is None:
            return nothing
        actions = way.actions[: -abs(back)]
        return (way.start, actions, back < 0) if actions else nothing
