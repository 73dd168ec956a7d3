"""The base class of NES games. A subclass that implements a few short methods adds a game."""

from __future__ import annotations

import copy
import hashlib
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, TypedDict

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mario.emulators import Emulator, make_emulator
from mario.emulators.emulator import FRAMES_PER_SECOND, SCREEN_SHAPE
from mario.errors import UsageError
from mario.games.actions import ActionSet, action_masks, action_name
from mario.games.endings import Ending

STALL_FRAMES = 2400
"""Frames without progress after which an episode is truncated: 40 seconds."""

MAX_WAIT_FRAMES = 3000
"""Maximum number of rounds of `advance_while`: 50 seconds if each round plays one frame."""


PLAIN_TYPES = (bool, int, float, str, bytes, tuple, list, dict, np.ndarray, np.random.Generator)
"""Types of the attributes that the state of a game includes."""


class GameState(NamedTuple):
    """A point of a game: the emulator's state, and the game's attributes of `PLAIN_TYPES`."""

    console: bytes
    fields: dict[str, Any]


class NesOptions(TypedDict, total=False):
    """Options of every NES game, see `NesGame`."""

    actions: ActionSet | None
    emulator: str | Emulator
    stall_frames: int | None
    render_mode: str | None


class NesGame(gym.Env[NDArray[np.uint8], int], ABC):
    """A game on an NES cartridge, one emulator frame per step.

    Observations are the screen, uint8 ``(240, 256, 3)``, RGB. ``info`` contains the values that
    `info` returns, and ``ending``: the `Ending` of the episode, or ``""`` before the end. ``reset``
    accepts the option ``noops``, the number of no-op frames to play before the first observation.

    A subclass reads and writes `ram` to implement `reward`, `ending` and `info`. The console has no
    source of randomness: after a reset, the same buttons lead to the same game.

    Attributes:
        default_actions: The action set if none is given.
        reward_range: Minimum and maximum reward of a frame; rewards are clipped to this range.
        action_names: Name of each action, for example ``"right+A"``.
        emulator: The console.
        is_stuck: Whether `advance_while` reached its limit. The episode is then truncated.
        reward_version: Name of the reward; another name is needed if the reward changes.
        search_actions: The action sets that a search tries, the smallest first; empty for
            `default_actions`.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - declared so by Gymnasium
        "render_modes": ["rgb_array"],
        "render_fps": round(FRAMES_PER_SECOND),
    }
    default_actions: ClassVar[ActionSet] = "simple"
    reward_range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)
    reward_version: ClassVar[str] = "1"
    search_actions: ClassVar[Sequence[ActionSet]] = ()

    def __init__(
        self,
        *,
        rom: Path | str,
        actions: ActionSet | None = None,
        emulator: str | Emulator = "auto",
        stall_frames: int | None = STALL_FRAMES,
        render_mode: str | None = None,
    ) -> None:
        """Switch the console on and start the game.

        Args:
            rom: An iNES ROM file.
            actions: An action set, see `mario.games.actions`; None for `default_actions`.
            emulator: Name of an emulator, or an emulator that is switched on.
            stall_frames: Frames without `progress` after which an episode is truncated, None for
                no limit.
            render_mode: ``"rgb_array"`` to let `render` return the screen, or None.

        Raises:
            UsageError: The ROM cannot be played, or the action set or the emulator is unknown.
        """
        self._masks = action_masks(self.default_actions if actions is None else actions)
        self.action_names = tuple(action_name(mask) for mask in self._masks)
        self.action_space = gym.spaces.Discrete(len(self._masks))  # type: ignore[assignment]
        self.observation_space = gym.spaces.Box(0, 255, SCREEN_SHAPE, np.uint8)
        self.render_mode = render_mode
        self.emulator = make_emulator(rom, emulator) if isinstance(emulator, str) else emulator
        self.metadata = {**self.metadata, "emulator": self.emulator.name}
        self._stall_frames, self._rom = stall_frames, Path(rom)
        self._best_progress, self._idle_frames = -math.inf, 0
        self._is_over = True
        self.is_stuck = False
        self.start_game()
        self.emulator.backup()

    @property
    def ram(self) -> memoryview:
        """The console's RAM, see `Emulator.ram`."""
        return self.emulator.ram

    @cached_property
    def rom_sha256(self) -> str:
        """SHA-256 of the ROM file, hexadecimal."""
        return hashlib.sha256(self._rom.read_bytes()).hexdigest()

    @abstractmethod
    def reward(self) -> float:
        """Return the reward of the last frame; called once per frame."""

    @abstractmethod
    def ending(self) -> Ending | None:
        """Return why the game is over, or None while it continues."""

    @abstractmethod
    def info(self) -> dict[str, Any]:
        """Return a new dictionary with the state of the game."""

    def start_game(self) -> None:
        """Play from power-on to the point where every episode starts, for example through menus."""

    def on_episode_start(self) -> None:
        """Reset what the subclass stores about the current episode."""

    def skip_cutscenes(self) -> None:
        """Play frames in which the player has no control.

        Called after every frame except the last one of an episode.
        """

    def progress(self) -> float | None:
        """Return a number that grows as the game progresses, or None if there is no such number."""
        return None

    def cell(self) -> Hashable:
        """Return what a search with save-states distinguishes: states with equal cells are similar.

        The default is the value of `progress`.

        Raises:
            UsageError: The game defines neither this method nor `progress`.
        """
        progress = self.progress()
        if progress is None:
            raise UsageError(f"{type(self).__name__} has no cells; define cell() or progress()")
        return progress

    def objective(self) -> float:
        """Return what a search maximizes until it reaches the goal; the default is `progress`."""
        return self.progress() or 0.0

    def save_state(self, *, screen: bool = True) -> GameState:
        """Return the state of the game, with the screen or without, see `Emulator.save_state`.

        A subclass with attributes of other types than `PLAIN_TYPES` must extend this method and
        `load_state`. Not every emulator supports them.
        """
        fields = {key: value for key, value in vars(self).items() if type(value) in PLAIN_TYPES}
        return GameState(self.emulator.save_state(screen), copy.deepcopy(fields))

    def load_state(self, state: GameState) -> None:
        """Return to a state that `save_state` of this game, or of one with the same options, gave.

        Raises:
            UsageError: The state belongs to another game.
        """
        self.emulator.load_state(state.console)
        vars(self).update(copy.deepcopy(state.fields))

    def play_frames(self, buttons: int, frames: int) -> str | None:
        """Hold a button mask for some frames; return the ending, or None if the episode goes on."""
        for _ in range(frames):
            *_, info = self.play_frame(buttons)
            if self._is_over:
                return str(info["ending"])
        return None

    def advance_while(self, condition: Callable[[], bool], advance: Callable[[], None]) -> None:
        """Play frames while a condition holds.

        If it still holds after `MAX_WAIT_FRAMES` rounds, the game counts as stuck and the episode
        is truncated.

        Args:
            condition: Returns whether to continue.
            advance: Plays one frame, or a few.
        """
        for _ in range(MAX_WAIT_FRAMES):
            if not condition():
                return
            advance()
        self.is_stuck = condition()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """See `gymnasium.Env.reset`.

        Args:
            seed: Seeds the random numbers of the game, if it uses any.
            options: ``noops``, the number of no-op frames to play first.
        """
        super().reset(seed=seed)
        info = self._start_episode()
        for _ in range((options or {}).get("noops", 0)):
            *_, info = self.play_frame(0)
            if self._is_over:
                info = self._start_episode()
        return self.emulator.screen(), info

    def step(self, action: int) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Play one frame, see `gymnasium.Env.step`.

        Args:
            action: Index of the action.

        Raises:
            ValueError: The action is not in the action space.
            gymnasium.error.ResetNeeded: The episode is over or has not started.
        """
        if not 0 <= action < len(self._masks):
            raise ValueError(f"action must be in 0 to {len(self._masks) - 1}, got {action}")
        if self._is_over:
            raise gym.error.ResetNeeded("the episode is over or has not started; call reset first")
        reward, terminated, truncated, info = self.play_frame(self._masks[action])
        return self.emulator.screen(), reward, terminated, truncated, info

    def render(self) -> NDArray[np.uint8] | None:
        """Return the screen if the render mode is ``"rgb_array"``."""
        return self.emulator.screen() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Free the console."""
        self.emulator.close()

    def _start_episode(self) -> dict[str, Any]:
        """Return to the point where episodes start, and return the info there."""
        self.emulator.restore()
        self._is_over = self.is_stuck = False
        self._best_progress, self._idle_frames = -math.inf, 0
        self.on_episode_start()
        return self.info() | {"ending": ""}

    def play_frame(self, buttons: int) -> tuple[float, bool, bool, dict[str, Any]]:
        """Play a frame with a button mask; return reward, terminated, truncated and info."""
        self.emulator.advance(buttons)
        low, high = self.reward_range
        reward = float(min(max(self.reward(), low), high))
        ending, info = self.ending(), self.info()
        terminated = ending is not None
        truncated = not terminated and (self.is_stuck or self._is_stalled())
        if truncated:
            ending = Ending.TRUNCATED
        self._is_over = ending is not None
        if not self._is_over:
            self.skip_cutscenes()
        info["ending"] = "" if ending is None else str(ending)
        return reward, terminated, truncated, info

    def _is_stalled(self) -> bool:
        """Count a frame, and return whether there has been no progress for too long."""
        progress = self.progress()
        if progress is None or self._stall_frames is None:
            return False
        self._idle_frames += 1
        if progress > self._best_progress:
            self._best_progress, self._idle_frames = progress, 0
        return self._idle_frames >= self._stall_frames
