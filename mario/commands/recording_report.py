"""Says that a video is being recorded, how much of it there is, and where it was written."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from mario.emulators.emulator import FRAMES_PER_SECOND
from mario.system.announce import print_to_stderr

INTERVAL = 10.0
"""Seconds between two reports of the progress."""


class RecordingReport:
    """Context that counts the frames of a video and reports the progress.

    Enter it before the video, so that it leaves after the video is closed. It reports nothing
    before the first frame, and no result after an exception, which discards the video.

    Args:
        path: Video file.
        report: Receives each line.
        clock: Returns the time in seconds.
    """

    def __init__(
        self,
        path: Path,
        report: Callable[[str], None] = print_to_stderr,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._report, self._clock = path, report, clock
        self._frames = 0
        self._reported_at = 0.0

    def count(self) -> None:
        """Count a frame that is in the video."""
        self._frames += 1
        now = self._clock()
        if self._frames == 1:
            self._report(f"recording {self._path}; Ctrl-C stops and keeps what is recorded")
        elif now - self._reported_at < INTERVAL:
            return
        else:
            self._report(f"recorded {self._seconds:.0f} s of the game")
        self._reported_at = now

    @property
    def _seconds(self) -> float:
        return self._frames / FRAMES_PER_SECOND

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None and self._frames:
            self._report(f"wrote {self._path}: {self._seconds:.1f} s of the game")
