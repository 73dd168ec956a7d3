"""A memory of whole episodes: those that are being played, and those yet to be learned from."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict

from agents.agent import Transitions
from agents.reinforce.loss import Differences


@dataclass
class Episode:
    """Steps of one episode, of whose pictures only the pixels that changed are kept."""

    pixels: list[NDArray[np.int32]] = field(default_factory=list)
    changes: list[Differences] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)

    def append(self, difference: Differences, action: int, reward: float) -> None:
        """Add a step.

        Args:
            difference: what changed in its picture, int16 ``(pixels,)``.
            action: what was done.
            reward: what it earned.
        """
        pixels = np.flatnonzero(difference).astype(np.int32)
        self.pixels.append(pixels)
        self.changes.append(difference[pixels])
        self.actions.append(action)
        self.rewards.append(reward)

    def to_tensors(self, num_pixels: int) -> TensorDict:
        """``difference`` int16 ``(steps, pixels)``, ``action`` int64 and ``reward`` float32."""
        difference = np.zeros((len(self.actions), num_pixels), np.int16)
        for row, pixels, changes in zip(difference, self.pixels, self.changes, strict=True):
            row[pixels] = changes
        return TensorDict(
            {
                "difference": torch.from_numpy(difference),
                "action": torch.tensor(self.actions, dtype=torch.int64),
                "reward": torch.tensor(self.rewards, dtype=torch.float32),
            },
            batch_size=[len(self.actions)],
        )

    def state_dict(self) -> dict[str, Any]:
        """The steps, in a few tensors."""
        return {
            "counts": torch.tensor([len(each) for each in self.pixels], dtype=torch.int64),
            "pixels": torch.from_numpy(np.concatenate([np.zeros(0, np.int32), *self.pixels])),
            "changes": torch.from_numpy(np.concatenate([np.zeros(0, np.int16), *self.changes])),
            "actions": torch.tensor(self.actions, dtype=torch.int64),
            "rewards": torch.tensor(self.rewards, dtype=torch.float64),
        }

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> Episode:
        """The episode of which `state_dict` was taken."""
        ends = np.cumsum(state["counts"].numpy())[:-1]
        steps = len(state["counts"])
        return cls(
            np.split(state["pixels"].numpy(), ends) if steps else [],
            np.split(state["changes"].numpy(), ends) if steps else [],
            state["actions"].tolist(),
            state["rewards"].tolist(),
        )


class EpisodeBuffer:
    """Keeps each game's episode until it is over, and then until it is taken.

    Args:
        num_games: how many are played at a time.
        num_pixels: of a picture.
    """

    def __init__(self, num_games: int, num_pixels: int) -> None:
        self._num_pixels = num_pixels
        self._playing = [Episode() for _ in range(num_games)]
        self._over: deque[Episode] = deque()

    def __len__(self) -> int:
        """How many episodes are over, and not yet taken."""
        return len(self._over)

    def cache(self, changes: Differences, transitions: Transitions) -> None:
        """Store one transition of every environment, unless it is not valid.

        Args:
            changes: `differences` of the states, int16 ``(num_envs, pixels)``.
            transitions: everything else about the step.
        """
        actions, rewards = transitions.actions.tolist(), transitions.rewards.tolist()
        for index, episode in enumerate(self._playing):
            if transitions.valid[index]:
                episode.append(changes[index], actions[index], rewards[index])
            if transitions.ended[index]:
                self._playing[index] = Episode()
                if episode.actions:
                    self._over.append(episode)

    def take(self) -> TensorDict:
        """Remove the episode that has been over for longest; gives `Episode.to_tensors`.

        Raises:
            LookupError: none is over.
        """
        if not self._over:
            raise LookupError("no episode is over yet; cache more steps")
        return self._over.popleft().to_tensors(self._num_pixels)

    def state_dict(self) -> dict[str, Any]:
        """All that it holds."""
        return {
            "playing": [episode.state_dict() for episode in self._playing],
            "over": [episode.state_dict() for episode in self._over],
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Hold what was held when `state_dict` was taken.

        Raises:
            ValueError: it is of another number of games.
        """
        if len(state["playing"]) != len(self._playing):
            raise ValueError(
                f"the state is of {len(state['playing'])} games; give one of {len(self._playing)}"
            )
        self._playing = [Episode.of_state(each) for each in state["playing"]]
        self._over = deque(Episode.of_state(each) for each in state["over"])
