"""A training session over a cluster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents import Agent, AgentConfig, AgentSpec, DDQNConfig
from mario.cluster.protocol import Fleet
from mario.cluster.trainer import GradientTrainer, PlayerTrainer
from mario.cluster.workers.building import find_learner
from mario.cluster.workers.messages import WorkerSetup
from mario.config.run_config import TrainConfig
from mario.errors import UsageError
from mario.runs.agent_factory import agent_class, build_agent, env_dimensions, resolve_device
from mario.system.announce import counted
from mario.system.threads import spare_cores
from mario.training.callbacks import Callback
from mario.training.session import Session
from mario.training.trainer import Trainer
from mario.vector.base import GameVectorEnv


class ClusterSession(Session):
    """A run whose environments are divided among the workers of a fleet.

    Args:
        config: the configuration of the run, with `workers` set to the size of the fleet.
        resume: see `Session`.
        fleet: the workers, which are not hired yet; closed with the session.
        stop: see `Session`.
        callbacks: see `Session`.

    Raises:
        UsageError: the run cannot be divided among the workers, or see `Session`.
    """

    def __init__(
        self,
        config: TrainConfig[Any],
        resume: Path | None,
        *,
        fleet: Fleet,
        stop: Callable[[], bool],
        callbacks: Sequence[Callback] = (),
    ) -> None:
        if config.demos:
            raise UsageError(
                f"--demos {' '.join(config.demos)} does not work with a cluster yet; "
                "omit --demos, or train without workers"
            )
        if (guide := agent_class(config.agent).guided_by) is not None:
            raise UsageError(
                f"--agent {config.agent} learns from {guide}, for which workers have no "
                "environments; omit --cluster"
            )
        self._fleet = fleet
        self._worker_envs = worker_envs(config.num_envs, fleet.size)
        self._plays = config.cluster_mode == "players"
        self._threads = 1 if self._plays else config.threads or 1
        try:
            self._worker_hyper = _worker_hyper(config, fleet.size)
        except UsageError:
            raise
        except ValueError as error:
            raise UsageError(f"--workers {fleet.size}: --hyper.{error}") from None
        super().__init__(config, resume, stop=stop, callbacks=callbacks)

    def _describe_memory(self, agent: Agent) -> str:
        workers, envs = self._fleet.size, self._worker_envs
        each = f"{counted(envs, 'environment')} each"
        return f"cluster: {counted(workers, 'worker')} at {self._fleet.address}, {each}"

    def _make_training_envs(self) -> GameVectorEnv:
        """Make one environment, from which the agent's dimensions are taken."""
        return self._make_envs(1, self._config.seed, self._config.env_config)

    def _make_agent(self, envs: GameVectorEnv) -> Agent:
        """Make the agent of the driver; with players, it has the replay memory of the run."""
        config = self._config
        state_shape, num_actions, _ = env_dimensions(envs)
        spec = AgentSpec(
            state_shape, num_actions, self._worker_envs,
            device=resolve_device(config.device), seed=config.seed, threads=self._threads,
        )  # fmt: skip
        hyper = config.hyper.without_memory()
        if self._plays:
            hyper = config.hyper
            spec = replace(
                spec, num_envs=config.num_envs, folder=self.run.path / "memory",
                threads=config.threads or spare_cores(0),
            )  # fmt: skip
        agent = build_agent(config.agent, hyper, spec)
        find_learner(agent)
        return agent

    def _make_trainer(
        self, agent: Agent, envs: GameVectorEnv, callbacks: Sequence[Callback]
    ) -> Trainer:
        config = self._config
        trainer = PlayerTrainer if self._plays else GradientTrainer
        return trainer(
            agent, envs, callbacks,
            fleet=self._fleet, make_setup=self._make_setup, report=self._report,
            total_episodes=config.total_episodes, total_steps=config.steps, stop=self._stop,
        )  # fmt: skip

    def _make_setup(self, worker: int, life: int) -> WorkerSetup:
        config = self._config
        return WorkerSetup(
            config.env_config, config.agent, self._worker_hyper, self._worker_envs, config.seed,
            worker=worker, num_workers=self._fleet.size, threads=self._threads,
            folder=(self.run.path / "memory").absolute(), life=life, noise=config.noise,
        )  # fmt: skip


def _worker_hyper(config: TrainConfig[Any], workers: int) -> AgentConfig:
    """Return the hyperparameters of a worker.

    Raises:
        UsageError: the agent cannot learn from players.
        ValueError: batches cannot be divided among the workers.
    """
    hyper: AgentConfig = config.hyper
    if config.cluster_mode == "gradients":
        return hyper.for_worker(workers)
    if not isinstance(hyper, DDQNConfig):
        raise UsageError(
            f"--cluster-mode players needs --agent ddqn, not {config.agent}; use gradients"
        )
    # A player learns nothing, so these need not be multiples of the number of workers.
    hyper = replace(hyper, batch_size=workers, learn_every=workers)
    return hyper.without_memory().for_worker(workers)


def worker_envs(num_envs: int, workers: int) -> int:
    """Return the number of environments of each worker.

    Raises:
        UsageError: they cannot be divided equally.

    >>> worker_envs(8, 2)
    4
    """
    if num_envs % workers:
        above = (num_envs // workers + 1) * workers
        raise UsageError(
            f"--num-envs {num_envs} cannot be divided among {workers} workers; "
            f"use --num-envs {above}"
        )
    return num_envs // workers


def default_workers(config: TrainConfig[Any], cores: int) -> TrainConfig[Any]:
    """Return the configuration with a number of workers: as many as there are cores for.

    Args:
        config: the configuration; a given number of workers is kept.
        cores: free cores of the cluster.
    """
    if config.workers is not None:
        return config
    most = max(1, min(config.num_envs, cores // (config.threads or 1)))
    fitting = (count for count in range(most, 0, -1) if config.num_envs % count == 0)
    return replace(config, workers=next(fitting))
