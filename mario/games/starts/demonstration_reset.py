"""A wrapper that starts episodes on demonstrations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym

from mario.games.starts.demonstration_starts import Demonstration, DemonstrationPoint

OPTION = "demonstration_start"
"""Option of ``reset``: the `DemonstrationPoint` to start at."""


class ResetToDemonstration(gym.Wrapper[Any, Any, Any, Any]):
    """Start episodes on a demonstration, by playing its actions up to the start.

    ``reset`` accepts the option `OPTION`. The wrappers around this one observe only the point where
    the episode starts.

    Args:
        env: A deterministic game, one frame per step, whose ``reset`` accepts the option ``noops``.
        demonstrations: The demonstrations.
        skip: Frames per step of the demonstrations.
    """

    def __init__(
        self, env: gym.Env[Any, Any], demonstrations: Sequence[Demonstration], skip: int
    ) -> None:
        super().__init__(env)
        self._demonstrations, self._skip = demonstrations, skip

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """See `gymnasium.Env.reset`."""
        options = dict(options or {})
        start: DemonstrationPoint | None = options.pop(OPTION, None)
        if start is None:
            return self.env.reset(seed=seed, options=options)
        demonstration = self._demonstrations[start.demonstration]
        options["noops"] = demonstration.noops
        observation, info = self.env.reset(seed=seed, options=options)
        for action in demonstration.actions[: start.position]:
            for _ in range(self._skip):
                observation, _, _, _, info = self.env.step(action)
        return observation, info
