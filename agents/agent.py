"""The base class of agents.

An agent implements four methods: ``act`` chooses actions, ``cache`` stores transitions, ``recall``
returns a training batch, and ``learn`` updates the agent. The program trains, resumes, evaluates
and displays every agent through them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from tensordict import TensorDict

from agents.stateful import (
    Persistent,
    collect_policy,
    collect_state,
    restore_policy,
    restore_state,
)
from agents.transitions import Actions, States, Transitions

EPISODE_START = -1
"""Index that stands for a new episode, see `Agent.carry_recurrent_state`."""


@dataclass(frozen=True)
class AgentSpec:
    """The environments and the hardware that an agent is built for.

    Attributes:
        state_shape: Shape of a state, for example ``(4, 84, 84)``; states are uint8.
        num_actions: Number of actions.
        num_envs: Number of parallel environments.
        device: A torch device, ``"cpu"``, ``"cuda"`` or ``"mps"``.
        seed: Seed of the agent's random generators.
        folder: Folder for data on disk, such as the replay memory; None for a temporary folder.
        training: False for an agent that is only evaluated: it has no replay memory and never
            explores.
        threads: Threads that the agent may use on a CPU. Torch's own setting is unchanged.
        worker: Index of the worker whose environments these are, if several workers train together.
        num_workers: Number of workers, each with ``num_envs`` environments.
        demonstrations: Transitions of one environment to learn from besides those that the agent
            caches, or None. They may be iterated several times. Some agents ignore them.
    """

    state_shape: tuple[int, ...]
    num_actions: int
    num_envs: int = 1
    device: str = "cpu"
    seed: int = 0
    folder: Path | None = None
    training: bool = True
    threads: int = 1
    worker: int = 0
    num_workers: int = 1
    demonstrations: Iterable[Transitions] | None = None


@dataclass(frozen=True)
class AgentConfig:
    """Base class of hyperparameters. Each class of agents has its own frozen dataclass."""

    def for_run(self, steps: int | None) -> Self:
        """Return a copy adapted to the length of a run.

        It is called once for a new run. A resumed run keeps its hyperparameters, even if it becomes
        longer.

        Args:
            steps: Number of steps of the run over all environments, or None if it is not limited.
        """
        del steps
        return self

    def for_worker(self, num_workers: int) -> Self:
        """Return a copy for one of several workers that together train as one agent does.

        Args:
            num_workers: Number of workers, each with an equal share of environments and batches.

        Raises:
            ValueError: A batch cannot be divided into equal shares.
        """
        del num_workers
        return self

    def without_memory(self) -> Self:
        """Return a copy for an agent that never learns from its own replay memory."""
        return self

    def _share(self, name: str, num_workers: int) -> int:
        """Return one worker's share of a field, which must be a multiple of ``num_workers``."""
        total = int(getattr(self, name))
        self._require(name, total % num_workers == 0, f"a multiple of the {num_workers} workers")
        return total // num_workers

    def _require_at_most(self, maxima: Mapping[str, tuple[float, str]]) -> None:
        """Check that fields are not above a maximum.

        Args:
            maxima: The maximum by the name of the field, and the reason, as the end of a sentence
                after "because".

        Raises:
            ValueError: A field is above its maximum. The message names the value and the reason.
        """
        for name, (maximum, reason) in maxima.items():
            value = getattr(self, name)
            holds = value is None or value <= maximum
            self._require(name, holds, f"at most {maximum:,}, because {reason}")

    def _require(self, name: str, holds: bool, remedy: str) -> None:
        """Check a condition on the value of a field.

        Args:
            name: Name of the field.
            holds: Whether the condition holds.
            remedy: Description of valid values.

        Raises:
            ValueError: The condition does not hold. The message names the value and the remedy.
        """
        if not holds:
            raise ValueError(f"{name} is {getattr(self, name)}; give {remedy}")


