"""Films an agent beside what it sees: python scripts/draw_clip.py docs/clip.gif."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import tyro

from mario.emulators.emulator import FRAMES_PER_SECOND
from mario.playback.overlay import Overlay
from mario.playback.video import VideoWriter
from mario.playback.watch import Frame, FrameObserver, StopPlayback, watch_episode
from mario.runs.trained_agent import load_agent


@dataclass(frozen=True)
class ClipFlags:
    """What to film."""

    out: Annotated[Path, tyro.conf.Positional]
    """The clip: .gif or .mp4."""
    checkpoint: Path = Path("checkpoints/mario-1-1.chkpt")
    """The agent."""
    scale: int = 2
    """How many times wider and higher than itself the game is shown."""
    every: int = 6
    """Frames of the game to one of the clip: 6 makes 10 a second."""
    seconds: float = 30.0
    """The clip ends with the episode, or after this long."""
    noops: int = 30
    """The episode starts with 0 to this many frames without a button."""
    seed: int = 0
    """Seed of the random start."""


class Camera:
    """Films every ``every``-th frame, with the overlay beside it."""

    def __init__(self, writer: VideoWriter, overlay: Overlay, flags: ClipFlags) -> None:
        self._writer, self._overlay = writer, overlay
        self._every, self._last = flags.every, flags.seconds * FRAMES_PER_SECOND
        self._seen = 0

    def __call__(self, frame: Frame) -> bool:
        """Take a frame; False when there are enough."""
        if self._seen % self._every == 0:
            self._writer.write(self._overlay.compose(frame))
        self._seen += 1
        return self._seen < self._last


def film(flags: ClipFlags) -> None:
    """Film one greedy episode."""
    trained = load_agent(flags.checkpoint)
    overlay = Overlay(flags.scale)
    with VideoWriter(flags.out, fps=FRAMES_PER_SECOND / flags.every, scale=1) as writer:
        camera = Camera(writer, overlay, flags)
        env = trained.make_env(
            "auto", noops=flags.noops, inner=partial(FrameObserver, callbacks=[camera])
        )
        agent = trained.make_agent(env, seed=flags.seed)
        with closing(env), suppress(StopPlayback):
            watch_episode(agent, env, seed=flags.seed, on_step=overlay.update)


if __name__ == "__main__":
    film(tyro.cli(ClipFlags, description=__doc__))
