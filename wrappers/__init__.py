"""What an agent sees of a game: Gymnasium wrappers, and the stack of them."""

from __future__ import annotations

from wrappers.observation import GrayScaleObservation, OrangeObservation
from wrappers.revisit import RevisitLoss
from wrappers.reward import ClipReward, ScaleReward
from wrappers.skip_frame import SkipFrame
from wrappers.stack import WrapperConfig, wrap
from wrappers.start import NoopStart
from wrappers.sticky import StickyActions

__all__ = [
    "ClipReward",
    "GrayScaleObservation",
    "NoopStart",
    "OrangeObservation",
    "RevisitLoss",
    "ScaleReward",
    "SkipFrame",
    "StickyActions",
    "WrapperConfig",
    "wrap",
]
