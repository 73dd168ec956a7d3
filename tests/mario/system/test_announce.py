"""Slow steps are announced, fast ones are not."""

from __future__ import annotations

import time

from mario.system.announce import announced


def test_only_a_slow_step_is_announced():
    lines = []
    with announced("a slow step", lines.append, seconds=0.01):
        deadline = time.monotonic() + 10
        while not lines and time.monotonic() < deadline:
            time.sleep(0.01)
    with announced("a fast step", lines.append, seconds=60):
        pass
    assert lines == ["a slow step ..."]
