"""Fixtures of all tests."""

from __future__ import annotations

import gymnasium as gym
import pytest
import torch


def pytest_addoption(parser):
    """Add the option for tests marked ``long``."""
    parser.addoption("--long", action="store_true", help="run tests marked long as well")


def pytest_collection_modifyitems(config, items):
    """Leave out tests marked ``long`` unless they are asked for."""
    if config.getoption("--long"):
        return
    left_out = [item for item in items if item.get_closest_marker("long")]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if not item.get_closest_marker("long")]


@pytest.fixture(autouse=True)
def _keep_denormal_floats():
    """Undo `mario.system.tuning` after each test, so that it does not affect other tests."""
    yield
    torch.set_flush_denormal(False)


@pytest.fixture
def register():
    """Return `gymnasium.register`; what it registers is removed after the test."""
    before = dict(gym.registry)
    yield gym.register
    gym.registry.clear()
    gym.registry.update(before)
