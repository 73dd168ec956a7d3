"""Makes what an agent sees: small gray pictures, and what it was doing."""

from __future__ import annotations

from typing import Any, SupportsFloat

import cv2
import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

ORANGE = np.array([[0.65, 0.35, 0.0]])
"""How much of red, green and blue comes through an orange filter."""
LARGEST_SQUARE = 6
"""Side in pixels of the squares that show an action, where there is room."""
Screen = NDArray[np.uint8]
"""Pictures, ``(H, W, 3)`` in color or ``(H, W)`` without."""


def gray(screen: Screen) -> Screen:
    """A picture in the gray of ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B."""
    return np.asarray(cv2.cvtColor(screen, cv2.COLOR_RGB2GRAY), np.uint8)


def orange(screen: Screen) -> Screen:
    """A picture in gray as through an orange filter: 0.65 R + 0.35 G."""
    return np.asarray(cv2.transform(screen, ORANGE), np.uint8)


GRAYS = {"gray": gray, "orange": orange}
"""What makes a color gray, by `WrapperConfig.picture`."""


class GrayScaleObservation(gym.ObservationWrapper[NDArray[np.uint8], Any, NDArray[np.uint8]]):
    """Turns RGB pictures, uint8 ``(H, W, 3)``, gray: uint8 ``(H, W)``.

    The weights are those of ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B.

    Args:
        env: a game seen as RGB pictures.

    Raises:
        ValueError: the game is seen otherwise.

    >>> GrayScaleObservation(gym.make("CartPole-v1"))
    Traceback (most recent call last):
        ...
    ValueError: gray needs pictures, uint8 (H, W, 3), got float32 (4,)
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        space = env.observation_space
        shape = space.shape or ()
        if space.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3:
            raise ValueError(f"gray needs pictures, uint8 (H, W, 3), got {space.dtype} {shape}")
        self.observation_space = gym.spaces.Box(0, 255, shape[:2], np.uint8)

    def observation(self, observation: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See `gymnasium.ObservationWrapper.observation`."""
        return gray(observation)


class OrangeObservation(GrayScaleObservation):
    """Turns RGB pictures gray as if taken through an orange filter: 0.65 R + 0.35 G.

    In the gray of ITU-R BT.601 the sky of Super Mario Bros. is 140, and Mario's cap, hair and skin
    are 107, 124 and 177: once the picture is made small, he is as good as gone. Here they are 115
    and 181, 155 and 220. Red alone would hide the floor underground, which has none.

    Args:
        env: a game seen as RGB pictures.

    Raises:
        ValueError: the game is seen otherwise.
    """

    def observation(self, observation: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See `gymnasium.ObservationWrapper.observation`."""
        return orange(observation)


class CropTop(gym.ObservationWrapper[NDArray[np.uint8], Any, NDArray[np.uint8]]):
    """Leaves out rows at the top of pictures: of uint8 ``(H, W)`` they leave ``(H - rows, W)``.

    There games write what a player needs not to play, and what remains is seen the larger.

    Args:
        env: a game seen as gray pictures.
        rows: how many.

    Raises:
        ValueError: none would be left.
    """

    def __init__(self, env: gym.Env[NDArray[np.uint8], Any], rows: int) -> None:
        super().__init__(env)
        height, width = env.observation_space.shape or (0, 0)
        if not 0 <= rows < height:
            raise ValueError(f"crop must be in 0 to {height - 1} for this game, got {rows}")
        self._rows = rows
        self.observation_space = gym.spaces.Box(0, 255, (height - rows, width), np.uint8)

    def observation(self, observation: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See `gymnasium.ObservationWrapper.observation`."""
        return observation[self._rows :]


class ShowAction(gym.Wrapper[NDArray[np.uint8], Any, NDArray[np.uint8], Any]):
    """Paints into a picture which action led to it: a row of squares at its top, one of them white.

    A player knows which buttons are held. An agent that only sees the screen does not: Mario in
    front of a pipe looks the same whether A is to be pressed or, held since the last jump, to be
    let go first, and so it can stand there for ever. At an episode's beginning all are black.

    Args:
        env: a game seen as gray pictures, uint8 ``(H, W)``, with numbered actions.

    Raises:
        ValueError: there are more actions than squares of 2 pixels fit.
    """

    def __init__(self, env: gym.Env[NDArray[np.uint8], Any]) -> None:
        super().__init__(env)
        assert isinstance(env.action_space, gym.spaces.Discrete)
        self._count = int(env.action_space.n)
        self._side = square_side((env.observation_space.shape or (0, 0))[1], self._count)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """See `gymnasium.Env.reset`."""
        picture, info = self.env.reset(seed=seed, options=options)
        return self._painted(picture, None), info

    def step(
        self, action: Any
    ) -> tuple[NDArray[np.uint8], SupportsFloat, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        picture, reward, terminated, truncated, info = self.env.step(action)
        return self._painted(picture, int(action)), reward, terminated, truncated, info

    def _painted(self, picture: NDArray[np.uint8], action: int | None) -> NDArray[np.uint8]:
        painted, side = picture.copy(), self._side
        painted[:side, : self._count * side] = 0
        if action is not None:
            painted[:side, action * side : (action + 1) * side] = 255
        return painted


def square_side(width: int, count: int) -> int:
    """The side in pixels of so many squares in a row at the top of a picture, at most 6.

    Raises:
        ValueError: it would be less than 2.

    >>> square_side(84, count=5), square_side(84, count=20)
    (6, 4)
    """
    side = min(LARGEST_SQUARE, width // count)
    if side < 2:
        raise ValueError(f"{count} actions cannot be shown in {width} pixels; set show_action off")
    return side
