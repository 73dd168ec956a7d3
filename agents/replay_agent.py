"""The base class of agents that learn from a replay memory."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from agents.agent import Agent, AgentSpec
from agents.compute.learner import Learner
from agents.replay.frame_replay import FrameReplay


class ReplayAgent(Agent):
    """An agent with a replay memory from which its updates sample.

    Args:
        spec: the environments and the hardware.
        replay: the replay memory; None for an agent that is only evaluated.
        learner: performs the updates.

    Attributes:
        replay: the replay memory.
    """

    def __init__(self, spec: AgentSpec, replay: FrameReplay | None, learner: Learner[Any]) -> None:
        super().__init__(spec)
        self.replay = replay
        self._learner = learner

    @property
    def replay_description(self) -> str:
        """One line on the size and the folder of the replay memory."""
        return super().replay_description if self.replay is None else self.replay.describe()

    def close(self) -> None:
        """Release the replay memory and stop the threads."""
        self._learner.close()
        if self.replay is not None:
            self.replay.close()

    @abstractmethod
    def _update(self) -> dict[str, float] | None:
        """Perform one update; return named scalars, or None if it was skipped."""

    def _perform_updates(self, due: int) -> dict[str, float]:
        """Perform updates and return the means of their scalars.

        Args:
            due: number of updates.

        Returns:
            The means over the updates that were performed, and ``skipped``, the number of updates
            that were not finite. If all were skipped, only ``skipped``.

        Raises:
            FloatingPointError: too many updates in a row were skipped.
        """
        updates = [scalars for _ in range(due) if (scalars := self._update()) is not None]
        names = updates[0] if updates else ()
        means = {name: sum(each[name] for each in updates) / len(updates) for name in names}
        return means | {"skipped": float(due - len(updates))}

    def _require_replay(self) -> FrameReplay:
        if self.replay is None:
            raise RuntimeError("an agent that only plays has no replay memory; give training=True")
        return self.replay
