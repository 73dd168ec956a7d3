"""A replay memory of single frames: each is kept once, however many states it is part of."""

from __future__ import annotations

import math
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict

from agents.agent import States, Transitions
from agents.replay.frame_storage import FrameRing, Indices
from agents.replay.n_step import n_step_returns
from agents.rng import generator_state, set_generator_state

FINAL = -1
"""Action of a row that only keeps the last frame of an episode: nothing was done there."""

OLDEST_AGE = 255
"""Where counting the steps of an episode stops."""

MARGIN = 0.03
"""Rows beside the capacity, as a share of it; `FrameRing` says what for."""

SPARE_ROWS = 8
"""Rows that even the smallest margin has."""

DRAWS = 64
"""Rounds of drawing again what cannot be drawn, before all that can be is listed."""


class FrameReplay:
    """The latest transitions of several games, on disk, mapped into memory.

    A row is the last frame of a state and what was done there. Row ``t`` of an episode that began
    ``age`` rows before stands for the frames of rows ``t - stack + 1`` to ``t``, where those before
    the beginning are the first again. An episode that was cut short has one row more, for its last
    frame, from which returns are bootstrapped.

    Args:
        folder: where the files are; None for a temporary folder, removed by `close`.
        state_shape: ``(stack, height, width)`` of a state, uint8.
        lanes: how many games there are.
        capacity: how many rows can be drawn once it is full, over all games.
        n_step: over how many steps rewards are summed.
        gamma: discount per step.
        seed: seeds the draws.

    Attributes:
        ring: the rows, and how many of them were lost before a state was loaded.

    Raises:
        InsufficientDiskSpace: the disk has no room for it.
        ValueError: an argument is out of range, or the folder holds a memory of another size.

    >>> memory = FrameReplay(None, (4, 8, 8), lanes=2, capacity=100)
    >>> len(memory), memory.check_valid()
    (0, (True, ''))
    >>> memory.close()
    """

    def __init__(
        self,
        folder: Path | None,
        state_shape: tuple[int, ...],
        lanes: int,
        capacity: int,
        n_step: int = 1,
        gamma: float = 0.9,
        seed: int = 0,
    ) -> None:
        _check_arguments(state_shape, lanes, capacity, n_step)
        self.folder = folder or Path(tempfile.mkdtemp(prefix="memory-"))
        self._remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        if folder is not None:
            self._remove.detach()
        self.capacity = capacity
        self._stack, self._image = state_shape[0], state_shape[1:]
        self._n_step, self._gamma = n_step, gamma
        self._share = share = math.ceil(capacity / lanes)
        window = share + self._stack - 1 + n_step
        rows = max(share + math.ceil(MARGIN * share), window + SPARE_ROWS)
        self.ring = FrameRing(self.folder, lanes, window, rows, math.prod(self._image))
        self._ages: Indices = np.zeros(lanes, np.int64)
        self._generator = np.random.default_rng(seed)
        stack = np.arange(1 - self._stack, 1)
        self._offsets = np.union1d(stack, stack + n_step)

    def __len__(self) -> int:
        """How many transitions can be drawn."""
        return sum(int(np.count_nonzero(lane)) for lane in self._drawable())

    @property
    def bytes_per_transition(self) -> float:
        """Bytes on disk for each transition that can be drawn once it is full."""
        return self.ring.nbytes / self.capacity

    @property
    def report(self) -> str:
        """One line on its size and place, and what the tutorial's would take."""
        # the tutorial keeps two stacks of float32 for each transition
        theirs = self.capacity * 2 * 4 * self._stack * math.prod(self._image)
        return (
            f"memory: {self.capacity:,} transitions, {self.ring.nbytes / 1e9:.2f} GB at "
            f"{self.folder} ({self.bytes_per_transition / 1e3:.1f} kB each; "
            f"the tutorial's layout would take {theirs / 1e9:.1f} GB)"
        )

    def cache(self, transitions: Transitions) -> None:
        """Store one transition of every environment.

        Within an episode, the next state of a step is the state of the following one.

        Raises:
            ValueError: the number of games is not that of the lanes.
        """
        states, valid = transitions.states, transitions.valid
        terminated, truncated = transitions.terminated, transitions.truncated
        if len(states) != len(self._ages):
            raise ValueError(f"states are of {len(states)} games; give {len(self._ages)}")
        self._append(
            np.arange(len(states)),
            states,
            action=np.where(valid, transitions.actions, FINAL),
            reward=np.where(valid, transitions.rewards, 0),
            terminated=terminated & valid,
        )
        self._ages = np.minimum(self._ages + 1, OLDEST_AGE)
        cut = np.flatnonzero(truncated & ~terminated & valid)
        if cut.size:
            self._append(
                cut, transitions.next_states[cut], action=FINAL, reward=0, terminated=False
            )
        self._ages[transitions.ended] = 0

    def sample(self, batch_size: int) -> TensorDict:
        """Draw transitions, each as likely as any other; gives what `read` gives.

        Raises:
            LookupError: there is none to be drawn.
        """
        return self.read(*self._draw(batch_size))

    def anchors(self) -> tuple[Indices, Indices]:
        """The lanes and the numbers of all rows that can be drawn, each int64 ``(len(self),)``."""
        numbers = [
            start + np.flatnonzero(lane)
            for start, lane in zip(self._bounds()[0], self._drawable(), strict=True)
        ]
        lanes = np.repeat(np.arange(len(numbers)), [len(lane) for lane in numbers])
        return lanes, np.concatenate(numbers)

    def read(self, lanes: Indices, numbers: Indices) -> TensorDict:
        """Build the transitions that begin at rows.

        Args:
            lanes: int64 ``(batch,)``.
            numbers: of the rows in their lanes, int64 ``(batch,)``.

        Returns:
            ``state`` and ``next_state``, uint8 ``(batch, stack, height, width)``; ``action``,
            int64; ``reward``, float32, discounted and summed over the steps between the two;
            ``discount``, float32, of what comes after. It is 0 where the game ended on the way;
            then ``next_state`` means nothing.
        """
        ahead = numbers[:, None] + np.arange(self._n_step + 1)
        actions = self.ring.take("action", lanes[:, None], ahead)
        rewards, discounts, steps = n_step_returns(
            self.ring.take("reward", lanes[:, None], ahead[:, :-1]),
            self.ring.take("terminated", lanes[:, None], ahead[:, :-1]),
            actions[:, 1:] == FINAL,
            self._gamma,
        )
        # what can be bootstrapped from is in the same episode, so that one clamp at its beginning
        # serves both stacks, and a frame that is in both is read once
        frames = self._frames(lanes, numbers, self._offsets)
        next_states = frames[:, -self._stack :]
        early = np.flatnonzero((steps < self._n_step) & (discounts > 0))
        if early.size:
            next_states = next_states.clone()
            ends = numbers[early] + steps[early]
            next_states[early] = self._frames(lanes[early], ends, np.arange(1 - self._stack, 1))
        return TensorDict(
            {
                "state": frames[:, : self._stack],
                "action": torch.from_numpy(actions[:, 0].astype(np.int64)),
                "reward": torch.from_numpy(rewards),
                "discount": torch.from_numpy(discounts),
                "next_state": next_states,
            },
            batch_size=[len(lanes)],
        )

    def check_valid(self) -> tuple[bool, str]:
        """Whether every window is as it should be, and if not, what is wrong first.

        Its rows are those that belong there, and ages count up by one, from 0 after each end.
        """
        for lane, (tail, head) in enumerate(zip(self.ring.tails, self.ring.heads, strict=True)):
            if not self.ring.intact(lane).all():
                return False, f"lane {lane} has rows that do not belong in its window"
            actions, terminated, ages = (
                self.ring.span(name, lane, tail, head) for name in ("action", "terminated", "age")
            )
            following = np.append(ages, self._ages[lane])[1:]
            ended = terminated | (actions == FINAL)
            counted = np.minimum(ages.astype(np.int64) + 1, OLDEST_AGE)
            if not np.array_equal(following, np.where(ended, 0, counted)):
                return False, f"lane {lane} has ages that do not count up from 0 after each end"
        return True, ""

    def state_dict(self) -> dict[str, Any]:
        """Everything but the rows, which are on disk after a flush of the `ring`."""
        return {
            "ring": self.ring.state_dict(),
            "ages": torch.from_numpy(self._ages.copy()),
            "generator": generator_state(self._generator),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state_dict` was taken, without the rows that are no longer there."""
        self.ring.load_state_dict(state["ring"])
        self._ages = state["ages"].numpy().copy()
        set_generator_state(self._generator, state["generator"])

    def flush(self) -> None:
        """Write all rows to disk."""
        self.ring.flush()

    def mark_saved(self) -> None:
        """Allow rows to be overwritten that only states before the last one rely on."""
        self.ring.saved()

    def steps_until_overwrite(self) -> int:
        """Return the number of steps that leave the saved state intact, if each ends an episode."""
        return self.ring.margin_left // 2

    def close(self) -> None:
        """Let go of the files. Closing twice is harmless."""
        self.ring.close()
        self._remove()

    def _append(self, lanes: Indices, states: States, **columns: Any) -> None:
        frames = states[:, -1].reshape(len(lanes), -1)
        self.ring.append(lanes, frame=frames, age=self._ages[lanes], **columns)

    def _bounds(self) -> tuple[Indices, Indices]:
        """The first number of each lane that can be drawn, and the one after the last."""
        floors, stops = self.ring.floors, self.ring.heads - self._n_step
        # rows after a loss lack the frames before them
        whole = np.where(floors > 0, floors + self._stack - 1, 0)
        starts = np.maximum(whole, stops - self._share)
        return starts, np.maximum(starts, stops)

    def _drawable(self) -> list[NDArray[np.bool_]]:
        bounds = enumerate(zip(*self._bounds(), strict=True))
        return [self.ring.span("action", lane, *bound) != FINAL for lane, bound in bounds]

    def _draw(self, count: int) -> tuple[Indices, Indices]:
        starts, stops = self._bounds()
        totals = np.cumsum(stops - starts)
        lanes, numbers = np.empty((2, count), np.int64)
        missing = np.arange(count)
        for _ in range(DRAWS if totals[-1] else 0):
            places = self._generator.integers(totals[-1], size=missing.size)
            lane = np.searchsorted(totals, places, side="right")
            number = places - totals[lane] + stops[lane]
            lanes[missing], numbers[missing] = lane, number
            missing = missing[self.ring.take("action", lane, number) == FINAL]
            if not missing.size:
                return lanes, numbers
        lanes, numbers = self.anchors()
        if not lanes.size:
            raise self._nothing_yet()
        chosen = self._generator.integers(lanes.size, size=count)
        return lanes[chosen], numbers[chosen]

    def _nothing_yet(self) -> LookupError:
        return LookupError(f"nothing can be drawn yet; cache more than {self._n_step} steps")

    def _frames(self, lanes: Indices, numbers: Indices, offsets: Indices) -> torch.Tensor:
        beginnings = numbers - self.ring.take("age", lanes, numbers)
        wanted = np.maximum(numbers[:, None] + offsets, beginnings[:, None])
        frames = self.ring.take("frame", lanes[:, None], wanted)
        return torch.from_numpy(frames.reshape(len(lanes), len(offsets), *self._image))


def _check_arguments(state_shape: tuple[int, ...], lanes: int, capacity: int, n_step: int) -> None:
    if len(state_shape) != 3 or not 1 <= state_shape[0] <= OLDEST_AGE:
        raise ValueError(f"state_shape is {state_shape}; give (stack, height, width)")
    for name, value in (("lanes", lanes), ("capacity", capacity), ("n_step", n_step)):
        if value < 1:
            raise ValueError(f"{name} is {value}; give 1 or more")
