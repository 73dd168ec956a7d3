"""The whole stack of wrappers, made from a configuration: what an agent sees of a game."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, Self

import gymnasium as gym
from gymnasium.wrappers import (
    FrameStackObservation,
    RecordEpisodeStatistics,
    ResizeObservation,
)

from mario.games.start_curriculum import LOST, StartCurriculum
from wrappers.life import FireReset, TerminalOnLifeLoss
from wrappers.noop_reset import NoopReset
from wrappers.observation import CropTop, GrayScaleObservation, OrangeObservation, ShowAction
from wrappers.pong import PongObservation
from wrappers.reward import ClipReward, EndReward, ScaleReward
from wrappers.skip_frame import SkipFrame
from wrappers.sticky_actions import StickyActions

SEEN = {"gray": GrayScaleObservation, "orange": OrangeObservation, "pong": PongObservation}
"""What makes a picture of a screen, by `WrapperConfig.picture`."""


@dataclass(frozen=True)
class WrapperConfig:
    """What an agent sees of a game, and what it is rewarded with.

    >>> WrapperConfig(skip=0)
    Traceback (most recent call last):
        ...
    ValueError: skip must be at least 1, got 0
    """

    skip: int = 4
    """Frames to a decision: the action is held, and what the frames earn is summed."""
    max_pool: bool = False
    """See at each place the brighter of a decision's last two frames: some games flicker."""
    observation: Literal["gray", "orange", "pong"] = "gray"
    """What becomes of a screen: gray; gray as through an orange filter, which blue skies are dark
    in and Mario is not; or the field of Pong in black and white, 80 x 80."""
    size: int = 84
    """Height and width in pixels of the gray picture that the agent sees."""
    crop_top: int = 0
    """Rows at the screen's top that the agent does not see: score and time, 32 in Mario."""
    stack: int = 4
    """Latest pictures that the agent sees together."""
    show_action: bool = False
    """Paint into each picture, at its top, which action led to it."""
    noop_max: int = 0
    """Each episode starts with 0 to this many frames without a button, drawn at random."""
    repeat_action_probability: float = 0.0
    """While training, how likely at each frame the buttons of the one before stay pressed."""
    revisit: float = 0.0
    """Share of the episodes after a lost one that begin a little before where one was lost."""
    revisit_farthest: float = 0.0
    """Share of those that go back on the farthest way since the game was won, not on the last."""
    fire_reset: bool = False
    """Hold the fire button for a decision at the start and after each lost life."""
    terminal_on_life_loss: bool = False
    """While training, let an episode end with each life; the game goes on."""
    reward_scale: float = 1.0
    """Factor of what the agent is rewarded with; the episode's reward is counted without it."""
    reward_clip: float | None = None
    """Greatest absolute reward of a decision after scaling; None for no limit."""
    reward_won: float = 0.0
    """Added to the reward for reaching the end, neither scaled nor clipped."""
    reward_lost: float = 0.0
    """The same for losing the game; a punishment is less than 0."""

    def __post_init__(self) -> None:
        for name, least in (
            ("skip", 1),
            ("size", 1),
            ("stack", 1),
            ("crop_top", 0),
            ("noop_max", 0),
        ):
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} must be at least {least}, got {value}")
        for name in ("repeat_action_probability", "revisit", "revisit_farthest"):
            if not 0 <= (value := getattr(self, name)) <= 1:
                raise ValueError(f"{name} must lie between 0 and 1, got {value}")
        self._check_rewards()

    def _check_rewards(self) -> None:
        if not math.isfinite(self.reward_scale) or self.reward_scale == 0:
            raise ValueError(f"reward_scale must be finite and not 0, got {self.reward_scale}")
        for name in ("reward_won", "reward_lost"):
            if not math.isfinite(value := getattr(self, name)):
                raise ValueError(f"{name} must be finite, got {value}")
        if self.reward_clip is not None and not self.reward_clip > 0:
            raise ValueError(f"reward_clip must be above 0, got {self.reward_clip}")

    @property
    def worth_of_ends(self) -> dict[str, float]:
        """What is added to the reward, by what the game says that it ended by.

        >>> WrapperConfig(reward_won=5).worth_of_ends
        {'flag': 5}
        """
        worth = {"flag": self.reward_won} | dict.fromkeys(LOST, self.reward_lost)
        return {end: reward for end, reward in worth.items() if reward}

    @property
    def only_wrapped(self) -> bool:
        """Whether it asks for what only the wrappers do, of all ways to play Mario."""
        return (
            self.max_pool
            or self.fire_reset
            or self.terminal_on_life_loss
            or self.observation == "pong"
        )

    def with_noops(self, noops: int) -> Self:
        """The same for an examination: other random starts, whole games, and buttons that obey.

        Args:
            noops: in place of its own.

        >>> WrapperConfig(skip=2).with_noops(30).noop_max
        30
        """
        return replace(
            self,
            noop_max=noops,
            repeat_action_probability=0.0,
            revisit=0.0,
            terminal_on_life_loss=False,
        )

    def shaped(self, reward: float, ending: str) -> float:
        """What the agent is rewarded with for a decision.

        Args:
            reward: the game's own.
            ending: why the game is over, ``""`` while it goes on.

        >>> WrapperConfig(reward_clip=1.0, reward_lost=-2.0).shaped(7.0, "game over")
        -1.0
        """
        shaped, bound = reward * self.reward_scale, self.reward_clip
        if bound is not None:
            shaped = max(-bound, min(bound, shaped))
        return shaped + self.worth_of_ends.get(ending, 0.0)


