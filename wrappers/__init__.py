"""What an agent sees of a game: Gymnasium wrappers, and the stack of them."""

from __future__ import annotations

from mario.games.start_curriculum import StartCurriculum
from wrappers.noop_reset import NoopReset
from wrappers.observation import GrayScaleObservation, OrangeObservation
from wrappers.reward import ClipReward, ScaleReward
from wrappers.skip_frame import SkipFrame
from wrappers.stack import WrapperConfig, wrap
from wrappers.sticky_actions import StickyActions

__all__ = [
    "ClipReward",
    "GrayScaleObservation",
    "NoopReset",
    "OrangeObservation",
    "ScaleReward",
    "SkipFrame",
    "StartCurriculum",
    "StickyActions",
    "WrapperConfig",
    "wrap",
]
