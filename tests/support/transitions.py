"""Builds the transitions that tests cache."""

from __future__ import annotations

import numpy as np

from agents import Transitions


def transitions(states, actions, rewards, terminated, truncated, next_states, valid=None):
    """Return `Transitions` with the agreed dtypes, all valid by default."""
    return Transitions(
        states,
        np.asarray(actions, np.int64),
        np.asarray(rewards, np.float32),
        np.asarray(terminated, np.bool_),
        np.asarray(truncated, np.bool_),
        next_states,
        np.ones(len(states), np.bool_) if valid is None else np.asarray(valid, np.bool_),
    )