def wrap(env: gym.Env[Any, Any], config: WrapperConfig) -> gym.Env[Any, Any]:
    """Put the wrappers around a game.

    The agent sees uint8 ``(stack, size, size)``: gray, cropped, then resized by area; the first
    picture of an episode repeated. ``info["episode"]`` of a game's last step holds the sum ``r`` of
    what the game itself rewarded and the length ``l`` in decisions, ``info["revisited"]`` always
    how many decisions were made before the episode's first observation, and ``info["farthest"]``
    whether it came farthest, see `StartCurriculum`.

    Args:
        env: a game seen as RGB pictures, uint8 ``(H, W, 3)``.
        config: what the agent is to see.

    Raises:
        ValueError: the game is not seen as RGB pictures, or lacks what the configuration asks for.
    """
    if config.noop_max:
        env = NoopReset(env, config.noop_max)
    if config.repeat_action_probability:
        env = StickyActions(env, config.repeat_action_probability)
    env = _picture(_lives(_decisions(env, config), config), config)
    if config.reward_scale != 1:
        env = ScaleReward(env, config.reward_scale)
    if config.reward_clip is not None:
        env = ClipReward(env, config.reward_clip)
    if config.worth_of_ends:
        env = EndReward(env, config.worth_of_ends)
    return FrameStackObservation(env, config.stack)


def _decisions(env: gym.Env[Any, Any], config: WrapperConfig) -> gym.Env[Any, Any]:
    """A picture for each decision."""
    see = SEEN[config.observation]
    if config.max_pool:  # of gray pictures; otherwise only those are made gray that are seen
        return SkipFrame(see(env), config.skip, max_pool=True)
    return see(SkipFrame(env, config.skip))


def _picture(env: gym.Env[Any, Any], config: WrapperConfig) -> gym.Env[Any, Any]:
    """Pictures as large as asked for, of what is to be seen."""
    if config.crop_top:
        env = CropTop(env, config.crop_top)
    if config.observation != "pong":
        env = ResizeObservation(env, (config.size, config.size))
    return ShowAction(env) if config.show_action else env


def _lives(env: gym.Env[Any, Any], config: WrapperConfig) -> gym.Env[Any, Any]:
    """Serves, starts and ends of lives as asked for; statistics are of whole games."""
    if config.fire_reset:
        env = FireReset(env, env.get_wrapper_attr("fire"))
    env = RecordEpisodeStatistics(StartCurriculum(env, config.revisit, config.revisit_farthest))
    return TerminalOnLifeLoss(env) if config.terminal_on_life_loss else env
