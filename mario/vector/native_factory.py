"""Creates compiled environments of Super Mario Bros. from their configuration."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

import numpy as np

from mario.config.env_config import EnvConfig
from mario.emulators.native import MAPPERS
from mario.emulators.rom import check_rom
from mario.errors import UsageError
from mario.games import _native
from mario.games.actions import action_masks, parse_actions
from mario.games.nes_game import STALL_FRAMES
from mario.games.roms import mario_rom
from mario.games.smb_levels import level_location
from mario.games.super_mario_bros import SuperMarioBros
from wrappers.observation import GRAYSCALE_CONVERSIONS, marker_size

PALETTE = np.frombuffer(_native.PALETTE, np.uint8).reshape(1, -1, 3)
"""The colors of the console, RGB."""


class MarioOptions(TypedDict, total=False):
    """Options of the game, see `mario.games.super_mario_bros.SuperMarioBros`."""

    level: str | None
    look: str
    lost_levels: bool
    rom: Path | None
    stall_frames: int | None


def button_masks(config: EnvConfig) -> tuple[int, ...]:
    """Return the buttons of each action."""
    actions = parse_actions(config.actions)
    return action_masks(SuperMarioBros.default_actions if actions is None else actions)


def native_config(config: EnvConfig, options: MarioOptions) -> _native.EnvConfig:
    """Return the configuration of compiled environments.

    Args:
        config: The configuration of each environment.
        options: Options of the game.

    Raises:
        UsageError: The level, look, action set or ROM is unknown, or the ROM is not supported.
    """
    level, lost_levels = options.get("level"), options.get("lost_levels", False)
    rom = options.get("rom") or mario_rom(options.get("look", "vanilla"), lost_levels)
    check_rom(rom, MAPPERS.__contains__)
    masks, wrappers = button_masks(config), config.wrappers
    with invalid_values_as_usage_errors():
        return _native.EnvConfig(
            rom=rom.read_bytes(),
            level=None if level is None else level_location(level, lost_levels),
            stall_frames=options.get("stall_frames", STALL_FRAMES),
            button_masks=bytes(masks),
            skip=wrappers.skip,
            stack=wrappers.stack,
            size=wrappers.size,
            crop_top=wrappers.crop_top,
            gray_palette=GRAYSCALE_CONVERSIONS[wrappers.observation](PALETTE).tobytes(),
            action_marker_size=(
                marker_size(wrappers.size, len(masks)) if wrappers.show_action else 0
            ),
            repeat_action_probability=wrappers.repeat_action_probability,
            track_farthest=config.start_curriculum.farthest_probability > 0,
        )


@contextmanager
def invalid_values_as_usage_errors() -> Iterator[None]:
    """Turn the compiled code's errors about invalid values into usage errors."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from None
