"""The points to which environments can be restored, given by the actions that lead to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from mario.games.starts.demonstration_starts import DemonstrationPoint
from mario.games.starts.start_curriculum import CLEARED, REPLACED, UNCHANGED


@dataclass(frozen=True)
class ActionLog:
    """The actions of a game since its reset.

    Attributes:
        start_episode: Index of the episode whose seed the game was reset with.
        actions: Actions taken since the reset.
        start: The point of a demonstration to which the game was reset, None for its beginning.
    """

    start_episode: int
    actions: list[int]
    start: DemonstrationPoint | None = None

    def copy(self) -> Self:
        """Return an independent copy."""
        return replace(self, actions=list(self.actions))

    def to_dict(self) -> dict[str, Any]:
        """Return the log as plain values."""
        values = {"start_episode": self.start_episode, "actions": list(self.actions)}
        return values if self.start is None else values | {"start": list(self.start)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Create a log from the values that `to_dict` returned."""
        start = values.get("start")
        return cls(
            values["start_episode"], list(values["actions"]), start and DemonstrationPoint(*start)
        )


@dataclass(frozen=True)
class ReplayPoint:
    """A point of one environment that can be reached again by replaying actions.

    Attributes:
        episode: Index of the episode: the number of episodes that ended before it.
        log: All actions since the reset of the game, including those before the episode began.
        start_offset: Number of actions before the episode began, negative if they are those of the
            farthest trajectory, see `mario.games.starts.start_curriculum.StartCurriculum`.
        farthest: The farthest trajectory, or None.
        next_start: Point of a demonstration at which the next episode starts, unless it starts
            shortly before a loss; None for the beginning of the game.
    """

    episode: int
    log: ActionLog
    start_offset: int = 0
    farthest: ActionLog | None = None
    next_start: DemonstrationPoint | None = None

    @classmethod
    def at_reset(
        cls,
        episode: int,
        farthest: ActionLog | None = None,
        start: DemonstrationPoint | None = None,
    ) -> Self:
        """Return the first point of an episode that starts with a reset of the game.

        >>> ReplayPoint.at_reset(3).log
        ActionLog(start_episode=3, actions=[], start=None)
        """
        return cls(episode, ActionLog(episode, [], start), farthest=farthest)

    def next_episode(self, farthest_update: int, start_offset: int) -> Self:
        """Return the first point of the following episode.

        Args:
            farthest_update: ``info["farthest_update"]`` of the last step of this episode.
            start_offset: ``info["start_offset"]`` of the following episode.

        >>> end = ReplayPoint(2, ActionLog(2, [5, 6]))
        >>> end.next_episode(REPLACED, start_offset=-1).log
        ActionLog(start_episode=2, actions=[5], start=None)
        """
        farthest = {UNCHANGED: self.farthest, REPLACED: self.log, CLEARED: None}[farthest_update]
        if not start_offset:
            return self.at_reset(self.episode + 1, farthest, self.next_start)
        base = self.log if start_offset > 0 else farthest
        assert base is not None, "an episode starts on a farthest trajectory that does not exist"
        log = replace(base, actions=base.actions[: abs(start_offset)])
        return replace(
            self, episode=self.episode + 1, log=log, start_offset=start_offset, farthest=farthest
        )

    def copy(self) -> Self:
        """Return an independent copy."""
        return replace(self, log=self.log.copy(), farthest=self.farthest and self.farthest.copy())

    def to_dict(self) -> dict[str, Any]:
        """Return the point as plain values, which a checkpoint can hold."""
        values = {
            "episode": self.episode,
            "log": self.log.to_dict(),
            "start_offset": self.start_offset,
            "farthest": self.farthest and self.farthest.to_dict(),
        }
        start = self.next_start
        return values if start is None else values | {"next_start": list(start)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Create a point from the values that `to_dict` returned."""
        farthest, next_start = values["farthest"], values.get("next_start")
        return cls(
            values["episode"],
            ActionLog.from_dict(values["log"]),
            values["start_offset"],
            farthest and ActionLog.from_dict(farthest),
            next_start and DemonstrationPoint(*next_start),
        )
