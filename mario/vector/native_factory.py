"""What compiled environments of Super Mario Bros. exchange with Python: options and arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from mario.config.env_config import EnvConfig
from mario.emulators.native import MAPPERS
from mario.emulators.rom import check_rom
from mario.errors import UsageError
from mario.games import _native
from mario.games.actions import action_masks, parse_actions
from mario.games.nes_game import STALL_FRAMES
from mario.games.roms import mario_rom
from mario.games.smb_levels import level_location
from mario.games.starts.demonstration_starts import Demonstration
from mario.games.super_mario_bros import SuperMarioBros
from wrappers.observation import GRAYSCALE_CONVERSIONS, marker_size

PALETTE = np.frombuffer(_native.PALETTE, np.uint8).reshape(1, -1, 3)
"""The colors of the console, RGB."""


class MarioOptions(TypedDict, total=False):
    """Options of the game, see `mario.games.super_mario_bros.SuperMarioBros`."""

    level: str | None
    look: str
    lost_levels: bool
    rom: Path | str | None
    stall_frames: int | None


def button_masks(config: EnvConfig) -> tuple[int, ...]:
    """Return the buttons of each action."""
    actions = parse_actions(config.actions)
    return action_masks(SuperMarioBros.default_actions if actions is None else actions)


def native_config(
    config: EnvConfig, options: MarioOptions, demonstrations: Sequence[Demonstration] = ()
) -> _native.EnvConfig:
    """Return the configuration of compiled environments.

    Args:
        config: The configuration of each environment.
        options: Options of the game.
        demonstrations: Plays on which episodes can start; each of their steps has a save-state.

    Raises:
        UsageError: The level, look, action set or ROM is unknown, the ROM is not supported, or the
            game ends before a demonstration does.
    """
    level, lost_levels = options.get("level"), options.get("lost_levels", False)
    rom = Path(options.get("rom") or mario_rom(options.get("look", "vanilla"), lost_levels))
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
            demonstrations=[
                (each.noops, bytes(masks[action] for action in each.actions))
                for each in demonstrations
            ],
            demonstration_max_steps=config.start_curriculum.demonstration_max_steps,
        )


@contextmanager
def invalid_values_as_usage_errors() -> Iterator[None]:
    """Turn the compiled code's errors about invalid values into usage errors."""
    try:
        yield
    except ValueError as error:
        raise UsageError(str(error)) from None


class StepBuffers(NamedTuple):
    """Inputs and outputs of one step, in the order of the compiled code.

    ``noops``, ``seeds``, ``steps_before_loss``, ``demonstrations`` and ``positions`` describe how
    the next episodes start. A demonstration of -1 stands for the beginning of the game.
    """

    actions: NDArray[np.int64]
    noops: NDArray[np.int64]
    seeds: NDArray[np.uint64]
    steps_before_loss: NDArray[np.int64]
    demonstrations: NDArray[np.int64]
    positions: NDArray[np.int64]
    observations: NDArray[np.uint8]
    rewards: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    info: NDArray[np.int64]


class FinalBuffers(NamedTuple):
    """The last step of the episodes that ended; entries of other environments are unchanged."""

    observations: NDArray[np.uint8]
    info: NDArray[np.int64]
    endings: NDArray[np.int64]
    returns: NDArray[np.float64]
    lengths: NDArray[np.int64]

    @classmethod
    def create(cls, observations: NDArray[np.uint8], info: NDArray[np.int64]) -> Self:
        """Create buffers around arrays for observations and infos."""
        num_envs = len(observations)
        endings, lengths = np.zeros((2, num_envs), np.int64)
        return cls(observations, info, endings, np.zeros(num_envs), lengths)
