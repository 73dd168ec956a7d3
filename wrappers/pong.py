"""Makes of Pong what little there is to see."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

PONG_SHAPE = (80, 80)
PONG_FIELD = (slice(35, 195, 2), slice(None, None, 2))
PONG_BACKGROUNDS = (144, 109)
"""What the red channel has where there is nothing, while nobody and while somebody plays."""


def pong_picture(screen: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The field of Pong at half its size: paddles and ball white, all else black.

    The preprocessing of http://karpathy.github.io/2016/05/31/rl/, with 255 for its 1.

    Args:
        screen: uint8 ``(210, 160, 3)``, RGB.

    Returns:
        uint8 ``(80, 80)``.

    >>> screen = np.full((210, 160, 3), 144, np.uint8)
    >>> screen[35, 8] = 236
    >>> np.argwhere(pong_picture(screen)).tolist()
    [[0, 4]]
    """
    field = screen[..., 0][PONG_FIELD]
    nothing = (field == 0) | (field == PONG_BACKGROUNDS[0]) | (field == PONG_BACKGROUNDS[1])
    return np.where(nothing, np.uint8(0), np.uint8(255))


class PongObservation(gym.ObservationWrapper[NDArray[np.uint8], Any, NDArray[np.uint8]]):
    """Turns screens of Pong into what `pong_picture` makes of them.

    Args:
        env: Pong, seen as RGB pictures.

    Raises:
        ValueError: the game's screen is not of an Atari's size.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        if env.observation_space.shape != (210, 160, 3):
            raise ValueError(
                f"the picture of Pong needs a screen (210, 160, 3), got "
                f"{env.observation_space.shape}; leave --wrappers.observation out"
            )
        self.observation_space = gym.spaces.Box(0, 255, PONG_SHAPE, np.uint8)

    def observation(self, observation: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """See `gymnasium.ObservationWrapper.observation`."""
        return pong_picture(observation)
