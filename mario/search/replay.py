"""Replays demonstrations from power-on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mario.errors import UsageError
from mario.games.nes_game import NesGame
from mario.search.backend import make_nes_game
from mario.search.demonstration import Demonstration

Frame = NDArray[np.uint8]


@dataclass(frozen=True)
class Replay:
    """What happened in a replay.

    Attributes:
        ending: How the episode ended; ``""`` if it was still running after the last step.
        steps: Number of steps played.
        reward: Sum of the game's rewards.
        info: ``info`` of the last frame.
    """

    ending: str
    steps: int
    reward: float
    info: dict[str, Any]


def replay(
    demonstration: Demonstration,
    *,
    emulator: str = "auto",
    game: str | None = None,
    on_frame: Callable[[Frame], bool] | None = None,
) -> Replay:
    """Switch a console on, start the game and play the buttons of a demonstration.

    Args:
        demonstration: The play.
        emulator: Name of an emulator.
        game: Id of the game that the user named; None for the one in the demonstration, which must
            then be built in, because a file alone must not decide which code is run.
        on_frame: Receives each frame, RGB uint8 ``(240, 256, 3)``; returns False to stop.

    Raises:
        UsageError: The game is unknown, has another ROM, or is in a module that the user did not
            name.
    """
    if game is None and ":" in demonstration.game:
        raise UsageError(
            f"the demonstration plays {demonstration.game!r}, which imports a module; "
            f"add --game {demonstration.game} if you trust it"
        )
    with closing(make_nes_game(game or demonstration.game, emulator)) as console:
        _check_rom(demonstration, console)
        return _play(demonstration, console, on_frame or (lambda frame: True))


def verify(demonstration: Demonstration, path: Path | str, emulator: str = "auto") -> Replay:
    """Replay a demonstration and check that it ends as it says.

    Args:
        demonstration: The play.
        path: Its file, for the error message.
        emulator: Name of an emulator.

    Raises:
        UsageError: It ends in another way, or after fewer steps.
    """
    result = replay(demonstration, emulator=emulator)
    if (result.ending, result.steps) != (demonstration.ending, len(demonstration.play)):
        raise UsageError(
            f"demonstration {path} ends with {result.ending!r} after {result.steps} steps on "
            f"{emulator}, not with {demonstration.ending!r} after {len(demonstration.play)}"
        )
    return result


def _check_rom(demonstration: Demonstration, console: NesGame) -> None:
    if console.rom_sha256 != demonstration.rom_sha256:
        raise UsageError(
            f"the demonstration was made with the ROM {demonstration.rom_sha256[:12]}..., but "
            f"{demonstration.game} has {console.rom_sha256[:12]}...; use the same ROM"
        )


def _play(
    demonstration: Demonstration, console: NesGame, on_frame: Callable[[Frame], bool]
) -> Replay:
    screen, info = console.reset(seed=demonstration.seed, options={"noops": demonstration.noops})
    total, goes_on = 0.0, on_frame(screen)
    for step, buttons in enumerate(demonstration.play, start=1):
        for _ in range(demonstration.skip):
            reward, _, _, info = console.play_frame(buttons)
            total += reward
            goes_on = on_frame(console.emulator.screen())
            if info["ending"] or not goes_on:
                return Replay(info["ending"], step, total, info)
    return Replay("", len(demonstration.play), total, info)