class Agent(ABC):
    """Base class of agents, which act and learn in ``spec.num_envs`` environments.

    A subclass must implement `act`, `cache`, `recall` and `learn`. A subclass with hyperparameters
    sets `Config` to their dataclass. A subclass with parts (network, replay memory, ...) accepts
    them in its constructor and creates them in `build`.

    Args:
        spec: The environments and the hardware.
    """

    Config: ClassVar[type[AgentConfig]] = AgentConfig
    reported_metrics: ClassVar[tuple[str, ...]] = ("loss", "q")
    """Names of the metrics returned by `learn` that are logged and plotted, in this order."""

    guided_by: ClassVar[Literal["corrections", "teachers"] | None] = None
    """What the agent imitates: corrections of its failures, for which its environments search, or
    trained agents that label what it observes. The environments report it as `Guidance`."""

    transient: ClassVar[tuple[str, ...]] = ()
    """Names of attributes that are not saved because resuming does not need them."""

    def __init__(self, spec: AgentSpec) -> None:
        self.spec = spec
        self.training = spec.training

    @classmethod
    def build(cls, spec: AgentSpec, config: AgentConfig) -> Self:
        """Create an agent and its parts from a configuration.

        Args:
            spec: The environments and the hardware.
            config: An instance of ``cls.Config``.
        """
        del config
        return cls(spec)

    @abstractmethod
    def act(self, states: States) -> Actions:
        """Choose one action per environment, with exploration if `training`, otherwise greedily.

        Args:
            states: uint8, ``(num_envs, *state_shape)``. Must not be modified.

        Returns:
            int64, ``(num_envs,)``, each in ``[0, num_actions)``.
        """

    @abstractmethod
    def cache(self, transitions: Transitions) -> None:
        """Store one transition of every environment."""

    @abstractmethod
    def recall(self) -> TensorDict:
        """Return a training batch on the agent's device."""

    @abstractmethod
    def learn(self) -> dict[str, float] | None:
        """Perform the updates that are due.

        Returns:
            Metrics by name (``loss``, ``q``, ...), or None if no update was due.
        """

    def action_values(self, states: States) -> NDArray[np.float32] | None:
        """Return a score of each action for display; the agent prefers actions with high scores.

        Args:
            states: uint8, ``(num_envs, *state_shape)``. Must not be modified.

        Returns:
            float32, ``(num_envs, num_actions)``, or None if the agent has no such scores.
        """
        del states
        return None

    @property
    def action_values_name(self) -> str:
        """Name of what `action_values` returns, for example ``"value"`` or ``"probability"``."""
        return "value"

    def start_at(self, steps: int) -> None:
        """Continue schedules as after ``steps`` steps, in a worker that joins a run later."""

    def train(self, mode: bool = True) -> None:
        """Switch to training mode, or with ``mode=False`` to evaluation mode (greedy)."""
        self.training = mode

    def carry_recurrent_state(self, indices: NDArray[np.int64]) -> None:
        """Reorder or reset the recurrent state before the next `act`.

        Code that calls `act` without `cache` must call this when an episode starts and when an
        environment is left out of the batch. In training, `cache` receives the ends of episodes.
        Agents without a recurrent state ignore it.

        Args:
            indices: For each row of the next batch of states, the row of the same environment in
                the previous batch, or `EPISODE_START` for a new episode; int64.
        """

    @property
    def exploration_rate(self) -> float:
        """Current probability of a random action, 0 for an agent that never explores."""
        return 0.0

    @property
    def replay_description(self) -> str:
        """One line about the size and folder of the replay memory, printed before training."""
        return "memory: none"

    def policy_state_dict(self) -> dict[str, Any]:
        """Return the tensors needed to act, by name; a checkpoint stores them as ``model``.

        These are the tensors of all modules, and all attributes that are tensors or arrays.
        """
        return dict(collect_policy(self, self.transient))

    def load_policy_state_dict(self, weights: dict[str, Any]) -> None:
        """Restore what `policy_state_dict` returned.

        Raises:
            ValueError: A name or a shape differs.
        """
        restore_policy(self, weights, self.transient)

    def state_dict(self) -> dict[str, Any]:
        """Return everything needed for an exact resume: nested dicts of tensors, numbers, strings.

        The state is collected from the attributes, see `agents.stateful`.

        Raises:
            TypeError: An attribute can neither be saved nor left out. The message says what to do.
        """
        return collect_state(self, ("training", *self.transient))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ValueError: The state belongs to another agent, network or number of environments.
        """
        restore_state(self, state, ("training", *self.transient))

    def persistent_parts(self) -> list[Persistent]:
        """Return the parts that keep data on disk."""
        return [part for part in vars(self).values() if isinstance(part, Persistent)]

    def close(self) -> None:
        """Release the resources of the agent."""
