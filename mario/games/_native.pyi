"""The module that `mario/games/native` is built into."""

from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]

INFO: tuple[str, ...]
STATUSES: tuple[str, ...]
ENDINGS: tuple[str, ...]
PALETTE: bytes

class Games:
    def __init__(
        self,
        rom: bytes,
        place: tuple[int, int, int],
        stall_frames: int,
        masks: bytes,
        skip: int,
        stack: int,
        size: int,
        crop: int,
        grays: bytes,
        square: int,
        sticky: float,
        keeps_farthest: bool,
        count: int,
        threads: int,
    ) -> None: ...
    def start(self, arrays: tuple[Array, ...], waited_for: bool) -> None: ...
    def wait(self) -> None: ...
    def restore(
        self,
        actions: list[list[int]],
        noops: Array,
        seeds: Array,
        revisited: Array,
        farthest: list[list[int]],
        farthest_noops: Array,
        farthest_seeds: Array,
        observations: Array,
        info: Array,
        /,
    ) -> None: ...
    def actions(self) -> list[tuple[list[int], list[int] | None]]: ...
