"""Gymnasium wrappers that define what an agent observes of a game.

`wrap` applies the wrappers that a `WrapperConfig` selects: random starts, frame skipping, grayscale
conversion, resizing, reward scaling, frame stacking and others.
"""

from __future__ import annotations

from wrappers.life import FireReset, TerminalOnLifeLoss
from wrappers.noop_reset import NoopReset
from wrappers.observation import CropTop, GrayScaleObservation, OrangeObservation, ShowAction
from wrappers.pong import PongObservation
from wrappers.reward import ClipReward, ScaleReward
from wrappers.skip_frame import SkipFrame
from wrappers.stack import WrapperConfig, wrap
from wrappers.sticky_actions import StickyActions

__all__ = [
    "ClipReward",
    "CropTop",
    "FireReset",
    "GrayScaleObservation",
    "NoopReset",
    "OrangeObservation",
    "PongObservation",
    "ScaleReward",
    "ShowAction",
    "SkipFrame",
    "StickyActions",
    "TerminalOnLifeLoss",
    "WrapperConfig",
    "wrap",
]
