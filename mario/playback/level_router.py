"""An agent made of agents: each plays the level that it was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tensordict import TensorDict

from agents import Agent, AgentSpec
from agents.agent import EPISODE_START, Actions, States, Transitions


@dataclass(frozen=True)
class Expert:
    """One of the agents.

    Attributes:
        name: what to call it.
        level: the level it was trained on, e.g. ``"1-2"``; None for no particular one.
        agent: plays one game.
        actions: which of the whole game's actions each of its own is, int64 ``(its actions,)``.
    """

    name: str
    level: str | None
    agent: Agent
    actions: NDArray[np.int64]


class LevelRouter(Agent):
    """Hands each decision to the agent of the level; it only plays, and learns nothing.

    A level that has no agent of its own is played by one of no particular level, else by one of the
    same stage in another world, which is of its kind (the fourth are castles), else by the first.

    Args:
        spec: one game, with the actions of all agents.
        members: the agents, at least one.
        level: asked for the level being played.
        report: is told in a line who plays a level, when it is entered.
    """

    def __init__(
        self,
        spec: AgentSpec,
        members: Sequence[Expert],
        level: Callable[[], str],
        report: Callable[[str], None] = print,
    ) -> None:
        super().__init__(spec)
        self._members, self._level, self._report = members, level, report
        self._last_level = ""
        self._playing = members[0]

    def act(self, states: States) -> Actions:
        """Choose as the agent of the level does."""
        member = self._on_duty()
        chosen: Actions = member.actions[member.agent.act(states)]
        return chosen

    def carry_recurrent_state(self, indices: NDArray[np.int64]) -> None:
        """Pass it on: an agent that is not on duty has nothing to carry but what is long past."""
        for member in self._members:
            member.agent.carry_recurrent_state(indices)

    def action_values(self, states: States) -> NDArray[np.float32] | None:
        """What the agent of the level makes of its actions; NaN for those that it has not."""
        member = self._on_duty()
        theirs = member.agent.action_values(states)
        if theirs is None:
            return None
        all_of_them = np.full((len(states), self.spec.num_actions), np.nan, np.float32)
        all_of_them[:, member.actions] = theirs
        return all_of_them

    @property
    def action_values_name(self) -> str:
        """What the agent of the level calls its `action_values`."""
        return self._on_duty().agent.action_values_name

    def cache(self, transitions: Transitions) -> None:
        """Remember nothing."""

    def recall(self) -> TensorDict:
        """There is nothing to recall.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("a router only plays; train its agents one by one")

    def learn(self) -> None:
        """Learn nothing."""

    def close(self) -> None:
        """Free what the agents hold."""
        for member in self._members:
            member.agent.close()

    def _on_duty(self) -> Expert:
        """The agent of the level."""
        level = self._level()
        if level != self._last_level:
            self._last_level, self._playing = level, self._best_for(level)
            self._playing.agent.carry_recurrent_state(np.array([EPISODE_START]))
            own = self._playing.level == level
            self._report(
                f"{level}: played by {self._playing.name}"
                + ("" if own else ", since none was trained on it")
            )
        return self._playing

    def _best_for(self, level: str) -> Expert:
        return max(self._members, key=lambda member: _fitness(member, level))


def _fitness(member: Expert, level: str) -> int:
    """How well an agent fits a level; of equals the first is taken."""
    if member.level is None:
        return 2
    return 3 if member.level == level else int(member.level[-1] == level[-1])
