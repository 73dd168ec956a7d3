"""The module that `mario/games/native` is compiled to."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
DemonstrationPoint = tuple[int, int]
"""Index of a demonstration, and the number of its steps before the start."""
Trajectory = tuple[int, int, DemonstrationPoint | None, Sequence[int]]
"""Number of no-op frames, seed, start on a demonstration, and actions since the reset."""

INFO_KEYS: tuple[str, ...]
STATUSES: tuple[str, ...]
ENDINGS: tuple[str, ...]
PALETTE: bytes

class GameState:
    """A point of a `MarioGame`, to which it can return. It cannot be written to a file."""

class MarioGame:
    def __init__(
        self, rom: bytes, level: tuple[int, int, int] | None, stall_frames: int | None
    ) -> None: ...
    def reset(self, noops: int) -> None: ...
    def step(self, buttons: int) -> tuple[float, bool, bool]: ...
    def screen(self) -> NDArray[np.uint8]: ...
    def info(self) -> list[int]: ...
    def ending(self) -> int: ...
    def save_state(self) -> GameState: ...
    def load_state(self, state: GameState) -> None: ...

class MarioExplorer:
    def __init__(
        self,
        rom: bytes,
        level: tuple[int, int, int] | None,
        stall_frames: int | None,
        button_masks: bytes,
        skip: int,
        noops: int,
        max_length: int,
        seed: int,
        num_threads: int,
    ) -> None: ...
    def run(self, steps: int) -> None: ...
    def steps(self) -> int: ...
    def num_cells(self) -> int: ...
    def best_objective(self) -> int: ...
    def best_play(self) -> bytes: ...
    def cells(self) -> list[tuple[int, bytes]]: ...
    def solution(self) -> bytes | None: ...

class MarioPlayTester:
    def __init__(
        self,
        rom: bytes,
        level: tuple[int, int, int] | None,
        stall_frames: int | None,
        skip: int,
        noops: int,
        num_threads: int,
    ) -> None: ...
    def record(self, play: bytes) -> tuple[int, int, bool]: ...
    def test(self, variants: Sequence[tuple[int, bytes]]) -> list[tuple[int, int, bool]]: ...

class EnvConfig:
    """The configuration of compiled environments."""

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
        demonstrations: Sequence[tuple[int, bytes]],
        demonstration_max_steps: int,
    ) -> None: ...

class RunnerState:
    """A point of a `SaveStateEnv`, to which it can return. It cannot be written to a file."""

class SaveStateEnv:
    def __init__(self, config: EnvConfig, num_envs: int, num_threads: int) -> None: ...
    def reset(self, env: int, noops: int, seed: int) -> None: ...
    def save_state(self, env: int) -> RunnerState: ...
    def load_state(self, env: int, state: RunnerState) -> None: ...
    def step(
        self,
        envs: Sequence[int],
        actions: Array,
        observations: Array,
        rewards: Array,
        endings: Array,
        info: Array,
    ) -> None: ...
    def observe(self, envs: Sequence[int], observations: Array, info: Array) -> None: ...

class VectorEnv:
    def __init__(self, config: EnvConfig, num_envs: int, num_threads: int) -> None: ...
    def start_step(self, buffers: tuple[Array, ...], caller_waits: bool) -> None: ...
    def wait(self) -> None: ...
    def restore(
        self,
        points: Sequence[tuple[Trajectory, int, Trajectory | None]],
        observations: Array,
        info: Array,
    ) -> None: ...
    def action_logs(self) -> list[tuple[list[int], list[int] | None]]: ...
