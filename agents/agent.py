"""What every agent is: four verbs, and a state that can be saved.

``act`` chooses, ``cache`` remembers, ``recall`` gives a training batch, ``learn`` learns from it.
Whatever is written in these four verbs is trained, resumed, evaluated, shown and filmed by the same
program, whichever game it plays.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Self

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

States = NDArray[np.uint8]
Actions = NDArray[np.int64]

EPISODE_START = -1
"""Index that stands for a new episode, see `Agent.carry_recurrent_state`."""


class Transitions(NamedTuple):
    """One step of every environment.

    Attributes:
        states: observations before the step, uint8 ``(num_envs, *state_shape)``.
        actions: actions taken, int64 ``(num_envs,)``.
        rewards: float32 ``(num_envs,)``.
        terminated: whether the game ended, so that nothing follows ``next_states``; bool
            ``(num_envs,)``.
        truncated: whether the episode was cut short although the game could go on; bool
            ``(num_envs,)``.
        next_states: observations after the step, uint8 ``(num_envs, *state_shape)``. Where an
            episode ended, this is its final observation, not the first of the next episode.
        valid: False where the environment crashed in this step. The step never happened: nothing
            may be learned from it, and its episode, marked as truncated, ended with ``states``.
            bool ``(num_envs,)``.
    """

    states: States
    actions: Actions
    rewards: NDArray[np.float32]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    next_states: States
    valid: NDArray[np.bool_]

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Whether an episode ended with the step, bool ``(num_envs,)``."""
        return self.terminated | self.truncated


@dataclass(frozen=True)
class AgentSpec:
    """Where an agent lives: the games it plays and the machine it runs on.

    Attributes:
        state_shape: shape of what it sees of one game, e.g. ``(4, 84, 84)``; always uint8.
        num_actions: how many actions there are to choose from.
        num_envs: how many games it plays at a time.
        device: a torch device, ``"cpu"`` or ``"cuda"``.
        seed: seeds everything that the agent draws.
        folder: where a memory too large for RAM is kept; None for a temporary folder.
        training: False for an agent that only plays: it needs no memory and never explores.
        threads: how many may compute at a time on a CPU. Torch's own number stays as it is.
    """

    state_shape: tuple[int, ...]
    num_actions: int
    num_envs: int = 1
    device: str = "cpu"
    seed: int = 0
    folder: Path | None = None
    training: bool = True
    threads: int = 1


@dataclass(frozen=True)
class AgentConfig:
    """The hyper-parameters of an agent; one frozen dataclass per kind of agent."""

    def for_run(self, steps: int | None) -> Self:
        """The same for a run of so many decisions over all games, None for one without a number.

        Made once, for a new run: what is resumed has what it began with, however long it becomes.
        """
        del steps
        return self

    def _require(self, name: str, holds: bool, remedy: str) -> None:
        """Refuse a value that does not hold.

        Raises:
            ValueError: it does not; names the value and the remedy.
        """
        if not holds:
            raise ValueError(f"{name} is {getattr(self, name)}; give {remedy}")


class Agent(ABC):
    """Plays ``spec.num_envs`` games at a time, and learns from them.

    A subclass need only write the four verbs. One with hyper-parameters names their dataclass in
    `Config`, and one with collaborators (network, memory, ...) takes them in its constructor and
    makes them in `build`.
    """

    Config: ClassVar[type[AgentConfig]] = AgentConfig
    reported_metrics: ClassVar[tuple[str, ...]] = ("loss", "q")
    """Names among what `learn` returns that get a column and a curve each, in this order."""

    transient: ClassVar[tuple[str, ...]] = ()
    """Names of attributes that resuming does not need; they are not saved."""

    def __init__(self, spec: AgentSpec) -> None:
        self.spec = spec
        self.training = spec.training

    @classmethod
    def build(cls, spec: AgentSpec, config: AgentConfig) -> Self:
        """Make an agent and its collaborators from a configuration.

        Args:
            spec: the games and the machine.
            config: an instance of ``cls.Config``.
        """
        del config
        return cls(spec)

    @abstractmethod
    def act(self, states: States) -> Actions:
        """Choose one action per game: exploring while `training`, else greedy.

        Args:
            states: uint8, ``(num_envs, *state_shape)``. Only read.

        Returns:
            int64, ``(num_envs,)``, each in ``[0, num_actions)``.
        """

    @abstractmethod
    def cache(self, transitions: Transitions) -> None:
        """Store one transition of every environment."""

    @abstractmethod
    def recall(self) -> TensorDict:
        """A training batch from memory, on the agent's device."""

    @abstractmethod
    def learn(self) -> dict[str, float] | None:
        """One round of learning, if it is time for one.

        Returns:
            Named scalars (``loss``, ``q``, ...), or None when nothing was learned.
        """

    def action_values(self, states: States) -> NDArray[np.float32] | None:
        """What it makes of each action: the greater, the sooner it would choose it.

        Args:
            states: uint8, ``(num_envs, *state_shape)``. Only read.

        Returns:
            float32, ``(num_envs, num_actions)``; None for an agent that has no such numbers.
        """
        del states
        return None

    @property
    def action_values_name(self) -> str:
        """What the numbers are that `action_values` gives."""
        return "value"

    def train(self, mode: bool = True) -> None:
        """Explore and learn from now on, or with ``mode=False`` only play, as well as possible."""
        self.training = mode

    def carry_recurrent_state(self, indices: NDArray[np.int64]) -> None:
        """Reorder or reset the recurrent state before the next `act`.

        Code that calls `act` without `cache` must call this where an episode begins and where an
        environment is no longer shown. In training, `cache` knows where episodes end. Agents
        without a recurrent state ignore it.

        Args:
            indices: for each row of the next batch of states, the row of the same environment in
                the previous batch, or `EPISODE_START` where a new episode begins. int64.
        """

    @property
    def exploration_rate(self) -> float:
        """Share of actions that are random at present, 0 for an agent that never explores."""
        return 0.0

    @property
    def describe_replay(self) -> str:
        """One line on the memory's size and place, for the user to read before training starts."""
        return "memory: none"

    def policy_state_dict(self) -> dict[str, Any]:
        """Return the tensors that acting needs, by name; a checkpoint holds them as ``model``.

        These are the tensors of all modules, and all attributes that are tensors or arrays.
        """
        return dict(collect_policy(self, self.transient))

    def load_policy_state_dict(self, weights: dict[str, Any]) -> None:
        """Restore what `policy_state_dict` returned.

        Raises:
            ValueError: a name or a shape differs.
        """
        restore_policy(self, weights, self.transient)

    def state_dict(self) -> dict[str, Any]:
        """Return all that exact resuming needs, as nested dicts of tensors, numbers and strings.

        It is collected from the attributes, see `agents.stateful`.

        Raises:
            TypeError: an attribute can neither be saved nor left out. The message says what to do.
        """
        return collect_state(self, ("training", *self.transient))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ValueError: the state is of another agent, network or number of environments.
        """
        restore_state(self, state, ("training", *self.transient))

    def persistent_parts(self) -> list[Persistent]:
        """Return the parts that keep data on disk."""
        return [part for part in vars(self).values() if isinstance(part, Persistent)]

    def close(self) -> None:
        """Free what the agent holds."""
