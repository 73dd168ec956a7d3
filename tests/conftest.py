"""What every test needs: floating-point numbers as they were before the one that went before."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture(autouse=True)
def _small_numbers_as_they_are():
    """Undo `mario.system.tuning`: what makes agents fast must not change other tests' arithmetic."""
    yield
    torch.set_flush_denormal(False)
