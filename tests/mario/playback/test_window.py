"""The window, on SDL's dummy display, each in its own process."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from mario.playback import window
from mario.playback.window import has_display

BEGIN = """
import time
import numpy as np
from mario.playback.window import Window, _import_pygame
pygame = _import_pygame()
frame = np.zeros((240, 256, 3), np.uint8)
frame[:, :100] = 255, 128, 0
"""


def run(script: str, driver: str | None = "dummy", **environment: str) -> str:
    """Run a script after `BEGIN` and return its output."""
    inherited = {name: value for name, value in os.environ.items() if name != "SDL_VIDEODRIVER"}
    selected = {} if driver is None else {"SDL_VIDEODRIVER": driver}
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script],
        env={**inherited, **selected, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_a_window_shows_the_enlarged_frame_and_its_title_and_prints_nothing():
    script = """
with Window("Mario plays", scale=2) as window:
    assert window.show(frame) is True
    screen = pygame.display.get_surface()
    assert screen.get_size() == (512, 480)
    assert screen.get_at((199, 479))[:3] == (255, 128, 0)
    assert screen.get_at((200, 0))[:3] == (0, 0, 0)
    assert pygame.display.get_caption()[0] == "Mario plays"
window.close()
"""
    assert run(script) == ""


@pytest.mark.parametrize(
    ("event", "continues"),
    [
        ("pygame.QUIT", False),
        ("pygame.KEYDOWN, key=pygame.K_ESCAPE", False),
        ("pygame.KEYDOWN, key=pygame.K_a", True),
    ],
)
def test_closing_the_window_or_pressing_escape_stops(event, continues):
    script = f"""
window = Window("Mario plays")
window.show(frame)
pygame.event.post(pygame.event.Event({event}))
print(window.show(frame))
"""
    assert run(script) == f"{continues}\n"


def test_frames_are_shown_at_the_speed_of_the_console():
    script = """
window = Window("Mario plays", scale=1)
window.show(frame)
start = time.monotonic()
for _ in range(60):
    window.show(frame)
print(time.monotonic() - start)
"""
    assert float(run(script)) == pytest.approx(60 / 60.0988, abs=0.1)


def test_a_window_does_not_speed_up_after_a_pause():
    script = """
window = Window("Mario plays", scale=1)
window.show(frame)
time.sleep(0.5)
window.show(frame)
start = time.monotonic()
for _ in range(12):
    window.show(frame)
print(time.monotonic() - start > 0.15)
"""
    assert run(script) == "True\n"


@pytest.mark.parametrize("driver", ["no-such-driver", None])
def test_an_error_names_the_remedy_where_there_is_no_screen(driver):
    script = """
from mario.errors import UsageError
try:
    Window("Mario plays")
except UsageError as error:
    print(error)
"""
    output = run(script, driver, DISPLAY=":none")
    assert re.search("cannot open a window: .*; record a video with record instead", output)


class FakeWindow:
    """A window that can always be opened."""

    def __init__(self, title):
        pass

    def close(self):
        pass


def test_a_display_that_is_gone_counts_as_none():
    script = "from mario.playback.window import has_display; print(has_display())"
    assert "False" in run(script, None, DISPLAY=":none").splitlines()


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {}, False),
        ("linux", {"DISPLAY": ""}, False),
        ("linux", {"DISPLAY": ":0"}, True),
        ("linux", {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("darwin", {}, True),
        ("win32", {}, True),
    ],
)
def test_has_display_follows_the_rules_of_each_system(monkeypatch, platform, environment, expected):
    monkeypatch.setattr(window, "Window", FakeWindow)
    monkeypatch.setattr(sys, "platform", platform)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert has_display() is expected
