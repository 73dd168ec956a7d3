"""The configuration of how trained agents teach another one."""

from __future__ import annotations

from dataclasses import dataclass

from mario.config.validation import require_at_least, require_positive, require_probability


@dataclass(frozen=True)
class TeachingConfig:
    """How teachers label observations, and how often they act.

    >>> TeachingConfig(temperature=0)
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: teaching.temperature must be above 0, got 0
    """

    temperature: float = 0.03
    """Divides the action values of a teacher before the softmax that makes probabilities of them.
    Lower values are nearer to its greedy policy."""
    teacher_share: float = 0.1
    """Fraction of the episodes in which the teacher acts instead of the agent. In the first episode
    of each environment it always does."""
    teacher_share_episodes: int = 8
    """Episodes of an environment over which that fraction falls linearly from 1."""

    def __post_init__(self) -> None:
        require_positive("--teaching.temperature", self.temperature)
        require_probability("--teaching.teacher-share", self.teacher_share)
        flag = "--teaching.teacher-share-episodes"
        require_at_least(flag, self.teacher_share_episodes, 1)
