"""One step of all environments, as agents cache it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

States = NDArray[np.uint8]
Actions = NDArray[np.int64]


class Guidance(NamedTuple):
    """What environments report about the actions to imitate, see `agents.imitation`.

    Attributes:
        weights: how much to imitate the action: 0 for a random one, 1 for the agent's own, more for
            a correction; float32 ``(num_envs,)``.
        num_discarded: number of the latest transitions, this one included, that led to a failure
            and must not be imitated; int64 ``(num_envs,)``.
        targets: the probability of each action to imitate in the state before the step, from
            environments with teachers; float32 ``(num_envs, num_actions)``. None from others.
    """

    weights: NDArray[np.float32]
    num_discarded: NDArray[np.int64]
    targets: NDArray[np.float32] | None = None


class Transitions(NamedTuple):
    """One step of every environment.

    Attributes:
        states: observations before the step, uint8 ``(num_envs, *state_shape)``.
        actions: actions taken, int64 ``(num_envs,)``.
        rewards: float32 ``(num_envs,)``.
        terminated: whether the game ended, so that nothing follows ``next_states``; bool
            ``(num_envs,)``.
        truncated: whether the episode was cut short although the game could go on; bool
            ``(num_envs,)``.
        next_states: observations after the step, uint8 ``(num_envs, *state_shape)``. Where an
            episode ended, this is its final observation, not the first of the next episode.
        valid: False where the environment crashed in this step. Agents must not learn from such a
            step. Its episode is marked as truncated and ended with ``states``. bool
            ``(num_envs,)``.
        guidance: which actions to imitate, from environments that correct failures or have
            teachers; None from others.
    """

    states: States
    actions: Actions
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    next_states: States
    valid: NDArray[np.bool_]
    guidance: Guidance | None = None

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Whether an episode ended with the step, bool ``(num_envs,)``."""
        return self.terminated | self.truncated
