"""The image preprocessing of "Pong from Pixels" by Andrej Karpathy."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

PONG_SHAPE = (80, 80)
PLAYFIELD = (slice(35, 195, 2), slice(None, None, 2))
BACKGROUND_RED = (144, 109)
"""Red values of the background, before and during play."""


def binarize_pong(screen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the playfield of Pong at half size: paddles and ball white, everything else black.

    This is the preprocessing of http://karpathy.github.io/2016/05/31/rl/, with 255 instead of 1.

    Args:
        screen: RGB screen, uint8 ``(210, 160, 3)``.

    Returns:
        uint8 ``(80, 80)``.

    >>> screen = np.full((210, 160, 3), 144, np.uint8)
    >>> screen[35, 8] = 236
    >>> np.argwhere(binarize_pong(screen)).tolist()
    [[0, 4]]
    """
    red = screen[..., 0][PLAYFIELD]
    background = (red == 0) | (red == BACKGROUND_RED[0]) | (red == BACKGROUND_RED[1])
    return np.where(background, np.uint8(0), np.uint8(255))


class PongObservation(gym.ObservationWrapper[NDArray[np.uint8], Any, NDArray[np.uint8]]):
    """Binarize screens of Pong, see `binarize_pong`.

    Args:
        env: Pong with RGB observations.

    Raises:
        ValueError: The observations do not have the shape of an Atari screen.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        if env.observation_space.shape != (210, 160, 3):
            raise ValueError(
                f"observation 'pong' needs a screen of shape (210, 160, 3), got "
                f"{env.observation_space.shape}; use --wrappers.observation gray"
            )
        self.observation_space = gym.spaces.Box(0, 255, PONG_SHAPE, np.uint8)

    def observation(self, observation: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See `gymnasium.ObservationWrapper.observation`."""
        return binarize_pong(observation)
