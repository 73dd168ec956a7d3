"""The module that `mario/games/native` is compiled to."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]
Trajectory = tuple[int, int, Sequence[int]]
"""Number of no-op frames, seed, and actions since the reset."""

INFO_KEYS: tuple[str, ...]
STATUSES: tuple[str, ...]
ENDINGS: tuple[str, ...]
PALETTE: bytes

class VectorEnv:
    def __init__(
        self,
        rom: bytes,
        level: tuple[int, int, int] | None,
        stall_frames: int | None,
        button_masks: bytes,
        skip: int,
        stack: int,
        size: int,
        crop_top: int,
        gray_palette: bytes,
        action_marker_size: int,
        repeat_action_probability: float,
        track_farthest: bool,
        num_envs: int,
        num_threads: int,
    ) -> None: ...
    def start_step(self, buffers: tuple[Array, ...], caller_waits: bool) -> None: ...
    def wait(self) -> None: ...
    def restore(
        self,
        points: Sequence[tuple[Trajectory, int, Trajectory | None]],
        observations: Array,
        info: Array,
    ) -> None: ...
    def action_logs(self) -> list[tuple[list[int], list[int] | None]]: ...
