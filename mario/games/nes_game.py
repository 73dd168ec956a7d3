"""What every NES game has in common; a new game is a subclass with a handful of short methods."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, TypedDict

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from mario.emulators import Emulator, make_emulator
from mario.emulators.emulator import FRAMES_PER_SECOND, SCREEN_SHAPE
from mario.games.actions import ActionSet, action_masks, action_name

STALL_FRAMES = 2400
"""Frames without progress after which a game is cut short: 40 seconds."""

PATIENCE_FRAMES = 3000
"""Frames that a game may take over what is no play, before it counts as stuck: 50 seconds."""


class NesOptions(TypedDict, total=False):
    """What can be chosen for every NES game, see `NesGame`."""

    actions: ActionSet | None
    emulator: str | Emulator
    stall_frames: int | None
    render_mode: str | None


class NesGame(gym.Env[NDArray[np.uint8], int], ABC):
    """A game on a cartridge, played a frame at a time.

    What is seen is the screen, uint8 ``(240, 256, 3)``, RGB. ``info`` is what the game tells of
    itself, and always ``ending``: why it ended, ``"truncated"`` for being cut short as nothing
    went on, ``""`` while it goes on. ``reset`` takes the option ``noops``, the number of frames
    that go by with no button held before the first thing seen.

    A subclass reads and writes `ram`, and says what a step earned (`reward`), whether the game is
    over (`ending`) and what is known of it (`info`). Nothing random is left in the console: from
    its reset, a game is the same whenever the same buttons are held.

    Attributes:
        default_actions: the action set when none is chosen.
        reward_range: least and greatest reward of one frame; what is beyond is clipped.
        action_names: what people call each action, e.g. ``"right+A"``.
        emulator: the console.
        stuck: whether something was waited for that never came.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - declared so by Gymnasium
        "render_modes": ["rgb_array"],
        "render_fps": round(FRAMES_PER_SECOND),
    }
    default_actions: ClassVar[ActionSet] = "simple"
    reward_range: ClassVar[tuple[float, float]] = (-math.inf, math.inf)

    def __init__(
        self,
        *,
        rom: Path,
        actions: ActionSet | None = None,
        emulator: str | Emulator = "auto",
        stall_frames: int | None = STALL_FRAMES,
        render_mode: str | None = None,
    ) -> None:
        """Switch the console on and go to where play begins.

        Args:
            rom: an iNES ROM file.
            actions: an action set, see `mario.games.actions`; None for the game's own.
            emulator: name of an emulator, or one that is switched on already.
            stall_frames: frames without `progress` after which the game is cut short, None for
                never.
            render_mode: ``"rgb_array"`` for `render` to return the screen, or None.

        Raises:
            UsageError: there is no such ROM, action set or emulator.
        """
        self._masks = action_masks(self.default_actions if actions is None else actions)
        self.action_names = tuple(action_name(mask) for mask in self._masks)
        self.action_space = gym.spaces.Discrete(len(self._masks))  # type: ignore[assignment]
        self.observation_space = gym.spaces.Box(0, 255, SCREEN_SHAPE, np.uint8)
        self.render_mode = render_mode
        self.emulator = make_emulator(rom, emulator) if isinstance(emulator, str) else emulator
        self.metadata = {**self.metadata, "emulator": self.emulator.name}
        self._stall_frames = stall_frames
        self._furthest, self._idle_frames = -math.inf, 0
        self._over = True
        self.stuck = False
        self.start()
        self.emulator.backup()

    @property
    def ram(self) -> memoryview:
        """The console's memory, see `Emulator.ram`."""
        return self.emulator.ram

    @abstractmethod
    def reward(self) -> float:
        """What the frame just played earned; called once a frame."""

    @abstractmethod
    def ending(self) -> str:
        """Why the game is over, ``""`` while it goes on."""

    @abstractmethod
    def info(self) -> dict[str, Any]:
        """What is known of the game now: a new dict."""

    def start(self) -> None:
        """Go from power-on to where play begins. Every episode starts there."""

    def began(self) -> None:
        """An episode begins: take note of where it starts."""

    def cut_scenes(self) -> None:
        """Let pass what is no play, after each frame that did not end the game."""

    def progress(self) -> float | None:
        """A number that grows as the game gets on, None if there is no telling."""
        return None

    def wait_while(self, going_on: Callable[[], bool], frame: Callable[[], None]) -> None:
        """Let frames pass that are no play.

        Args:
            going_on: whether there is still something to wait for.
            frame: lets one frame, or a few, pass.

        If it still goes on after `PATIENCE_FRAMES` rounds, the game is `stuck`, and is cut short.
        """
        for _ in range(PATIENCE_FRAMES):
            if not going_on():
                return
            frame()
        self.stuck = going_on()

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """See `gymnasium.Env.reset`.

        Args:
            seed: seeds what the game draws; most draw nothing.
            options: ``noops``, the number of frames to let pass first.
        """
        super().reset(seed=seed)
        info = self._begin()
        for _ in range((options or {}).get("noops", 0)):
            *_, info = self._frame(0)
            if self._over:
                info = self._begin()
        return self.emulator.screen(), info

    def step(self, action: int) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Play one frame, see `gymnasium.Env.step`.

        Args:
            action: which buttons to hold.

        Raises:
            ValueError: there is no such action.
            gymnasium.error.ResetNeeded: the game is over.
        """
        if not 0 <= action < len(self._masks):
            raise ValueError(f"action must be in 0 to {len(self._masks) - 1}, got {action}")
        if self._over:
            raise gym.error.ResetNeeded("the game is over or has not begun; call reset first")
        reward, terminated, truncated, info = self._frame(self._masks[action])
        return self.emulator.screen(), reward, terminated, truncated, info

    def render(self) -> NDArray[np.uint8] | None:
        """The screen, if the render mode is ``"rgb_array"``."""
        return self.emulator.screen() if self.render_mode == "rgb_array" else None

    def close(self) -> None:
        """Free the console."""
        self.emulator.close()

    def _begin(self) -> dict[str, Any]:
        self.emulator.restore()
        self._over = self.stuck = False
        self._furthest, self._idle_frames = -math.inf, 0
        self.began()
        return self.info() | {"ending": ""}

    def _frame(self, buttons: int) -> tuple[float, bool, bool, dict[str, Any]]:
        self.emulator.advance(buttons)
        low, high = self.reward_range
        reward = float(min(max(self.reward(), low), high))
        reason, info = self.ending(), self.info()
        terminated = bool(reason)
        truncated = not terminated and (self.stuck or self._stalled())
        if not (terminated or truncated):
            self.cut_scenes()
        info["ending"] = "truncated" if truncated else reason
        self._over = terminated or truncated
        return reward, terminated, truncated, info

    def _stalled(self) -> bool:
        """Whether too many frames went by without progress."""
        progress = self.progress()
        if progress is None or self._stall_frames is None:
            return False
        self._idle_frames += 1
        if progress > self._furthest:
            self._furthest, self._idle_frames = progress, 0
        return self._idle_frames >= self._stall_frames
