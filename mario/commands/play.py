"""`mario-play`: watch a trained agent or a demonstration, or record a video of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from mario.commands import cli
from mario.commands.recording_report import RecordingReport
from mario.config.agent_names import check_agent
from mario.config.env_config import NOOP_LIMIT, Device, EmulatorName
from mario.config.validation import (
    require_at_least,
    require_at_most,
    require_positive,
    require_probability,
)
from mario.emulators.emulator import FRAMES_PER_SECOND
from mario.errors import UsageError
from mario.games.registry import find_game
from mario.runs.file_kind import check_is_archive
from mario.system.announce import announced
from mario.system.signals import StopSignals

if TYPE_CHECKING:
    from mario.evaluation.episodes import EpisodeResult
    from mario.playback.level_experts import LevelExperts
    from mario.playback.overlay import Overlay
    from mario.playback.watch import Frame, FrameCallback
    from mario.runs.trained_agent import TrainedAgent

NAME = "mario-play"
DESCRIPTION = """Watch a trained agent play, or a demonstration that mario-search found.

Without a display, record a video instead.
"""
DEMONSTRATIONS = (".demo", ".fm2")


@dataclass(frozen=True)
class PlayFlags:
    """The flags of ``mario-play``."""

    checkpoints: Annotated[
        tuple[Path, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="CHECKPOINT [CHECKPOINT ...]", help_behavior_hint="(required)"),
    ]
    """Trained agent: a .chkpt file of this program or of the PyTorch tutorial. Several files, each
    trained on a different level, play the full game together: each agent plays its own level. Or
    a demonstration: a .demo file of mario-search, or an .fm2 movie of FCEUX and --game."""
    episodes: int = 1
    """Number of episodes to play."""
    max_seconds: float | None = None
    """Stop after this many seconds of game time in all episodes together. None to play all
    episodes to their end."""
    record: Path | None = None
    """Record a video: OUT.mp4 or OUT.gif."""
    overlay: bool = False
    """Show the agent's observations, action values and pressed buttons beside the game."""
    game: str | None = None
    """Game to play instead of the one the agent was trained on."""
    agent: str | None = None
    """module:Class of the agent, for an agent that is not part of this program."""
    epsilon: float = 0.0
    """Probability of a random action in each step."""
    noop_max: int = 30
    """Maximum number of no-op frames at the start of an episode; the number is drawn at random."""
    repeat_action_probability: float = 0.0
    """Probability, in each frame, of repeating the previous frame's action (sticky actions)."""
    policy: Literal["greedy", "sampled"] | None = None
    """Take the most probable action, or draw one from the probabilities of ppo or reinforce. None
    for the setting of the agent."""
    device: Device = "cpu"
    """Device of the network; auto uses a GPU if there is one. On the CPU, results do not depend on
    the hardware."""
    emulator: EmulatorName = "auto"
    """Emulator of NES games; auto prefers the native one."""
    seed: int = 0
    """Seed of the random starts and actions."""

    def __post_init__(self) -> None:
        require_at_least("--episodes", self.episodes, 1)
        require_at_least("--noop-max", self.noop_max, 0)
        require_at_least("--seed", self.seed, 0)
        require_at_most("--episodes", self.episodes, 1_000_000, "it would never end")
        require_at_most("--noop-max", self.noop_max, *NOOP_LIMIT)
        require_at_most("--seed", self.seed, 2**62, "random generators have 64-bit seeds")
        if self.max_seconds is not None:
            require_positive("--max-seconds", self.max_seconds)
        require_probability("--epsilon", self.epsilon)
        require_probability("--repeat-action-probability", self.repeat_action_probability)


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``mario-play``."""
    cli.start(NAME, play, arguments)


def play(arguments: Sequence[str]) -> int:
    """Play episodes as the command line specifies.

    Args:
        arguments: the command line without the name of the command.

    Returns:
        The exit code: 0, or 130 / 143 after a signal. The video up to the signal is kept.
    """
    flags = cli.parse(NAME, PlayFlags, arguments, DESCRIPTION)
    if flags.game is not None:
        find_game(flags.game)  # before the slow imports, as the other checks
    if flags.agent is not None:
        check_agent(flags.agent)
    if not flags.checkpoints:
        raise UsageError(f"give the path of a .chkpt file; see {NAME} --help")
    if len(flags.checkpoints) == 1 and flags.checkpoints[0].suffix in DEMONSTRATIONS:
        return _play_demonstration(flags, flags.checkpoints[0])
    for path in flags.checkpoints:
        check_is_archive(path)
    with announced(cli.LOADING):
        # Imported here, because worker processes import the main module and must not import torch.
        from mario.playback.watch import watch_episodes

    player = _open_player(flags)
    with ExitStack() as stack, StopSignals() as stop:
        show_frame, overlay = _open_output(flags, player.game, stack)
        results = watch_episodes(
            player, _until_stopped(show_frame, stop, flags.max_seconds), episodes=flags.episodes,
            noop_max=flags.noop_max, epsilon=flags.epsilon, seed=flags.seed,
            emulator=flags.emulator, on_step=overlay.update if overlay else None,
        )  # fmt: skip
        played = 0
        for played, result in enumerate(results, start=1):
            print(_summary(played, result))
        if played < flags.episodes:
            print(f"Episode {played + 1} was not played to its end")
        return stop.exit_code


def _play_demonstration(flags: PlayFlags, path: Path) -> int:
    """Replay a demonstration; return the exit code."""
    from mario.search.demonstration import load
    from mario.search.fm2 import SUFFIX, load_movie
    from mario.search.replay import replay

    if flags.overlay:
        raise UsageError(f"--overlay shows an agent, and {path} is a demonstration; leave it out")
    demonstration = load_movie(path, flags.game) if path.suffix == SUFFIX else load(path)
    with ExitStack() as stack, StopSignals() as stop:
        show_frame, _ = _open_output(flags, demonstration.game, stack)
        result = replay(
            demonstration, emulator=flags.emulator, game=flags.game,
            on_frame=_until_stopped(show_frame, stop, flags.max_seconds),
        )  # fmt: skip
        is_whole = result.steps == len(demonstration.play)
        ending = result.ending or ("the end of the demonstration" if is_whole else "a stop")
        print(
            f"{path.name} - Reward {result.reward:.0f} - Length {result.steps} - Ended by {ending}"
        )
        return stop.exit_code


def _until_stopped(
    show_frame: FrameCallback, stop: StopSignals, max_seconds: float | None
) -> FrameCallback:
    """Return a callback that ends the playback after a signal or a duration of game time."""
    max_frames = math.inf if max_seconds is None else max_seconds * FRAMES_PER_SECOND
    frames = itertools.count(1)
    return lambda frame: not stop and show_frame(frame) and next(frames) < max_frames


def _summary(number: int, result: EpisodeResult) -> str:
    best_x = "" if result.best_x is None else f" - Best X {result.best_x}"
    return (
        f"Episode {number} - Reward {result.reward:.0f} - Length {result.length}{best_x}"
        f" - Ended by {result.ending}"
    )


def _open_player(flags: PlayFlags) -> TrainedAgent | LevelExperts:
    """Open the checkpoint, or several checkpoints as one player."""
    from mario.playback.level_experts import open_experts
    from mario.runs.trained_agent import load_agent

    if len(flags.checkpoints) == 1:
        player: TrainedAgent | LevelExperts = load_agent(
            flags.checkpoints[0], game=flags.game, agent=flags.agent, device=flags.device
        )
    else:
        player = open_experts(
            flags.checkpoints, game=flags.game, agent=flags.agent, device=flags.device
        )
    return player.with_options(flags.repeat_action_probability, flags.policy)


def _open_output(
    flags: PlayFlags, game: str, stack: ExitStack
) -> tuple[FrameCallback, Overlay | None]:
    """Open a video, with ``--record`` or without a display, or else a window; make the overlay.

    Returns:
        A function that shows or records a frame, and the overlay or None without ``--overlay``.
    """
    from mario.playback.overlay import Overlay
    from mario.playback.video import VideoWriter, default_scale
    from mario.playback.window import DEFAULT_SCALE, Window, has_display

    record, checkpoint = flags.record, flags.checkpoints[0]
    if record is None and not has_display():
        record = Path(f"{checkpoint.stem}.mp4")
        print(f"there is no display: recording {record} instead")
    scale = DEFAULT_SCALE if record is None else default_scale(record)
    overlay = Overlay(scale) if flags.overlay else None
    output_scale = 1 if overlay else scale  # the overlay enlarges the game itself
    if record is None:
        window = Window(f"{checkpoint.name} plays {game}", output_scale)
        stack.callback(window.close)
        show_frame = window.show
    else:
        report = stack.enter_context(RecordingReport(record))  # leaves after the video is closed
        video = stack.enter_context(VideoWriter(record, scale=output_scale))

        def show_frame(frame: Frame) -> bool:
            """Record a frame; a recording never stops the playback."""
            video.write(frame)
            report.count()
            return True

    if overlay is None:
        return show_frame, None
    return (lambda frame: show_frame(overlay.compose(frame))), overlay
