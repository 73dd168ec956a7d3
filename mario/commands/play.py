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
    from mario.playback.experts import ExpertTeam
    from mario.playback.overlay import Overlay
    from mario.playback.video import VideoWriter
    from mario.playback.watch import Frame, Sink
    from mario.runs.trained_agent import TrainedAgent

NAME = "mario-play"
DESCRIPTION = (
    """Watch a trained agent play. Where there is no display, a video is written instead."""
)


@dataclass(frozen=True)
class PlayFlags:
    """What to watch."""

    checkpoints: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """The trained agent: a .chkpt file, of ours or of the tutorial's. Several, each trained on
    another level, play the whole game: each plays its level."""
    episodes: int = 1
    """Episodes to play."""
    record: Path | None = None
    """Film it: OUT.mp4 or OUT.gif."""
    overlay: bool = False
    """Show beside the game what the agent sees, what it makes of each action, and the pad."""
    game: str | None = None
    """Play this game in place of the one that the agent was trained on."""
    agent: str | None = None
    """module:Class of the agent, if it is one of your own."""
    epsilon: float = 0.0
    """Share of the actions that are random."""
    noops: int = 30
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
    from mario.config.run_config import at_least, between_0_and_1
    from mario.playback.watch import Closed, FrameTap, watch_episode
    from mario.system.signals import StopSignals

    for name, least in (("episodes", 1), ("noops", 0), ("seed", 0)):
        at_least(f"--{name}", getattr(flags, name), least)
    between_0_and_1("--epsilon", flags.epsilon)
    player = _open_player(flags)
    with ExitStack() as stack, StopSignals() as stop:
        sink, overlay = _open_show(flags, player.game, stack)
        sinks = [lambda frame: not stop, sink]
        env = player.make_env(
            flags.emulator, noops=flags.noops, inner=partial(FrameTap, sinks=sinks)
        )
        stack.callback(env.close)
        agent = player.make_agent(env, seed=flags.seed)
        try:
            for episode in range(flags.episodes):
                played = watch_episode(
                    agent, env, seed=flags.seed + episode, epsilon=flags.epsilon,
                    on_decision=overlay.follow if overlay else None,
                )  # fmt: skip
                place = "" if played.best_x is None else f" - Best X {played.best_x}"
                print(
                    f"Episode {episode + 1} - Reward {played.reward:.0f} - "
                    f"Length {played.length}{place} - Ended by {played.ending}"
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


def _open_player(flags: PlayFlags) -> TrainedAgent | ExpertTeam:
    """The agent that was asked for, or several as one."""
    from mario.errors import UsageError
    from mario.playback.experts import open_team
    from mario.runs.trained_agent import open_agent

    if not flags.checkpoints:
        raise UsageError(f"give the path of a .chkpt file; see {NAME} --help")
    if len(flags.checkpoints) == 1:
        return open_agent(flags.checkpoints[0], game=flags.game, agent=flags.agent)
    return open_team(flags.checkpoints, game=flags.game, agent=flags.agent)


def _open_show(flags: PlayFlags, game: str, stack: ExitStack) -> tuple[Sink, Overlay | None]:
    """The video that was asked for, or the window where there is a display; and the overlay."""
    from mario.playback.overlay import Overlay
    from mario.playback.video import VideoWriter, default_scale
    from mario.playback.window import SCALE, Window, has_display

    record, first = flags.record, flags.checkpoints[0]
    if record is None and not has_display():
        record = Path(f"{first.stem}.mp4")
        print(f"there is no display: writing {record} instead")
    scale = SCALE if record is None else default_scale(record)
    overlay = Overlay(scale) if flags.overlay else None
    left = 1 if overlay else scale  # for an overlay enlarges the game itself
    if record is not None:
        sink = _film(stack.enter_context(VideoWriter(record, scale=left)))
    else:
        window = Window(f"{first.name} plays {game}", left)
        stack.callback(window.close)
        sink = window.show
    return (lambda frame: sink(overlay.compose(frame))) if overlay else sink, overlay
