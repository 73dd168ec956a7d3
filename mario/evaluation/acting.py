"""Asks an agent for its actions and checks what it returns."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import Agent
from mario.errors import RunError


def choose_actions(agent: Agent, states: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the agent's action for each state.

    Args:
        agent: chooses the actions.
        states: uint8 ``(num_states, *state_shape)``.

    Returns:
        int64 ``(num_states,)``.

    Raises:
        RunError: the agent, which may be one of the user's, returned something else than one
            existing action per state.
    """
    returned = agent.act(states)
    actions, num_actions = np.asarray(returned), agent.spec.num_actions
    if actions.shape != (len(states),) or actions.dtype.kind not in "iu":
        raise _error(agent, len(states), f"{actions.dtype} of shape {actions.shape}")
    if len(actions) and not 0 <= actions.min() <= actions.max() < num_actions:
        wrong = actions[(actions < 0) | (actions >= num_actions)]
        raise _error(agent, len(states), f"the action {wrong[0]}")
    return actions.astype(np.int64, copy=False)


def _error(agent: Agent, num_states: int, returned: Any) -> RunError:
    name = f"{type(agent).__module__}:{type(agent).__qualname__}"
    return RunError(
        f"{name}.act returned {returned}; return an array of shape ({num_states},) with one "
        f"integer from 0 to {agent.spec.num_actions - 1} per environment"
    )
