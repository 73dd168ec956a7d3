"""Atari 2600 games in the Arcade Learning Environment (ALE)."""

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
from mario.games.actions import ActionSet, button_lists
from mario.games.endings import Ending

BUTTONS = ("up", "down", "left", "right", "fire")
"""The directions of the joystick and its button, in the order in which ALE names them."""

NOOP, FIRE = 0, 1
"""Numbers of two actions in ALE."""

FRAMES_PER_SECOND = 60
MAX_FRAMES = 108_000
"""Emulator frames after which a game is truncated: 30 minutes, a common limit in the literature."""

SCREEN_SHAPE = (210, 160, 3)

ale_py.ALEInterface.setLoggerMode(ale_py.LoggerMode.Error)  # suppresses the banner


def ale_actions(actions: ActionSet | None, minimal: Sequence[int]) -> tuple[int, ...]:
    """Return ALE's numbers of the actions in a set.

    Args:
        actions: ``"minimal"``, ``"full"``, or for each action the list of `BUTTONS` that it holds.
            An empty list or ``["NOOP"]`` holds none. None for the minimal set.
        minimal: ALE's numbers of the actions that have an effect in the game.

    Raises:
        UsageError: The action set or an action is unknown.

    >>> ale_actions([["right"], ["fire", "up"]], minimal=[])
    (3, 10)
    >>> ale_actions("tutorial", minimal=[])
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
    return tuple(_ale_action(buttons) for buttons in button_lists(actions))


def find_fire_action(actions: Sequence[int], minimal: Sequence[int]) -> int | None:
    """Return the index of the action that presses only the fire button, None if it has no effect.

    Args:
        actions: ALE's numbers of the actions.
        minimal: ALE's numbers of the actions that have an effect in the game.

    Raises:
        UsageError: The game needs the fire button, and no action presses only this button.

    >>> find_fire_action([0, 3, 1], minimal=[0, 1, 3]), find_fire_action([0, 3], minimal=[0, 3])
    (2, None)
    """
    if FIRE in actions:
        return actions.index(FIRE)
    if FIRE not in minimal:
        return None
    raise UsageError(
        "no action of this game presses only the fire button; remove --wrappers.fire-reset"
    )


def rom_path(game: str) -> Path:
    """Return the ROM file of a game, which is part of ale-py.

    Args:
        game: Name of the ROM, for example ``"space_invaders"``.

    Raises:
        UsageError: The game is unknown.

    >>> rom_path("Pong")
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: unknown Atari game 'Pong'; did you mean 'pong' or 'boxing' or 'pooyan'?
    """
    if game not in roms.get_all_rom_ids():
        raise unknown("Atari game", game, roms.get_all_rom_ids())
    return Path(str(roms.get_rom_path(game)))


def ale_seed(seed: int) -> int:
    """Return the low 31 bits of a seed, which is what ALE accepts.

    >>> ale_seed(2**31 + 5)
    5
    """
    return seed & 0x7FFFFFFF


def ending_of(terminated: bool, truncated: bool) -> str:
    """Return ``info["ending"]`` for the flags of a step."""
    if terminated:
        return str(Ending.GAME_OVER)
    return str(Ending.TRUNCATED) if truncated else ""


class Atari(gym.Env[NDArray[np.uint8], int]):
    """A game of the Atari 2600, one emulator frame per step.

    Observations are the screen, uint8 ``(210, 160, 3)``, RGB. ``info`` contains ``lives`` and
    ``ending``: ``"game over"``, ``"truncated"`` after `MAX_FRAMES`, else ``""``. ``reset`` accepts
    the option ``noops``, the number of no-op frames to play first. After a reset with a seed the
    game is deterministic.

    Attributes:
        ale_actions: ALE's number of each action.
        action_names: ALE's name of each action.
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
        repeat_action_probability: float = 0.0,
        actions: ActionSet | None = None,
        render_mode: str | None = None,
    ) -> None:
        """Load the ROM.

        Args:
            game: Name of the ROM, for example ``"space_invaders"``.
            repeat_action_probability: Probability, in each frame, of repeating the previous
                frame's action.
            actions: An action set, see `ale_actions`.
            render_mode: ``"rgb_array"`` to let `render` return the screen, or None.

        Raises:
            UsageError: The game or the action set is unknown.
        """
        self._ale = ale_py.ALEInterface()
        self._ale.setFloat("repeat_action_probability", repeat_action_probability)
        self._ale.setInt("max_num_frames_per_episode", MAX_FRAMES)
        self._rom = rom_path(game)
        self._ale.loadROM(self._rom)
        self._minimal = [action.value for action in self._ale.getMinimalActionSet()]
        self.ale_actions = ale_actions(actions, self._minimal)
        self.action_names = tuple(ale_py.Action(action).name for action in self.ale_actions)
        self.action_space = gym.spaces.Discrete(len(self.ale_actions))  # type: ignore[assignment]
        shape = (*self._ale.getScreenDims(), 3)
        self.observation_space = gym.spaces.Box(0, 255, shape, np.uint8)
        self.render_mode = render_mode

    @property
    def fire(self) -> int | None:
        """The action that presses only the fire button, None if this has no effect in the game.

        Raises:
            UsageError: The game needs this action, and the action set does not have it.
        """
        return find_fire_action(self.ale_actions, self._minimal)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """See `gymnasium.Env.reset`.

        Args:
            seed: Seeds the console's memory at power-on and the sticky actions.
            options: ``noops``, the number of no-op frames to play first.
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
        reward = float(self._ale.act(self.ale_actions[action]))
        terminated = self._ale.game_over(with_truncation=False)
        truncated = self._ale.game_truncated() and not terminated
        info = self._info(ending_of(terminated, truncated))
        return self._ale.getScreenRGB(), reward, terminated, truncated, info

    def render(self) -> NDArray[np.uint8] | None:
        """Return the screen if the render mode is ``"rgb_array"``."""
        return self._ale.getScreenRGB() if self.render_mode == "rgb_array" else None

    def _info(self, ending: str) -> dict[str, Any]:
        return {"lives": self._ale.lives(), "ending": ending}


def _ale_action(buttons: Sequence[str]) -> int:
    """Return ALE's number of the action that holds the buttons."""
    held = {str(button).lower() for button in buttons} - {"noop"}
    for button in held.difference(BUTTONS):
        raise unknown("button", button, (*BUTTONS, "NOOP"))
    name = "".join(button.upper() for button in BUTTONS if button in held) or "NOOP"
    if name not in ale_py.Action.__members__:
        raise UsageError(f"no joystick can be held {'+'.join(sorted(held))}; choose one direction")
    return int(ale_py.Action.__members__[name].value)
