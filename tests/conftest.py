"""Fixtures of all tests."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def _keep_denormal_floats():
    """Undo `mario.system.tuning` after each test, so that it does not affect other tests."""
    yield
    torch.set_flush_denormal(False)
