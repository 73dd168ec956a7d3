"""Records an episode into memory: as a NumPy array, for a notebook, or for a video file."""

from __future__ import annotations

import base64
import math
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from mario.config.validation import require_at_least, require_positive
from mario.emulators.emulator import FRAMES_PER_SECOND
from mario.errors import UsageError
from mario.evaluation.episodes import EpisodeResult
from mario.playback.overlay import Overlay
from mario.playback.video import VideoWriter
from mario.playback.watch import Frame, Player, watch_episodes

NOTEBOOK_WIDTH = 512
"""Minimum width in pixels of a video in a notebook."""
OVERLAY_SCALE = 2
"""Factor by which the game beside the overlay is enlarged, so that its text is readable."""


@dataclass(frozen=True)
class Recording:
    """A recorded episode. Jupyter shows it as a video.

    Attributes:
        frames: RGB, uint8 ``(num_frames, height, width, 3)``.
        fps: Frames per second.
        result: Result of the episode; None if the recording ended before it.
    """

    frames: Frame = field(repr=False)
    fps: float
    result: EpisodeResult | None

    def save(self, path: Path | str, *, scale: int | None = None) -> None:
        """Write a video file.

        Args:
            path: Video file; its suffix, ``.mp4`` or ``.gif``, selects the format.
            scale: Integer factor by which frames are enlarged, see `VideoWriter`.

        Raises:
            UsageError: The suffix is not supported, or the file cannot be written.
        """
        with VideoWriter(Path(path), fps=self.fps, scale=scale) as video:
            for frame in self.frames:
                video.write(frame)

    def _repr_html_(self) -> str:
        """Return the video as HTML; Jupyter calls this to show the object."""
        scale = math.ceil(NOTEBOOK_WIDTH / self.frames.shape[2])
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "video.mp4")
            self.save(file, scale=scale)
            content = base64.b64encode(file.read_bytes()).decode()
        return f'<video controls autoplay muted src="data:video/mp4;base64,{content}"></video>'


def record_episode(
    player: Player,
    *,
    every: int = 2,
    max_seconds: float | None = None,
    overlay: bool = False,
    noop_max: int = 30,
    epsilon: float = 0.0,
    seed: int = 0,
) -> Recording:
    """Play one episode and record it.

    A frame of an NES game takes 184 kB, or 1.2 MB with the overlay. With the default ``every``, a
    minute takes 330 MB, or 2.2 GB with the overlay.

    Args:
        player: Makes the environment and the agent, for example a `TrainedAgent`.
        every: Keep every n-th frame of the emulator, which plays 60 per second.
        max_seconds: Maximum duration in seconds of game time; None for the whole episode.
        overlay: Whether to show the agent's observations, action values and pressed buttons beside
            the game.
        noop_max: Maximum number of no-op frames at the start of the episode; the number is drawn.
        epsilon: Probability of a random action in each step.
        seed: Seed of the episode.

    Raises:
        UsageError: ``player`` is a path, ``every`` is less than 1, or ``max_seconds`` is not
            positive.
    """
    if isinstance(player, str | Path):
        raise UsageError(f"cannot play {str(player)!r}; give what mario.load_agent returns for it")
    require_at_least("every", every, 1)
    if max_seconds is not None:
        require_positive("max_seconds", max_seconds)
    panel = Overlay(OVERLAY_SCALE) if overlay else None
    max_frames = math.inf if max_seconds is None else max_seconds * FRAMES_PER_SECOND
    frames: list[Frame] = []
    count = 0

    def keep(frame: Frame) -> bool:
        """Store every n-th frame; return False at the maximum duration."""
        nonlocal count
        if count % every == 0:
            frames.append(panel.compose(frame) if panel else np.array(frame))
        count += 1
        return count < max_frames

    results = watch_episodes(
        player, keep, noop_max=noop_max, epsilon=epsilon, seed=seed,
        on_step=panel.update if panel else None,
    )  # fmt: skip
    result = next(results, None)
    return Recording(np.stack(frames), FRAMES_PER_SECOND / every, result)
