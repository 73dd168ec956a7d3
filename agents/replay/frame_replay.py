"""A replay buffer of single frames: a storage and a sampler."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import ArrayLike
from tensordict import TensorDict

from agents.replay.frame_ring import Indices
from agents.replay.frame_storage import FrameStorage
from agents.replay.samplers import FrameSampler
from agents.transitions import Transitions


class FrameReplay:
    """Stores transitions and samples batches of them.

    It is equivalent to a `torchrl.data.TensorDictReplayBuffer` with the same parts, but faster.

    Args:
        storage: stores the transitions.
        sampler: `UniformSampler` or `PrioritizedSampler`, which chooses the transitions of a batch.

    >>> from agents.replay.samplers import UniformSampler
    >>> storage = FrameStorage(None, (4, 8, 8), num_envs=2, capacity=100)
    >>> replay = FrameReplay(storage, UniformSampler(seed=1))
    >>> len(replay)
    0
    >>> replay.close()
    """

    def __init__(self, storage: FrameStorage, sampler: FrameSampler) -> None:
        self.storage = storage
        self.sampler = sampler

    def __len__(self) -> int:
        """Return the number of transitions that can be sampled."""
        return len(self.storage)

    def cache(self, transitions: Transitions, envs: Indices | None = None) -> None:
        """Store one step of every environment, or of some; see `TransitionWriter.append`.

        Raises:
            ValueError: the number of environments is not that of the storage, or of ``envs``.
        """
        self.storage.append(transitions, envs)

    def sample(self, batch_size: int) -> TensorDict:
        """Sample transitions.

        Returns:
            What `TransitionReader.read` returns. A `PrioritizedSampler` adds ``index``, int64, for
            `update_priorities`, and ``probability``, float64, the sampling probabilities.

        Raises:
            LookupError: there are no transitions yet.
        """
        index, info = self.sampler.sample(self.storage, batch_size)
        batch = self.storage.read(index.numpy())
        return batch.update(info) if info else batch

    def update_priorities(self, index: ArrayLike, errors: ArrayLike) -> None:
        """Set the priorities of transitions; see `PrioritizedSampler.update_priority`."""
        self.sampler.update_priority(index, errors, storage=self.storage)

    def describe(self) -> str:
        """Return one line about the size and the folder, with the size of the tutorial's layout."""
        capacity, nbytes = self.storage.max_size, self.storage.nbytes
        # the tutorial stores two stacks of float32 per transition
        tutorial = capacity * 2 * 4 * math.prod(self.storage.state_shape)
        return (
            f"memory: {capacity:,} transitions, {nbytes / 1e9:.2f} GB at {self.storage.folder} "
            f"({nbytes / capacity / 1e3:.1f} kB each; "
            f"the tutorial's layout would take {tutorial / 1e9:.1f} GB)"
        )

    def state_dict(self) -> dict[str, Any]:
        """Return everything except the rows, which are on disk after `flush`."""
        return {"storage": self.storage.state_dict(), "sampler": self.sampler.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned, without rows that are damaged or overwritten.

        Raises:
            ValueError: the state has another number of environments.
        """
        self.storage.load_state_dict(state["storage"])
        self.sampler.load_state_dict(state["sampler"])

    def flush(self) -> None:
        """Block until all rows are on disk."""
        self.storage.flush()

    def describe_loss(self) -> str:
        """Return one line about rows that were lost when a state was loaded, or ``""``."""
        return self.storage.describe_loss()

    def mark_saved(self) -> None:
        """Note that the last `state_dict` is on disk; earlier ones are no longer needed."""
        self.storage.mark_saved()

    def steps_until_overwrite(self) -> int:
        """Return the number of steps that can be cached before the last saved state loses rows."""
        return self.storage.steps_until_overwrite()

    def close(self) -> None:
        """Release the files. It is safe to call this more than once."""
        self.storage.close()
