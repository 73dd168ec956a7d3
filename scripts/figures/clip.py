"""Record an agent with its overlay: python scripts/figures/clip.py docs/clip.gif."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from mario.emulators.emulator import FRAMES_PER_SECOND
from mario.playback.overlay import Overlay
from mario.playback.video import VideoWriter
from mario.playback.watch import Frame, watch_episodes
from mario.runs.trained_agent import load_agent


@dataclass(frozen=True)
class ClipFlags:
    """Flags of the script."""

    out: Annotated[Path, tyro.conf.Positional]
    """Clip to write: .gif or .mp4."""
    checkpoint: Path = Path("checkpoints/mario-1-1.chkpt")
    """Agent that plays."""
    scale: int = 2
    """Factor by which the game is enlarged."""
    every: int = 6
    """Record every n-th frame of the game; 6 makes 10 frames per second."""
    seconds: float = 30.0
    """Maximum duration; the clip ends with the episode otherwise."""
    noop_max: int = 30
    """Maximum number of no-op frames at the start of the episode; the number is random."""
    seed: int = 0
    """Seed of the random start."""


class ClipRecorder:
    """A frame callback that records every n-th frame with the overlay."""

    def __init__(self, video: VideoWriter, overlay: Overlay, flags: ClipFlags) -> None:
        self._video, self._overlay, self._every = video, overlay, flags.every
        self._max_frames = flags.seconds * FRAMES_PER_SECOND
        self._num_frames = 0

    def __call__(self, frame: Frame) -> bool:
        """Receive a frame; return False at the maximum duration."""
        if self._num_frames % self._every == 0:
            self._video.write(self._overlay.compose(frame))
        self._num_frames += 1
        return self._num_frames < self._max_frames


def record_clip(flags: ClipFlags) -> None:
    """Record one greedy episode."""
    trained = load_agent(flags.checkpoint)
    overlay = Overlay(flags.scale)
    with VideoWriter(flags.out, fps=FRAMES_PER_SECOND / flags.every, scale=1) as video:
        recorder = ClipRecorder(video, overlay, flags)
        for _ in watch_episodes(
            trained, recorder, noop_max=flags.noop_max, seed=flags.seed, on_step=overlay.update
        ):
            pass


if __name__ == "__main__":
    record_clip(tyro.cli(ClipFlags, description=__doc__))
