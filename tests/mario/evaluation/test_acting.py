"""Tests of the check of an agent's actions."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mario.errors import RunError
from mario.evaluation.acting import choose_actions

STATES = np.zeros((2, 4, 84, 84), np.uint8)


def agent_that_returns(actions):
    return SimpleNamespace(act=lambda states: actions, spec=SimpleNamespace(num_actions=5))


@pytest.mark.parametrize("actions", [np.array([0, 4]), [0, 4], torch.tensor([0, 4])])
def test_one_action_per_state_is_passed_on_as_int64(actions):
    chosen = choose_actions(agent_that_returns(actions), STATES)
    assert chosen.dtype == np.int64
    assert chosen.tolist() == [0, 4]


@pytest.mark.parametrize(
    ("actions", "returned"),
    [
        (np.zeros((1, 1), np.int64), "int64 of shape (1, 1)"),
        (np.zeros(3, np.int64), "int64 of shape (3,)"),
        (np.zeros(2), "float64 of shape (2,)"),
        (1, "int64 of shape ()"),
        (None, "object of shape ()"),
        (np.array([0, 5]), "the action 5"),
        (np.array([-1, 0]), "the action -1"),
    ],
)
def test_anything_else_is_refused_with_what_was_returned(actions, returned):
    expected = f"SimpleNamespace.act returned {returned}; return an array of shape (2,) with one "
    with pytest.raises(RunError, match=re.escape(expected) + "integer from 0 to 4"):
        choose_actions(agent_that_returns(actions), STATES)
