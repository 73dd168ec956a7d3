"""Makes small what an agent sees: gray pictures."""

from __future__ import annotations

from typing import Any

import cv2
import gymnasium as gym
import numpy as np
from numpy.typing import NDArray


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
        return np.asarray(cv2.cvtColor(observation, cv2.COLOR_RGB2GRAY), np.uint8)
