"""A watchdog ends what takes too long."""

from __future__ import annotations

import time

from mario.system.watchdog import Watchdog


def test_a_watchdog_calls_only_what_takes_too_long():
    watchdog, calls = Watchdog(), []
    with watchdog.limit(0.1, lambda: calls.append("slow")):
        time.sleep(1.5)
    with watchdog.limit(60.0, lambda: calls.append("fast")):
        pass
    time.sleep(0.6)
    watchdog.close()
    assert calls == ["slow"]
