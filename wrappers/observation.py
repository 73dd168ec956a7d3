"""Image preprocessing: grayscale, cropping, and a marker for the previous action.

* `GrayScaleObservation` converts RGB observations to grayscale.
* `OrangeObservation` converts them as if seen through an orange filter.
* `CropTop` removes rows at the top.
* `ShowAction` draws the previous action into the observation.
"""

from __future__ import annotations

from typing import Any, SupportsFloat

import cv2
import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

ORANGE_WEIGHTS = np.array([[0.65, 0.35, 0.0]])
"""Weights of red, green and blue behind an orange filter."""
MAX_MARKER_SIZE = 6
"""Maximum side length of the action markers in pixels."""
Image = NDArray[np.uint8]
"""RGB images ``(H, W, 3)`` or grayscale images ``(H, W)``."""


def to_gray(image: Image) -> Image:
    """Convert an RGB image to ITU-R BT.601 luma: 0.299 R + 0.587 G + 0.114 B."""
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)


def to_orange(image: Image) -> Image:
    """Convert an RGB image to grayscale behind an orange filter: 0.65 R + 0.35 G."""
    return np.asarray(cv2.transform(image, ORANGE_WEIGHTS), np.uint8)


GRAYSCALE_CONVERSIONS = {"gray": to_gray, "orange": to_orange}
"""Conversions from RGB to grayscale by `WrapperConfig.observation`."""


class GrayScaleObservation(gym.ObservationWrapper[NDArray[np.uint8], Any, NDArray[np.uint8]]):
    """Convert RGB observations, uint8 ``(H, W, 3)``, to grayscale, uint8 ``(H, W)``.

    The weights are those of ITU-R BT.601: 0.299 R + 0.587 G + 0.114 B.

    Args:
        env: An environment with RGB observations.

    Raises:
        ValueError: The observations are not RGB images.

    >>> GrayScaleObservation(gym.make("CartPole-v1"))
    Traceback (most recent call last):
        ...
    ValueError: grayscale conversion needs uint8 observations (H, W, 3), got float32 (4,)
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        space = env.observation_space
        shape = space.shape or ()
        if space.dtype != np.uint8 or len(shape) != 3 or shape[2] != 3:
            raise ValueError(
                "grayscale conversion needs uint8 observations (H, W, 3), "
                f"got {space.dtype} {shape}"
            )
        self.observation_space = gym.spaces.Box(0, 255, shape[:2], np.uint8)

    def observation(self, observation: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See `gymnasium.ObservationWrapper.observation`."""
        return to_gray(observation)


class OrangeObservation(GrayScaleObservation):
    """Convert RGB observations to grayscale behind an orange filter: 0.65 R + 0.35 G.

    In standard grayscale, the sky of Super Mario Bros. has the value 140 and Mario's cap, hair and
    skin 107, 124 and 177: after downscaling he is nearly invisible. With this filter the values are
    115 and 181, 155, 220. The red channel alone would hide the floor underground, which contains
    no red.

    Args:
        env: An environment with RGB observations.

    Raises:
        ValueError: The observations are not RGB images.
    """

    def observation(self, observation: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See `gymnasium.ObservationWrapper.observation`."""
        return to_orange(observation)


class CropTop(gym.ObservationWrapper[NDArray[np.uint8], Any, NDArray[np.uint8]]):
    """Remove rows at the top of grayscale observations: ``(H, W)`` becomes ``(H - rows, W)``.

    Games often display the score and the time there. Without these rows, the rest of the screen is
    larger after resizing.

    Args:
        env: An environment with grayscale observations.
        rows: Number of rows to remove.

    Raises:
        ValueError: No row would be left.
    """

    def __init__(self, env: gym.Env[NDArray[np.uint8], Any], rows: int) -> None:
        super().__init__(env)
        height, width = env.observation_space.shape or (0, 0)
        if not 0 <= rows < height:
            raise ValueError(f"crop_top must be between 0 and {height - 1}, got {rows}")
        self._rows = rows
        self.observation_space = gym.spaces.Box(0, 255, (height - rows, width), np.uint8)

    def observation(self, observation: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See `gymnasium.ObservationWrapper.observation`."""
        return observation[self._rows :]


class ShowAction(gym.Wrapper[NDArray[np.uint8], Any, NDArray[np.uint8], Any]):
    """Draw the previous action into the observation: a row of squares, one of which is white.

    A human player knows which buttons are pressed, but the screen does not show them. Mario in
    front of a pipe looks the same whether A is released or has been held since the last jump and
    must be released first. An agent that cannot tell the difference can stand there forever. At the
    start of an episode all squares are black.

    Args:
        env: An environment with grayscale observations, uint8 ``(H, W)``, and discrete actions.

    Raises:
        ValueError: There are too many actions for squares of at least 2 pixels.
    """

    def __init__(self, env: gym.Env[NDArray[np.uint8], Any]) -> None:
        super().__init__(env)
        assert isinstance(env.action_space, gym.spaces.Discrete)
        self._num_actions = int(env.action_space.n)
        self._size = marker_size((env.observation_space.shape or (0, 0))[1], self._num_actions)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """See `gymnasium.Env.reset`."""
        image, info = self.env.reset(seed=seed, options=options)
        return self._draw(image, None), info

    def step(
        self, action: Any
    ) -> tuple[NDArray[np.uint8], SupportsFloat, bool, bool, dict[str, Any]]:
        """See `gymnasium.Env.step`."""
        image, reward, terminated, truncated, info = self.env.step(action)
        return self._draw(image, int(action)), reward, terminated, truncated, info

    def _draw(self, image: NDArray[np.uint8], action: int | None) -> NDArray[np.uint8]:
        marked, size = image.copy(), self._size
        marked[:size, : self._num_actions * size] = 0
        if action is not None:
            marked[:size, action * size : (action + 1) * size] = 255
        return marked


def marker_size(width: int, num_actions: int) -> int:
    """Return the side length in pixels of the action markers that fit in a row, at most 6.

    Args:
        width: Width of the observation in pixels.
        num_actions: Number of markers.

    Raises:
        ValueError: The side length would be less than 2.

    >>> marker_size(84, num_actions=5), marker_size(84, num_actions=20)
    (6, 4)
    """
    size = min(MAX_MARKER_SIZE, width // num_actions)
    if size < 2:
        raise ValueError(
            f"{num_actions} action markers do not fit in {width} pixels; "
            "use --wrappers.no-show-action"
        )
    return size
