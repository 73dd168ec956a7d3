"""Applies the wrappers of a game from one configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import (
    FrameStackObservation,
    RecordEpisodeStatistics,
    ResizeObservation,
)
from numpy.typing import NDArray

from wrappers.life import FireReset, TerminalOnLifeLoss
from wrappers.noop_reset import NoopReset
from wrappers.observation import CropTop, GrayScaleObservation, OrangeObservation, ShowAction
from wrappers.pong import PONG_SHAPE, PongObservation
from wrappers.reward import ClipReward, ScaleReward
from wrappers.skip_frame import SkipFrame
from wrappers.sticky_actions import StickyActions

OBSERVATION_WRAPPERS = {
    "gray": GrayScaleObservation,
    "orange": OrangeObservation,
    "pong": PongObservation,
}
"""The wrapper for each value of `WrapperConfig.observation`."""

MAX_REWARD_SCALE = 1_000_000

LIMITS = {
    "skip": (1, 1_000),
    "size": (1, 1_024),
    "stack": (1, 255),
    "crop_top": (0, 1_024),
    "noop_max": (0, 100_000),
}
"""Minimum and maximum of each setting. A damaged or malicious file must not exhaust the memory."""


@dataclass(frozen=True)
class WrapperConfig:
    """What an agent observes of a game, and how its rewards are scaled.

    >>> WrapperConfig(skip=0)
    Traceback (most recent call last):
        ...
    ValueError: skip must be at least 1, got 0
    """

    skip: int = 4
    """Emulator frames per agent step. The action is repeated and the rewards are summed."""
    max_pool: bool = False
    """Observe the pixel-wise maximum of the last two frames of a step, for games that flicker."""
    max_pool_colors: bool = False
    """With ``max_pool``, take the maximum of red, green and blue before the image conversion, as
    OpenAI Baselines does, rather than the maximum of the converted images."""
    observation: Literal["gray", "orange", "pong"] = "gray"
    """Image conversion: gray (luma), orange (grayscale as behind an orange filter, in which a blue
    sky is dark and Mario is bright), or pong (the field of Pong, 80 x 80, black and white)."""
    size: int = 84
    """Height and width of the observation in pixels."""
    crop_top: int = 0
    """Rows removed at the top of the screen, for example 32 for score and time in Mario."""
    stack: int = 4
    """Number of consecutive frames stacked in an observation."""
    show_action: bool = False
    """Draw the previous action into the top of each frame."""
    noop_max: int = 0
    """Maximum number of no-op frames at the start of an episode. The number is drawn uniformly."""
    repeat_action_probability: float = 0.0
    """Probability, in each frame of training, of repeating the previous frame's action."""
    fire_reset: bool = False
    """Press the fire button for one step at the start and after each lost life, if the game has
    one."""
    terminal_on_life_loss: bool = False
    """End the training episode when a life is lost; the game continues."""
    reward_scale: float = 1.0
    """Factor for the agent's rewards. Logged returns are not scaled."""
    reward_clip: float | None = None
    """Maximum absolute reward of a step after scaling; None for no limit."""

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
            if value > most:
                raise ValueError(f"{name} must be at most {most:,}, got {value:,}")
        if not 0 <= (value := self.repeat_action_probability) <= 1:
            raise ValueError(f"repeat_action_probability must be between 0 and 1, got {value}")
        if self.max_pool_colors and not self.max_pool:
            raise ValueError("max_pool_colors has no effect without max_pool; set max_pool, too")
        if not 0 < abs(self.reward_scale) <= MAX_REWARD_SCALE:
            raise ValueError(
                f"reward_scale must be finite and not 0, got {self.reward_scale}; give at most "
                f"{MAX_REWARD_SCALE:,}, because learning diverges with larger rewards"
            )
        if self.reward_clip is not None and not self.reward_clip > 0:
            raise ValueError(f"reward_clip must be above 0, got {self.reward_clip}")

    @property
    def observation_shape(self) -> tuple[int, ...]:
        """Shape of the observations: ``(stack, height, width)``."""
        size = PONG_SHAPE if self.observation == "pong" else (self.size, self.size)
        return (self.stack, *size)

    @property
    def observation_space(self) -> gym.spaces.Box:
        """The observation space of a game with these wrappers."""
        return gym.spaces.Box(0, 255, self.observation_shape, np.uint8)

    def transform_rewards(self, rewards: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scale and clip a batch of rewards, like `ScaleReward` and `ClipReward`.

        Args:
            rewards: Rewards of the game, float64 of any shape.

        >>> WrapperConfig(reward_scale=0.5, reward_clip=2.0).transform_rewards(np.array([1.0, 9.0]))
        array([0.5, 2. ])
        """
        rewards = rewards * self.reward_scale
        if self.reward_clip is None:
            return rewards
        return rewards.clip(-self.reward_clip, self.reward_clip)


def wrap(
    env: gym.Env[Any, Any],
    config: WrapperConfig,
    step_wrapper: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]] | None = None,
) -> gym.Env[Any, Any]:
    """Apply the wrappers of a configuration to a game.

    Observations become uint8 ``(stack, size, size)``: converted to grayscale, cropped, resized by
    area interpolation, and stacked. At the start of an episode, its first frame fills the stack. At
    the end of a game, ``info["episode"]`` holds ``r``, the sum of the game's own rewards, and
    ``l``, the number of agent steps.

    Args:
        env: A game with RGB observations, uint8 ``(H, W, 3)``.
        config: The configuration.
        step_wrapper: Another wrapper, applied above frame skipping and below the episode
            statistics. Steps that it takes by itself are not counted.

    Raises:
        ValueError: The observations are not RGB images, or the game lacks what the configuration
            needs.
    """
    if config.noop_max:
        env = NoopReset(env, config.noop_max)
    if config.repeat_action_probability:
        env = StickyActions(env, config.repeat_action_probability)
    env = _skip_frames(env, config)
    if config.fire_reset:
        if not env.has_wrapper_attr("fire"):
            raise ValueError("fire_reset needs a fire button, which this game does not have")
        fire = env.get_wrapper_attr("fire")
        env = env if fire is None else FireReset(env, fire)
    env = RecordEpisodeStatistics(step_wrapper(env) if step_wrapper else env)
    if config.terminal_on_life_loss:
        env = TerminalOnLifeLoss(env)
    env = _shape_images(env, config)
    if config.reward_scale != 1:
        env = ScaleReward(env, config.reward_scale)
    if config.reward_clip is not None:
        env = ClipReward(env, config.reward_clip)
    return FrameStackObservation(env, config.stack)


def _skip_frames(env: gym.Env[Any, Any], config: WrapperConfig) -> gym.Env[Any, Any]:
    """Return one converted image per agent step."""
    convert = OBSERVATION_WRAPPERS[config.observation]
    if config.max_pool and not config.max_pool_colors:  # converts the skipped frames, too
        return SkipFrame(convert(env), config.skip, max_pool=True)
    return convert(SkipFrame(env, config.skip, max_pool=config.max_pool))


def _shape_images(env: gym.Env[Any, Any], config: WrapperConfig) -> gym.Env[Any, Any]:
    """Crop and resize the images, and draw the action."""
    if config.crop_top:
        env = CropTop(env, config.crop_top)
    if config.observation != "pong":
        env = ResizeObservation(env, (config.size, config.size))
    return ShowAction(env) if config.show_action else env
