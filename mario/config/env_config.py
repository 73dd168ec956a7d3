"""The configuration of an environment: the game, its actions and its wrappers.

This module must not import torch, because every worker process imports it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, Self

from mario.config.validation import require_at_least, require_at_most, require_probability
from mario.errors import UsageError
from wrappers import WrapperConfig

EmulatorName = Literal["auto", "native", "nes-py"]
"""Values of ``--emulator``, see `mario.emulators`."""

Device = Literal["auto", "cpu", "cuda", "mps"]
"""Values of ``--device``, see `mario.runs.agent_factory.resolve_device`."""

NOOP_LIMIT = 1000, "the time of a level would run out"
"""Maximum number of no-op frames at the start of an episode, and the reason."""

DEFAULT_GAME = "SuperMarioBros-1-1-v0"


@dataclass(frozen=True)
class StartCurriculumConfig:
    """How often episodes start later than at the beginning of the game.

    They start shortly before the point where an earlier episode was lost, or on a demonstration.

    >>> StartCurriculumConfig(probability=1.5)
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: start_curriculum.probability must be between 0 and 1, got 1.5
    """

    probability: float = 0.0
    """Probability that the episode after a lost one starts shortly before the end of a lost
    episode."""
    farthest_probability: float = 0.0
    """Probability that such an episode follows the trajectory with the highest return since the
    game was last won, instead of the latest one."""
    demonstration_probability: float = 0.5
    """Probability that an episode starts on a demonstration, if there are any."""
    demonstration_max_steps: int = 0
    """Steps after which an episode that started on a demonstration is truncated; 0 for no limit."""

    def __post_init__(self) -> None:
        for name in ("probability", "farthest_probability", "demonstration_probability"):
            flag = f"--start-curriculum.{name.replace('_', '-')}"
            require_probability(flag, getattr(self, name))
        if self.demonstration_probability == 1:
            raise UsageError(
                "--start-curriculum.demonstration-probability must be below 1, got 1; some "
                "episodes must start at the beginning of the game"
            )
        flag = "--start-curriculum.demonstration-max-steps"
        require_at_least(flag, self.demonstration_max_steps, 0)


@dataclass(frozen=True)
class EndingRewardConfig:
    """Rewards for how an episode ends, added after scaling and clipping.

    >>> EndingRewardConfig(success=math.inf)
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: ending_reward.success must be finite, got inf
    """

    success: float = 0.0
    """Added to the last reward of an episode that reaches the goal."""
    failure: float = 0.0
    """Added to the last reward of an episode that is lost; below 0 for a penalty."""

    def __post_init__(self) -> None:
        for name in ("success", "failure"):
            if not math.isfinite(value := getattr(self, name)):
                raise UsageError(f"--ending-reward.{name} must be finite, got {value}")
            require_at_most(f"--ending-reward.{name}", abs(value), 1e6, "learning would diverge")


@dataclass(frozen=True)
class EnvConfig:
    """The complete configuration of one environment."""

    game: str
    """ID in Gymnasium's registry, or ``module:ID`` for a game that the module registers."""
    actions: str | Sequence[Sequence[str]] | None = None
    """Action set: a name, the buttons of each action (also as JSON), or None for the default."""
    emulator: str = "auto"
    """Emulator for NES games: ``"auto"``, ``"native"`` or ``"nes-py"``."""
    wrappers: WrapperConfig = field(default_factory=WrapperConfig)
    """Preprocessing of observations, actions and rewards."""
    start_curriculum: StartCurriculumConfig = field(default_factory=StartCurriculumConfig)
    """How often episodes start later than at the beginning of the game."""
    ending_reward: EndingRewardConfig = field(default_factory=EndingRewardConfig)
    """Rewards for how an episode ends."""

    def first_in_use(self, *wrappers: str) -> str | None:
        """Return a text that names the first of some wrapper settings in use, or None.

        Args:
            *wrappers: Names of fields of `wrappers.WrapperConfig`.

        >>> EnvConfig("Tetris-v0", wrappers=WrapperConfig(crop_top=8)).first_in_use("crop_top")
        '--wrappers.crop-top is set'
        """
        used = [name for name in wrappers if getattr(self.wrappers, name)]
        return f"--wrappers.{used[0].replace('_', '-')} is set" if used else None

    def for_evaluation(self, noop_max: int, repeat_action_probability: float = 0.0) -> Self:
        """Return the configuration for evaluating the agent.

        Each episode is a whole game from its beginning. The observations are unchanged.

        Args:
            noop_max: Maximum number of no-op frames at the start of an episode.
            repeat_action_probability: Probability of a sticky action in each frame.

        >>> EnvConfig("Tetris-v0").for_evaluation(30).wrappers.noop_max
        30
        """
        wrappers = replace(
            self.wrappers,
            noop_max=noop_max,
            repeat_action_probability=repeat_action_probability,
            terminal_on_life_loss=False,
        )
        return replace(self, wrappers=wrappers, start_curriculum=StartCurriculumConfig())
