"""A TorchRL storage of transitions that keeps every frame once, in memory-mapped files."""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict
from torchrl.data.replay_buffers.storages import TensorStorage

from agents.replay.frame_ring import FrameRing, Indices
from agents.replay.memory_map import MAX_AGE
from agents.replay.transition_reader import TransitionReader
from agents.replay.transition_window import TransitionWindow
from agents.replay.transition_writer import TransitionWriter
from agents.transitions import Transitions

MARGIN = 0.03
"""Rows beyond the capacity, as a fraction of it; see `FrameRing`."""

MIN_MARGIN = 8
"""Minimum number of rows beyond the capacity."""


class FrameStorage(TensorStorage):  # type: ignore[misc]
    """The latest transitions of several environments, as single frames on disk.

    Frame stacks, next states and n-step returns are computed when transitions are read.
    `TransitionWriter` describes the rows, `TransitionWindow` the indices. Samplers may only draw
    indices that `indices` returns. The samplers of `agents.replay.samplers` and TorchRL's
    `RandomSampler` meet this requirement; TorchRL's `PrioritizedSampler` does not.

    Args:
        folder: folder of the files; None for a temporary folder that `close` removes.
        state_shape: ``(stack, height, width)`` of a state, uint8.
        num_envs: number of environments.
        capacity: maximum number of transitions that can be sampled, over all environments.
        n_step: number of steps over which rewards are summed.
        gamma: discount per step.

    Attributes:
        folder: folder of the files.
        num_envs: number of environments.
        state_shape: shape of a state.
        ring: the rows.
        window: the rows that can be sampled.

    Raises:
        InsufficientDiskSpace: the disk has no space for the files.
        ValueError: an argument is out of range, or the folder holds files of another size.

    >>> from torchrl.data import TensorDictReplayBuffer
    >>> from agents.replay.samplers import PrioritizedSampler
    >>> storage = FrameStorage(None, (4, 84, 84), num_envs=2, capacity=1_000)
    >>> sampler = PrioritizedSampler(storage, alpha=0.6)
    >>> buffer = TensorDictReplayBuffer(storage=storage, sampler=sampler, batch_size=32)
    >>> states = torch.zeros(2, 4, 84, 84, dtype=torch.uint8)
    >>> step = TensorDict(
    ...     {
    ...         "state": states,
    ...         "action": torch.tensor([0, 1]),
    ...         "reward": torch.tensor([1.0, 2.0]),
    ...         "terminated": torch.tensor([False, False]),
    ...         "truncated": torch.tensor([False, False]),
    ...         "next_state": states,
    ...     },
    ...     batch_size=[2],
    ... )
    >>> for _ in range(3):
    ...     _ = buffer.extend(step)
    >>> len(buffer)  # the last step waits for its next states
    4
    >>> batch = buffer.sample()
    >>> batch["next_state"].shape
    torch.Size([32, 4, 84, 84])
    >>> buffer.update_priority(batch["index"], torch.rand(32))
    >>> storage.close()
    """

    supports_conditional_update = False

    def __init__(
        self,
        folder: Path | None,
        state_shape: tuple[int, ...],
        num_envs: int,
        capacity: int,
        n_step: int = 1,
        gamma: float = 0.9,
    ) -> None:
        _check_arguments(state_shape, num_envs, capacity, n_step)
        # "compilable" storages keep their counters without operating-system locks
        super().__init__(None, capacity, compilable=True)
        self.folder = folder or Path(tempfile.mkdtemp(prefix="replay-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        if folder is not None:
            self._remove.detach()
        self.num_envs, self.state_shape = num_envs, state_shape
        stack, env_capacity = state_shape[0], math.ceil(capacity / num_envs)
        readable = env_capacity + stack - 1 + n_step
        num_rows = max(env_capacity + math.ceil(MARGIN * env_capacity), readable + MIN_MARGIN)
        self.ring = FrameRing(self.folder, num_envs, readable, num_rows, math.prod(state_shape[1:]))
        self.window = TransitionWindow(self.ring, stack, n_step, env_capacity)
        self._reader = TransitionReader(self.ring, state_shape, n_step, gamma)
        self._writer = TransitionWriter(self.ring, num_envs)

    def __len__(self) -> int:
        """Return the number of transitions that can be sampled."""
        starts, stops = self.window.bounds()
        return int((stops - starts).sum()) - self._writer.count_final_rows(starts, stops)

    def __iter__(self) -> Iterator[TensorDict]:
        """Iterate over all transitions."""
        return (self.get(index) for index in self.indices())

    def __repr__(self) -> str:
        return f"FrameStorage({len(self)} of {self.max_size} transitions at {self.folder})"

    @property
    def nbytes(self) -> int:
        """Bytes on disk."""
        return self.ring.nbytes

    def append(self, transitions: Transitions, envs: Indices | None = None) -> None:
        """Store one step of every environment, or of some; see `TransitionWriter.append`."""
        self._writer.append(transitions, envs)

    def set(self, cursor: Any, data: TensorDict, *, set_cursor: bool = True) -> None:
        """Append transitions, as TorchRL's writers do.

        Args:
            cursor: not used; transitions are always appended.
            data: ``state``, ``action``, ``reward``, ``terminated``, ``truncated`` and
                ``next_state``, as in `Transitions`, and optionally ``valid``; of one or more steps
                of every environment, batch size ``(steps * num_envs,)``, ordered by time.
            set_cursor: must be True.

        Raises:
            NotImplementedError: stored transitions would be changed.
            ValueError: the batch size is not a multiple of ``num_envs``.
        """
        del cursor
        if not set_cursor:
            raise NotImplementedError("stored transitions cannot be changed; use extend")
        data = data.reshape(-1)
        if len(data) % self.num_envs:
            raise ValueError(
                f"data has the batch size {len(data)}; give a multiple of {self.num_envs}, "
                "one transition of every environment per step"
            )
        for step in data.split(self.num_envs):
            self.append(_to_transitions(step))

    def get(self, index: Any) -> TensorDict:
        """Return transitions by index.

        Args:
            index: one or several of the `indices`: an integer or an array-like of integers
                ``(batch,)``; or a slice of the `indices`.

        Returns:
            What `TransitionReader.read` returns: a batch, or a single transition for an integer.

        Raises:
            IndexError: there is no such transition.
        """
        if isinstance(index, slice):
            index = self.indices()[index]
        index = np.asarray(index, np.int64)
        if not self.contains(index).all():
            raise IndexError(f"transitions {index} are not all stored; see indices()")
        batch = self.read(index.reshape(-1))
        return batch if index.ndim else batch[0]

    def read(self, index: Indices) -> TensorDict:
        """Return what `get` does, without checking that the transitions are stored."""
        times, envs = np.divmod(index, self.num_envs)
        return self._reader.read(envs, times)

    def contains(self, item: Any) -> NDArray[np.bool_]:
        """Return for each index whether the transition is stored."""
        return self.window.contains(item)

    def indices(self) -> Indices:
        """Return the indices of all transitions that can be sampled, int64 ``(len(self),)``."""
        return self.window.indices()

    def check_valid(self) -> tuple[bool, str]:
        """Return whether the rows are consistent; see `TransitionWriter.check_valid`."""
        return self._writer.check_valid()

    def state_dict(self) -> dict[str, Any]:
        """Return everything except the rows, which are on disk after `flush`."""
        return {"ring": self.ring.state_dict(), "writer": self._writer.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore what `state_dict` returned, without rows that are damaged or overwritten.

        Raises:
            ValueError: the state has another number of environments.
        """
        self.ring.load_state_dict(state_dict["ring"])
        self.window.exclude_damaged_rows()
        self._writer.load_state_dict(state_dict["writer"])

    def flush(self) -> None:
        """Block until all rows are on disk."""
        self.ring.flush()

    def describe_loss(self) -> str:
        """Return one line about rows that were lost when a state was loaded, or ``""``."""
        damaged, missing = sum(map(len, self.ring.damaged_rows)), self.ring.missing_rows
        if not damaged + missing:
            return ""
        return (
            f"the replay memory at {self.folder} has lost rows: {damaged:,} are damaged and "
            f"{missing:,} are missing; {len(self):,} transitions remain"
        )

    def mark_saved(self) -> None:
        """Note that the last `state_dict` is on disk; earlier ones are no longer needed."""
        self.ring.mark_saved()

    def steps_until_overwrite(self) -> int:
        """Return the number of steps that can be stored before the last saved state loses rows."""
        # a step that truncates an episode writes two rows
        return self.ring.rows_until_overwrite // 2

    def close(self) -> None:
        """Release the files. It is safe to call this more than once."""
        self.ring.close()
        self._remove()

    def dumps(self, path: Path) -> NoReturn:
        """Reject TorchRL's own format, whose files can execute code when they are loaded.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError("use flush() and state_dict() instead of dumps and loads")

    loads = dumps

    def _empty(self) -> None:
        self.ring.clear()
        self._writer.clear()

    def _rand_given_ndim(self, batch_size: int) -> torch.Tensor:
        """Return what TorchRL's `RandomSampler` samples."""

        def integers(high: int, size: int) -> Indices:
            """Draw from TorchRL's generator, so that its seed determines the sample."""
            return torch.randint(int(high), (size,), generator=self._rng).numpy()

        return torch.from_numpy(self.window.draw(batch_size, integers))


def _to_transitions(step: TensorDict) -> Transitions:
    size = len(step)
    actions, rewards, terminated, truncated = (
        step[key].reshape(size).numpy() for key in ("action", "reward", "terminated", "truncated")
    )
    valid = step.get("valid", torch.ones(size, dtype=torch.bool)).reshape(size).numpy()
    states, next_states = step["state"].numpy(), step["next_state"].numpy()
    return Transitions(states, actions, rewards, terminated, truncated, next_states, valid)


def _check_arguments(
    state_shape: tuple[int, ...], num_envs: int, capacity: int, n_step: int
) -> None:
    if len(state_shape) != 3 or not 1 <= state_shape[0] <= MAX_AGE:
        raise ValueError(f"state_shape is {state_shape}; give (stack, height, width)")
    for name, value in (("num_envs", num_envs), ("capacity", capacity), ("n_step", n_step)):
        if value < 1:
            raise ValueError(f"{name} is {value}; give 1 or more")
