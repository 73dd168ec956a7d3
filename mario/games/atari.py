"""Games of the Atari 2600, played by the Arcade Learning Environment, one at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import ale_py
import gymnasium as gym
import numpy as np
from ale_py import roms
from numpy.typing import NDArray

from mario.errors import UsageError, unknown
from mario.games.actions import Actions

BUTTONS = ("up", "down", "left", "right", "fire")
"""The directions of the joystick and its button, in the order in which ALE names them."""

NOOP, FIRE = 0, 1
"""ALE's numbers of two of its actions."""

FRAMES_PER_SECOND = 60
MAX_FRAMES = 108_000
"""Frames after which a game is cut short: half an hour, as everybody does."""

SCREEN_SHAPE = (210, 160, 3)

ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # no banner


def joystick_actions(actions: Actions | None, minimal: Sequence[int]) -> tuple[int, ...]:
    """ALE's numbers of the actions of a set.

    Args:
        actions: ``"minimal"``, ``"full"``, or for each action what is held: `BUTTONS`, none of them
            or ``"NOOP"`` for nothing; None for the minimal set.
        minimal: ALE's numbers of the actions that do something in the game.

    Raises:
        UsageError: there is no such set or action.

    >>> joystick_actions([["right"], ["fire", "up"]], minimal=[])
    (3, 10)
    >>> joystick_actions("tutorial", minimal=[])
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: unknown action set 'tutorial'; did you mean 'full' or 'minimal'?
    """
    if actions is None or actions == "minimal":
        return tuple(minimal)
    if actions == "full":
        return tuple(range(len(ale_py.Action.__members__)))
    if isinstance(actions, str):
        raise unknown("action set", actions, ("full", "minimal"))
    if not actions:
        raise UsageError(f"an action set needs at least one action, got {actions!r}")
    return tuple(_action(held) for held in actions)


def rom_path(game: str) -> Path:
    """The ROM file of a game, which comes with ale-py.

    Args:
        game: its name, e.g. ``"space_invaders"``.

    Raises:
        UsageError: there is no such game.

    >>> rom_path("Pong")
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: unknown Atari game 'Pong'; did you mean 'pong' or 'boxing'?
    """
    if game not in roms.get_all_rom_ids():
        raise unknown("Atari game", game, roms.get_all_rom_ids())
    return Path(str(roms.get_rom_path(game)))


def ale_seed(seed: int) -> int:
    """A seed as ALE takes it: 31 bits.

    >>> ale_seed(2**31 + 5)
    5
    """
    return seed & 0x7FFFFFFF


class Atari(gym.Env[NDArray[np.uint8], int]):
    """A game of the Atari 2600, played a frame at a time.

    What is seen is the screen, uint8 ``(210, 160, 3)``, RGB. ``info`` has ``lives``, and
    ``ending``: ``"game over"``, ``"truncated"`` after `MAX_FRAMES`, ``""`` while it goes on.
    ``reset`` takes the option ``noops``, the number of frames that go by first. From a seeded
    reset, a game is the same whenever the same is done.

    Attributes:
        joystick: ALE's number of each action.
        action_names: its name.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - declared so by Gymnasium
        "render_modes": ["rgb_array"],
        "render_fps": FRAMES_PER_SECOND,
        "emulator": "ale",
    }

    def __init__(
        self,
        game: str,
        *,
        sticky: float = 0.0,
        actions: Actions | None = None,
        render_mode: str | None = None,
    ) -> None:
        """Put the cartridge in.

        Args:
            game: name of its ROM, e.g. ``"space_invaders"``.
            sticky: probability that a frame's action is that of the frame before.
            actions: an action set, see `joystick_actions`.
            render_mode: ``"rgb_array"`` for `render` to return the screen, or None.

        Raises:
            UsageError: there is no such action set.
        """
        self._ale = ale_py.ALEInterface()
        self._ale.setFloat("repeat_action_probability", sticky)
        self._ale.setInt("max_num_frames_per_episode", MAX_FRAMES)
        self._rom = rom_path(game)
        self._ale.loadROM(self._rom)
        minimal = [action.value for action in self._ale.getMinimalActionSet()]
        self.joystick = joystick_actions(actions, minimal)
        self.action_names = tuple(ale_py.Action(each).name for each in self.joystick)
        self.action_space = gym.spaces.Discrete(len(self.joystick))  # type: ignore[assignment]
        shape = (*self._ale.getScreenDims(), 3)
        self.observation_space = gym.spaces.Box(0, 255, shape, np.uint8)
        self.render_mode = render_mode

    @property
    def fire(self) -> int:
        """The action that is the fire button alone.

        Raises:
            UsageError: there is none in the action set.
        """
        return fire_of(self.joystick)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """See `gymnasium.Env.reset`.

        Args:
            seed: seeds the console's memory at power-on and the sticky actions.
            options: ``noops``, the number of frames to let pass first.
        """
        super().reset(seed=seed)
        if seed is not None:
            self._ale.setInt("random_seed", ale_seed(seed))
            self._ale.loadROM(self._rom)
        self._ale.reset_game()
        for _ in range((options or {}).get("noops", 0)):
            self._ale.act(NOOP)
            if self._ale.game_over():
                self._ale.reset_game()
        return self._ale.getScreenRGB(), self._info("")

    def step(self, action: int) -> tuple[NDArray[np.uint8], float, bool, bool, dict[str, Any]]:
        """Play one frame, see `gymnasium.Env.step`."""
        reward = float(self._ale.act(self.joystick[action]))
        terminated = self._ale.game_over(with_truncation=False)
        truncated = self._ale.game_truncated() and not terminated
        info = self._info(ending(terminated, truncated))
        return self._ale.getScreenRGB(), reward, terminated, truncated, info

    def render(self) -> NDArray[np.uint8] | None:
        """The screen, if the render mode is ``"rgb_array"``."""
        return self._ale.getScreenRGB() if self.render_mode == "rgb_array" else None

    def _info(self, ending: str) -> dict[str, Any]:
        return {"lives": self._ale.lives(), "ending": ending}


def ending(terminated: bool, truncated: bool) -> str:
    """Why a game is over, ``""`` while it goes on."""
    return "game over" if terminated else "truncated" if truncated else ""


def fire_of(actions: Sequence[int]) -> int:
    """Which of the actions is the fire button alone.

    Args:
        actions: ALE's numbers.

    Raises:
        UsageError: none is.
    """
    if FIRE not in actions:
        raise UsageError(
            "no action of this game is the fire button; leave --wrappers.fire-reset out"
        )
    return actions.index(FIRE)


def _action(held: Sequence[str]) -> int:
    """ALE's number of what holds down all that is named."""
    names = {each.lower() for each in held} - {"noop"}
    for name in names.difference(BUTTONS):
        raise unknown("button", name, (*BUTTONS, "NOOP"))
    name = "".join(button.upper() for button in BUTTONS if button in names) or "NOOP"
    if name not in ale_py.Action.__members__:
        raise UsageError(f"no joystick can be held {'+'.join(sorted(names))}; choose one direction")
    return int(ale_py.Action.__members__[name].value)
