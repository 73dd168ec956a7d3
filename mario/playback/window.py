"""A window that shows a game at its real speed."""

from __future__ import annotations

import os
import sys
import time
import warnings
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mario.emulators.emulator import FRAMES_PER_SECOND
from mario.errors import UsageError

DEFAULT_SCALE = 3
"""Factor by which a window enlarges the game by default."""


def has_display() -> bool:
    """Return whether a window can be opened on this machine.

    A window is opened to find out, because the display that the environment names may be gone.
    """
    named = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    if sys.platform not in ("darwin", "win32") and not named:
        return False
    try:
        Window("").close()
    except UsageError:
        return False
    return True


class Window:
    """Shows frames until the user closes the window or presses Escape.

    Args:
        title: Title of the window.
        scale: Integer factor by which frames are enlarged.

    Raises:
        UsageError: No window can be opened.
    """

    def __init__(self, title: str, scale: int = DEFAULT_SCALE) -> None:
        self._pygame = _import_pygame()
        self._title = title
        self._scale = scale
        self._screen: Any = None
        self._next_frame = 0.0
        self._open_display()

    def show(self, frame: NDArray[np.uint8]) -> bool:
        """Wait until the frame is due, then show it.

        Args:
            frame: RGB, uint8 ``(height, width, 3)``.

        Returns:
            False if the user has closed the window.
        """
        pygame = self._pygame
        height, width = frame.shape[:2]
        size = (width * self._scale, height * self._scale)
        if self._screen is None:
            self._screen = pygame.display.set_mode(size)
            pygame.display.set_caption(self._title)
        picture = pygame.image.frombuffer(frame.tobytes(), (width, height), "RGB")
        self._screen.blit(pygame.transform.scale(picture, size), (0, 0))
        self._wait()
        pygame.display.flip()
        return not any(
            event.type == pygame.QUIT
            or (event.type == pygame.KEYDOWN and event.key == pygame.K_ESCAPE)
            for event in pygame.event.get()
        )

    def close(self) -> None:
        """Close the window. Closing twice is harmless."""
        self._pygame.display.quit()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open_display(self) -> None:
        display = self._pygame.display
        try:
            display.init()
            # Without a screen, SDL falls back to drawing into memory, which nobody sees.
            if display.get_driver() == "offscreen" and "SDL_VIDEODRIVER" not in os.environ:
                display.quit()
                raise self._pygame.error("there is no screen")
        except self._pygame.error as error:
            raise UsageError(
                f"cannot open a window: {error}; record a video with --record instead"
            ) from None

    def _wait(self) -> None:
        # pygame's clock waits whole milliseconds: it would show 62.5 instead of 60.1 frames/s.
        now = time.monotonic()
        time.sleep(max(self._next_frame - now, 0.0))
        self._next_frame = max(self._next_frame, now) + 1 / FRAMES_PER_SECOND


def _import_pygame() -> Any:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pygame imports the deprecated pkg_resources
        import pygame
    return pygame
