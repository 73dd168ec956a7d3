"""A window in which a game is shown at its real speed."""

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

SCALE = 3
"""How many times wider and higher than the game a window is, unless told otherwise."""


def has_display() -> bool:
    """Whether there is a screen to open a window on."""
    if sys.platform in ("darwin", "win32"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


class Window:
    """A window that shows frames until it is closed, or Escape is pressed in it.

    Args:
        title: of the window.
        scale: how many times wider and higher than the game.

    Raises:
        UsageError: no window can be opened.
    """

    def __init__(self, title: str, scale: int = SCALE) -> None:
        self._pygame = _import_pygame()
        self._title = title
        self._scale = scale
        self._screen: Any = None
        self._next_frame = 0.0
        self._open_display()

    def show(self, frame: NDArray[np.uint8]) -> bool:
        """Show a frame, when its time has come.

        Args:
            frame: uint8 ``(height, width, 3)``, RGB.

        Returns:
            False once the user has closed the window.
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
            # Where SDL reaches no screen it draws into memory, for nobody, unless told what to use.
            if display.get_driver() == "offscreen" and "SDL_VIDEODRIVER" not in os.environ:
                display.quit()
                raise self._pygame.error("no screen can be reached")
        except self._pygame.error as error:
            raise UsageError(
                f"cannot open a window: {error}; record a video with --record instead"
            ) from None

    def _wait(self) -> None:
        # Not pygame's clock: it waits whole milliseconds, which makes 62.5 frames a second of 60.1.
        now = time.monotonic()
        time.sleep(max(self._next_frame - now, 0.0))
        self._next_frame = max(self._next_frame, now) + 1 / FRAMES_PER_SECOND


def _import_pygame() -> Any:
    os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pygame still asks for what setuptools has done away with
        import pygame
    return pygame
