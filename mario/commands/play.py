"""`mario-play`: watch a trained agent play, or film it."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from mario.commands import cli

if TYPE_CHECKING:
    from mario.show import Frame, Sink
    from mario.video import VideoWriter

NAME = "mario-play"
DESCRIPTION = (
    """Watch a trained agent play. Where there is no display, a video is written instead."""
)


@dataclass(frozen=True)
class PlayFlags:
    """What to watch."""

    checkpoint: Annotated[Path, tyro.conf.Positional]
    """The trained agent: a .chkpt file, of ours or of the tutorial's."""
    episodes: int = 1
    """Episodes to play."""
    record: Path | None = None
    """Film it: OUT.mp4 or OUT.gif."""
    game: str | None = None
    """Play this game in place of the one that the agent was trained on."""
    agent: str | None = None
    """module:Class of the agent, if it is one of your own."""
    epsilon: float = 0.0
    """Share of the actions that are random."""
    noops: int = 0
    """Each episode starts with 0 to this many frames without a button, drawn at random."""
    emulator: str = "auto"
    """Emulator behind NES games: auto, native or nes-py."""
    seed: int = 0
    """Seed of the random starts and actions."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``mario-play``."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    cli.run(NAME, lambda: play(given))


def play(arguments: Sequence[str]) -> int:
    """Play as the flags say.

    Returns:
        The exit code: 0, or 130 / 143 after a signal; what was filmed until then is kept.
    """
    flags = cli.parse(NAME, PlayFlags, arguments, DESCRIPTION)
    from mario.build import make_env, parse_actions
    from mario.config import at_least
    from mario.errors import UsageError
    from mario.show import Closed, FrameTap, watch_episode
    from mario.signals import StopSignals
    from mario.trained import open_trained

    for name, least in (("episodes", 1), ("noops", 0), ("seed", 0)):
        at_least(f"--{name}", getattr(flags, name), least)
    if not 0 <= flags.epsilon <= 1:
        raise UsageError(f"--epsilon must lie between 0 and 1, got {flags.epsilon}")
    trained = open_trained(flags.checkpoint, game=flags.game, agent=flags.agent)
    with ExitStack() as stack, StopSignals() as stop:
        sinks = [lambda frame: not stop, *_open_sinks(flags, trained.game, stack)]
        env = make_env(
            trained.game, parse_actions(trained.actions), flags.emulator,
            trained.wrappers.with_noops(flags.noops), inner=partial(FrameTap, sinks=sinks),
        )  # fmt: skip
        stack.callback(env.close)
        agent = trained.make_agent(env, seed=flags.seed)
        try:
            for episode in range(flags.episodes):
                played = watch_episode(agent, env, seed=flags.seed + episode, epsilon=flags.epsilon)
                place = "" if played.best_x is None else f" - Best X {played.best_x}"
                print(
                    f"Episode {episode + 1} - Reward {played.reward:.0f} - "
                    f"Length {played.length}{place} - Ended by {played.ended_by}"
                )
        except Closed:
            pass
        return stop.exit_code


def _film(writer: VideoWriter) -> Sink:
    def film(frame: Frame) -> bool:
        """Take a frame; a film never ends by itself."""
        writer.write(frame)
        return True

    return film


def _open_sinks(flags: PlayFlags, game: str, stack: ExitStack) -> list[Sink]:
    """The video that was asked for, and the window where there is a display."""
    from mario.video import VideoWriter
    from mario.window import Window, has_display

    record = flags.record
    sinks: list[Sink] = []
    if record is None and not has_display():
        record = Path(f"{flags.checkpoint.stem}.mp4")
        print(f"there is no display: writing {record} instead")
    if record is not None:
        sinks.append(_film(stack.enter_context(VideoWriter(record))))
    else:
        window = Window(f"{flags.checkpoint.name} plays {game}")
        stack.callback(window.close)
        sinks.append(window.show)
    return sinks
