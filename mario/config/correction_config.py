"""The configuration of the search for corrections of failures."""

from __future__ import annotations

from dataclasses import dataclass

from mario.config.validation import require_at_least, require_probability
from mario.errors import UsageError

COUNTS = (
    "branches",
    "max_hold",
    "max_segments",
    "survive_steps",
    "min_successes",
    "stall_steps",
)
"""Fields that must be at least 1."""


@dataclass(frozen=True)
class CorrectionConfig:
    """How failures are corrected, for agents that learn from corrections.

    A branch returns to an earlier step, holds one or a few actions, and lets the policy continue.
    It succeeds if it survives longer and gets farther than the failed episode.

    >>> CorrectionConfig(branches=0)
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: corrections.branches must be at least 1, got 0
    """

    branches: int = 32
    """Number of branches that are tried at the same time."""
    depths: tuple[int, ...] = (12, 18, 26, 36, 48, 64, 96)
    """Maximum number of steps that the branches return, one number for each round of branches."""
    max_hold: int = 12
    """Maximum number of steps for which a branch holds an action."""
    max_segments: int = 3
    """Maximum number of actions that a branch holds one after the other. More than one are only
    tried where one does not suffice."""
    survive_steps: int = 16
    """Steps after the failure that a branch must survive."""
    min_progress: int = 24
    """Pixels beyond the failure that a branch must reach."""
    min_successes: int = 4
    """Successful branches after which the search ends."""
    stall_steps: int = 40
    """Steps without progress that count as a failure."""
    weight: float = 3.0
    """Weight of a correction in learning; the agent's own actions have the weight 1."""
    noise: float = 0.03
    """Maximum probability of a random action. Of every four episodes two have none, one has a
    third of it, and one has all of it."""

    def __post_init__(self) -> None:
        for name in COUNTS:
            require_at_least(f"--corrections.{name.replace('_', '-')}", getattr(self, name), 1)
        for name in ("min_progress", "weight"):
            require_at_least(f"--corrections.{name.replace('_', '-')}", getattr(self, name), 0)
        require_probability("--corrections.noise", self.noise)
        if not self.depths or min(self.depths) < 1:
            raise UsageError(f"--corrections.depths must be 1 or more each, got {self.depths}")
