"""The interface of the vector environments that `make_vector_env` chooses among."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, Self

from mario.config.env_config import EnvConfig
from mario.games.starts.demonstration_starts import DemonstrationStarts
from mario.vector.base import GameVectorEnv
from mario.vector.seeding import SeedFunction, episode_seed


@dataclass(frozen=True)
class EpisodeOptions:
    """How the episodes of vector environments start, and who is told of crashes.

    Attributes:
        seed: Seed of the run.
        seed_function: Derives the seed of each episode, see `mario.vector.seeding`.
        report: Receives one line for each environment that crashes.
        starts: Draws episodes that start on demonstrations; None if there are none.
    """

    seed: int = 0
    seed_function: SeedFunction = episode_seed
    report: Callable[[str], None] = print
    starts: DemonstrationStarts | None = None


class BackendVectorEnv(GameVectorEnv, ABC):
    """Vector environments that are made from a configuration.

    Attributes:
        bytes_per_env: Approximate memory of an environment, without its observations.
        files_per_env: Files that an environment keeps open in this process.
    """

    bytes_per_env: ClassVar[int] = 2_000_000
    files_per_env: ClassVar[int] = 0

    @classmethod
    @abstractmethod
    def limitation(cls, config: EnvConfig) -> str | None:
        """Return why this class cannot run a configuration, or None if it can.

        The reason names the setting, for example ``"--emulator is nes-py"``.
        """

    @classmethod
    @abstractmethod
    def preferred_num_envs(cls, config: EnvConfig) -> int:
        """Return the number of environments that runs fastest while no agent learns."""

    @classmethod
    @abstractmethod
    def create(cls, config: EnvConfig, num_envs: int, options: EpisodeOptions) -> Self:
        """Create the environments of a configuration that the class supports.

        Args:
            config: The configuration of each environment.
            num_envs: Number of environments.
            options: How episodes start.
        """
