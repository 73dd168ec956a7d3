"""An agent that consists of several agents, one for each level."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tensordict import TensorDict

from agents import Agent, AgentSpec
from agents.agent import EPISODE_START
from agents.transitions import Actions, States, Transitions


@dataclass(frozen=True)
class Expert:
    """An agent that was trained on one level.

    Attributes:
        name: Name for messages.
        level: Level it was trained on, e.g. ``"1-2"``; None if it was trained on several.
        agent: The agent, for a single environment.
        action_indices: Index of each of its actions among the router's actions, int64
            ``(num_expert_actions,)``.
    """

    name: str
    level: str | None
    agent: Agent
    action_indices: NDArray[np.int64]


class LevelRouter(Agent):
    """Delegates each step to the expert for the current level. It does not learn.

    The expert for a level is the one trained on it. Otherwise it is one trained on several levels,
    then one trained on the same stage of another world (levels of one stage resemble each other:
    every fourth is a castle), and then the first expert.

    Args:
        spec: A single environment, with the actions of all experts.
        experts: The agents; at least one.
        current_level: Returns the level that is being played.
        report: Receives a line when the expert of a new level takes over.
    """

    def __init__(
        self,
        spec: AgentSpec,
        experts: Sequence[Expert],
        current_level: Callable[[], str],
        report: Callable[[str], None] = print,
    ) -> None:
        super().__init__(spec)
        self._experts, self._current_level, self._report = experts, current_level, report
        self._last_level = ""
        self._active = experts[0]

    def act(self, states: States) -> Actions:
        """Choose the action of the expert for the current level."""
        expert = self._select_expert()
        actions: Actions = expert.action_indices[expert.agent.act(states)]
        return actions

    def carry_recurrent_state(self, indices: NDArray[np.int64]) -> None:
        """Pass the indices on to all experts; inactive ones are reset before they act again."""
        for expert in self._experts:
            expert.agent.carry_recurrent_state(indices)

    def action_values(self, states: States) -> NDArray[np.float32] | None:
        """Return the active expert's scores; NaN for actions that it does not have."""
        expert = self._select_expert()
        expert_values = expert.agent.action_values(states)
        if expert_values is None:
            return None
        action_values = np.full((len(states), self.spec.num_actions), np.nan, np.float32)
        action_values[:, expert.action_indices] = expert_values
        return action_values

    @property
    def action_values_name(self) -> str:
        """The active expert's name for its scores."""
        return self._select_expert().agent.action_values_name

    def cache(self, transitions: Transitions) -> None:
        """Store nothing."""

    def recall(self) -> TensorDict:
        """Fail: there is no replay memory.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError("a LevelRouter cannot be trained; train each expert on its own level")

    def learn(self) -> None:
        """Learn nothing."""

    def close(self) -> None:
        """Release the resources of all experts."""
        for expert in self._experts:
            expert.agent.close()

    def _select_expert(self) -> Expert:
        level = self._current_level()
        if level != self._last_level:
            self._last_level = level
            self._active = max(self._experts, key=lambda expert: _fitness(expert, level))
            self._active.agent.carry_recurrent_state(np.array([EPISODE_START]))
            remark = "" if self._active.level == level else ", no agent was trained on this level"
            self._report(f"{level}: played by {self._active.name}{remark}")
        return self._active


def _fitness(expert: Expert, level: str) -> int:
    """Return how well an expert suits a level, from 0 to 3."""
    if expert.level is None:
        return 2
    return 3 if expert.level == level else int(expert.level[-1] == level[-1])
