"""The messages between the driver and its workers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:  # a worker that needs no torch must start fast
    from agents import AgentConfig
    from mario.config.env_config import EnvConfig
    from mario.training.loop import TrainingStep

Policy = dict[str, Any]
"""Tensors by name, as `agents.Agent.policy_state_dict` returns them."""


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker is built from.

    Attributes:
        env_config: configuration of the environments.
        agent: name of the agent.
        hyper: hyperparameters of one worker's agent.
        num_envs: environments of this worker.
        seed: seed of the run.
        worker: index of the worker.
        num_workers: number of workers of the run.
        threads: CPU threads of the worker.
        folder: folder for the worker's replay memory, on its own machine.
        life: number of workers that had this index before. A replacement has other episodes and
            random numbers, and its own replay memory.
        noise: shares of random actions, one per environment of the run in turn; empty for none.
    """

    env_config: EnvConfig
    agent: str
    hyper: AgentConfig
    num_envs: int
    seed: int
    worker: int
    num_workers: int
    threads: int
    folder: Path
    life: int = 0
    noise: tuple[float, ...] = ()


@dataclass(frozen=True)
class Start:
    """The point at which a worker starts.

    Attributes:
        policy: weights; target networks start as copies of them.
        steps: agent steps that each worker has taken so far.
        state: what `state_dict` of an earlier worker returned, None to start new episodes.
    """

    policy: Policy
    steps: int
    state: dict[str, Any] | None = None


@dataclass(frozen=True)
class Weights:
    """A version of the learned parameters.

    Attributes:
        version: number of updates before it.
        values: all parameters, float32, see `mario.cluster.workers.tensors.flatten`.
        scalars: what the update returned, None if it was skipped.
    """

    version: int
    values: NDArray[np.float32]
    scalars: dict[str, float] | None = None


@dataclass(frozen=True)
class Gradients:
    """The gradient of one worker for one update.

    Attributes:
        version: version of the weights with which it was computed.
        values: see `mario.cluster.workers.tensors.flatten`.
        layout: shape and strides of the gradient of each parameter.
        means: scalars of the loss function.
        learning_rate: learning rate of the update.
    """

    version: int
    values: NDArray[np.float32]
    layout: tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]
    means: dict[str, float]
    learning_rate: float


@dataclass(frozen=True)
class Report:
    """What a gradient worker did since its last report.

    Attributes:
        steps: the steps, without states.
        gradients: the gradient for the next update, or None if the worker only paused.
        round_ended: whether the agent finished a round of learning.
    """

    steps: tuple[TrainingStep, ...]
    gradients: Gradients | None = None
    round_ended: bool = False


@dataclass(frozen=True)
class Chunk:
    """Consecutive steps of a player's environments.

    Attributes:
        version: version of the weights that chose the actions.
        frames: the newest frame of each state, uint8 ``(steps, num_envs, height, width)``.
        final_frames: the last frame of each truncated episode, uint8 ``(height, width)``, by step
            and environment.
        steps: actions, rewards and endings: one `TrainingStep` without states for each step.
        envs: replay log of the environments after the chunk. A replacement of the player continues
            there, so that a lost chunk leaves no gap in an episode.
    """

    version: int
    frames: NDArray[np.uint8]
    final_frames: dict[tuple[int, int], NDArray[np.uint8]]
    steps: tuple[TrainingStep, ...]
    envs: list[dict[str, Any]]

    @property
    def nbytes(self) -> int:
        """Bytes of the frames, which are nearly all of the message."""
        return self.frames.nbytes + sum(frame.nbytes for frame in self.final_frames.values())
