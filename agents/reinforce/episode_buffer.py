"""The episode buffer: episodes in progress, and finished episodes to learn from."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict

from agents.reinforce.loss import Differences
from agents.transitions import Transitions


@dataclass
class Episode:
    """The steps of one episode; of each frame, only the pixels that changed are stored."""

    pixels: list[NDArray[np.int32]] = field(default_factory=list)
    changes: list[Differences] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    truncated: bool = False

    def append(self, difference: Differences, action: int, reward: float) -> None:
        """Append a step.

        Args:
            difference: Difference to the previous frame, int16 ``(num_pixels,)``.
            action: The action taken.
            reward: The reward received.
        """
        pixels = np.flatnonzero(difference).astype(np.int32)
        self.pixels.append(pixels)
        self.changes.append(difference[pixels])
        self.actions.append(action)
        self.rewards.append(reward)

    def to_tensors(self, num_pixels: int) -> TensorDict:
        """Return the steps as a batch.

        Args:
            num_pixels: number of pixels of a frame.

        Returns:
            ``difference``, int16 ``(steps, num_pixels)``; ``action``, int64 ``(steps,)``;
            ``reward``, float32 ``(steps,)``; and ``truncated``, bool ``(steps,)``, True only for
            the last step of a truncated episode.
        """
        truncated = torch.zeros(len(self.actions), dtype=torch.bool)
        truncated[-1] = self.truncated
        difference = np.zeros((len(self.actions), num_pixels), np.int16)
        for row, pixels, changes in zip(difference, self.pixels, self.changes, strict=True):
            row[pixels] = changes
        return TensorDict(
            {
                "difference": torch.from_numpy(difference),
                "action": torch.tensor(self.actions, dtype=torch.int64),
                "reward": torch.tensor(self.rewards, dtype=torch.float32),
                "truncated": truncated,
            },
            batch_size=[len(self.actions)],
        )

    def state_dict(self) -> dict[str, Any]:
        """Return the steps as tensors."""
        return {
            "counts": torch.tensor([len(indices) for indices in self.pixels], dtype=torch.int64),
            "pixels": torch.from_numpy(np.concatenate([np.zeros(0, np.int32), *self.pixels])),
            "changes": torch.from_numpy(np.concatenate([np.zeros(0, np.int16), *self.changes])),
            "actions": torch.tensor(self.actions, dtype=torch.int64),
            "rewards": torch.tensor(self.rewards, dtype=torch.float64),
            "truncated": self.truncated,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Episode:
        """Create an episode from what `state_dict` returned."""
        ends = np.cumsum(state["counts"].numpy())[:-1]
        steps = len(state["counts"])
        return cls(
            np.split(state["pixels"].numpy(), ends) if steps else [],
            np.split(state["changes"].numpy(), ends) if steps else [],
            state["actions"].tolist(),
            state["rewards"].tolist(),
            state["truncated"],
        )


class EpisodeBuffer:
    """Stores the current episode of each environment, and finished episodes until they are taken.

    Args:
        num_envs: Number of environments.
        num_pixels: Number of pixels of a frame.
    """

    def __init__(self, num_envs: int, num_pixels: int) -> None:
        self._num_pixels = num_pixels
        self._current = [Episode() for _ in range(num_envs)]
        self._finished: deque[Episode] = deque()

    def __len__(self) -> int:
        """Return the number of finished episodes that have not been taken."""
        return len(self._finished)

    def cache(self, changes: Differences, transitions: Transitions) -> None:
        """Store the valid transitions of one step.

        Args:
            changes: `differences` of the states, int16 ``(num_envs, num_pixels)``.
            transitions: The transitions.
        """
        actions, rewards = transitions.actions.tolist(), transitions.rewards.tolist()
        for index, episode in enumerate(self._current):
            if transitions.valid[index]:
                episode.append(changes[index], actions[index], rewards[index])
            if transitions.ended[index]:
                self._current[index] = Episode()
                episode.truncated = not transitions.terminated[index]
                if episode.actions:
                    self._finished.append(episode)

    def take(self) -> TensorDict:
        """Remove the oldest finished episode and return it, see `Episode.to_tensors`.

        Raises:
            LookupError: No episode is finished.
        """
        if not self._finished:
            raise LookupError("no episode is finished yet; cache more steps")
        return self._finished.popleft().to_tensors(self._num_pixels)

    def state_dict(self) -> dict[str, Any]:
        """Return all episodes."""
        return {
            "current": [episode.state_dict() for episode in self._current],
            "finished": [episode.state_dict() for episode in self._finished],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ValueError: The state has another number of environments.
        """
        if len(state["current"]) != len(self._current):
            raise ValueError(
                f"the state has {len(state['current'])} environments, expected {len(self._current)}"
            )
        self._current = [Episode.from_state(each) for each in state["current"]]
        self._finished = deque(Episode.from_state(each) for each in state["finished"])
