"""A trained agent that says which actions another agent should take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agents import AgentSpec
from mario.distillation.action_mapping import same_actions
from mario.errors import UsageError
from mario.runs.agent_factory import build_agent
from mario.runs.trained_agent import TrainedAgent
from mario.vector.native_factory import button_masks


class Teacher:
    """A trained agent that gives a probability to each action of another action set.

    The probabilities of an agent that learned action values are a softmax of these values. Actions
    that the teacher does not have get the probability 0.

    Args:
        trained: the trained agent.
        masks: the buttons of each action of the agent that is taught.
        num_envs: number of environments.
        temperature: divides action values before the softmax.

    Raises:
        UsageError: the agent has no scores of actions, or an action that is not among ``masks``.
    """

    def __init__(
        self, trained: TrainedAgent, masks: Sequence[int], num_envs: int, temperature: float
    ) -> None:
        if getattr(trained.hyper, "policy", "cnn") != "cnn":
            raise UsageError(f"{trained.path} has a recurrent network, which cannot teach yet")
        spec = AgentSpec(
            trained.state_shape, trained.num_actions, num_envs,
            device=trained.device, training=False,
        )  # fmt: skip
        self._agent = build_agent(trained.agent, trained.hyper, spec)
        trained.load_into(self._agent)
        self._actions = same_actions(button_masks(trained.env_config), masks)
        self._num_actions, self._temperature = len(masks), temperature
        self._path = trained.path

    def label(self, states: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the probability of each action.

        Args:
            states: what the teacher observes, uint8 ``(num_envs, *state_shape)``.

        Returns:
            float32 ``(num_envs, num_actions)``.

        Raises:
            UsageError: the teacher has no scores of actions.
        """
        scores = self._agent.action_values(states)
        if scores is None:
            raise UsageError(f"{self._path} has no action values and cannot teach")
        if self._agent.action_values_name == "value":
            scores = softmax(scores / self._temperature)
        targets = np.zeros((len(states), self._num_actions), np.float32)
        targets[:, self._actions] = scores
        return targets

    def close(self) -> None:
        """Release the resources of the trained agent."""
        self._agent.close()


def softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return a softmax over the last axis.

    >>> softmax(np.array([[0.0, 0.0], [1000.0, 0.0]])).tolist()
    [[0.5, 0.5], [1.0, 0.0]]
    """
    exponentials = np.exp(scores - scores.max(axis=-1, keepdims=True))
    probabilities: NDArray[np.float32] = exponentials / exponentials.sum(axis=-1, keepdims=True)
    return probabilities
