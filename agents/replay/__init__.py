"""Replay memory: stores the steps of environments and samples batches to learn from.

Agents use `FrameReplay`. It combines a `FrameStorage`, which keeps single frames on disk and builds
stacked states and n-step returns from them, with a uniform or prioritized sampler. Both implement
TorchRL's interfaces, so they also work in a `torchrl.data.TensorDictReplayBuffer`.
"""

from agents.replay.augmentation import RandomShift
from agents.replay.frame_replay import FrameReplay
from agents.replay.frame_storage import FrameStorage
from agents.replay.memory_map import InsufficientDiskSpace
from agents.replay.n_step import n_step_returns
from agents.replay.samplers import PrioritizedSampler, UniformSampler

__all__ = [
    "FrameReplay",
    "FrameStorage",
    "InsufficientDiskSpace",
    "PrioritizedSampler",
    "RandomShift",
    "UniformSampler",
    "n_step_returns",
]
