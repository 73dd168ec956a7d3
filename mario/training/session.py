"""A training session: assembles the parts of a run, trains, and closes them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agents import Agent, AgentSpec
from mario.config.env_config import EnvConfig
from mario.config.run_config import TrainConfig
from mario.config.serialization import to_dict
from mario.corrections.correcting_env import CorrectingVectorEnv, make_correcting_env
from mario.distillation import make_teaching_env, prepare_teachers
from mario.errors import UsageError
from mario.evaluation.evaluator import Evaluator
from mario.games.starts.demonstration_starts import DemonstrationStarts
from mario.metrics.logger import MetricLogger
from mario.runs.agent_factory import (
    agent_class,
    build_agent,
    env_dimensions,
    resolve_device,
)
from mario.runs.file_kind import CONFIG
from mario.runs.machine_changes import describe_changes
from mario.runs.run_folder import LAST, RunFolder
from mario.runs.trained_agent import load_agent
from mario.system.announce import announced, counted
from mario.system.threads import spare_cores
from mario.training.callbacks import Callback
from mario.training.checkpointer import CONFIG_KEYS, Checkpointer, check_disk
from mario.training.demonstrations import DemonstrationTransitions, prepare_demonstrations
from mario.training.diagnostics import TrainingDiagnostics
from mario.training.noise import ActionNoise
from mario.training.standard_callbacks import (
    EvaluationCallback,
    FiguresCallback,
    MetricsCallback,
    ProgressCallback,
    TimeLimit,
    make_progress_bar,
)
from mario.training.state_check import StateCheck, check_state
from mario.training.trainer import Trainer
from mario.vector.base import GameVectorEnv
from mario.vector.make import make_vector_env, preferred_num_envs, slow_reason


class Session:
    """An open run: a new one, or an earlier one that is resumed.

    Args:
        config: the configuration of the run.
        resume: folder of the run to resume, or None for a new run.
        stop: polled after each step; True stops training early.
        callbacks: called after the standard callbacks, but before the run is saved.

    Attributes:
        run: the run's folder.
        trainer: the trainer.

    Raises:
        UsageError: the run cannot be started or resumed with this configuration.
        RunError: an environment cannot be started.
    """

    def __init__(
        self,
        config: TrainConfig[Any],
        resume: Path | None,
        *,
        stop: Callable[[], bool],
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self._config, self._stop = config, stop
        with ExitStack() as stack:
            self._progress = stack.enter_context(make_progress_bar(config))
            self._report = self._progress.write
            self.run = self._open_run(resume, stack)
            self._demonstrations = prepare_demonstrations(config, self.run.path, self._report)
            self._teachers = prepare_teachers(config, self.run.path)
            with announced(f"starting {counted(config.num_envs, 'environment')}", self._report):
                envs = self._make_training_envs()
            stack.callback(envs.close)
            agent = self._make_agent(envs)
            stack.callback(agent.close)
            if isinstance(envs, CorrectingVectorEnv):
                envs.policy = agent.act
            check_state(agent, callbacks)
            check_disk(self.run.path, agent)
            self.trainer = self._make_trainer(
                agent, envs, self._make_callbacks(agent, envs, callbacks)
            )
            stack.callback(self.trainer.close)
            self._report(f"run: {self.run.path}")
            self._report(self._describe_memory(agent))
            if reason := slow_reason(config.env_config):
                self._report(f"environments run in processes, which is slower, because {reason}")
            if resume:
                self._resume()
            else:
                self._warm_start()
            self._parts = stack.pop_all()

    def train(self) -> None:
        """Train until the run is complete or stopped, and save the run.

        Raises:
            RunError: the run cannot continue.
        """
        self.trainer.train()

    @property
    def saved_steps(self) -> int | None:
        """Agent steps at the latest save of the run, None before its first save."""
        return self._checkpointer.saved_steps

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if isinstance(error, UsageError) and not (self.run.path / LAST).exists():
            self._parts.__exit__(kind, error, trace)  # removes the folder of the new run
        else:
            self._parts.close()

    def _make_envs(
        self,
        num_envs: int,
        seed: int,
        env_config: EnvConfig,
        *,
        stratified_episodes: int | None = None,
        starts: DemonstrationStarts | None = None,
    ) -> GameVectorEnv:
        return make_vector_env(
            env_config, num_envs=num_envs, seed=seed, stratified_episodes=stratified_episodes,
            report=self._report, starts=starts,
        )  # fmt: skip

    def _open_run(self, resume: Path | None, stack: ExitStack) -> RunFolder:
        """Open or create the run folder; a new folder is removed if the session cannot start."""
        if resume:
            run = RunFolder.open(resume)
            if warning := run.describe_owner():
                self._report(f"WARNING: {warning}")
        else:
            now = datetime.datetime.now().astimezone()
            run = RunFolder.create(self._config.save_dir, to_dict(self._config), now)
        stack.callback(run.close)
        if not resume:
            stack.push(partial(_discard_on_failure, run))
        return run

    def _describe_memory(self, agent: Agent) -> str:
        return agent.replay_description

    def _make_training_envs(self) -> GameVectorEnv:
        config, starts = self._config, None
        env_config, num_envs, seed = config.env_config, config.num_envs, config.seed
        guide = agent_class(config.agent).guided_by
        if self._demonstrations:
            starts = DemonstrationStarts(self._demonstrations, config.start_curriculum)
        if guide is None:
            return self._make_envs(num_envs, seed, env_config, starts=starts)
        if starts is not None:
            raise UsageError(f"--demos has no effect on --agent {config.agent}; omit it")
        if guide == "corrections":
            return make_correcting_env(env_config, num_envs, config.corrections, seed=seed)
        return make_teaching_env(env_config, self._teachers, num_envs, config.teaching, seed=seed)

    def _make_agent(self, envs: GameVectorEnv) -> Agent:
        config, demonstrations = self._config, None
        if self._demonstrations:
            demonstrations = DemonstrationTransitions(config.env_config, self._demonstrations)
        state_shape, num_actions, num_envs = env_dimensions(envs)
        spec = AgentSpec(
            state_shape, num_actions, num_envs,
            device=resolve_device(config.device), seed=config.seed,
            folder=self.run.path / "memory", demonstrations=demonstrations,
            threads=config.threads or spare_cores(envs.num_processes),
        )  # fmt: skip
        return build_agent(config.agent, config.hyper, spec)

    def _make_trainer(
        self, agent: Agent, envs: GameVectorEnv, callbacks: Sequence[Callback]
    ) -> Trainer:
        config, num_actions = self._config, agent.spec.num_actions
        noise = ActionNoise(config.noise, config.num_envs, num_actions, config.seed)
        return Trainer(
            agent, envs, callbacks,
            total_episodes=config.total_episodes, total_steps=config.steps, stop=self._stop,
            noise=noise if config.noise else None,
        )  # fmt: skip

    def _make_callbacks(
        self, agent: Agent, envs: GameVectorEnv, others: Sequence[Callback]
    ) -> list[Callback]:
        """Make the callbacks in the order in which they are called: saving comes last."""
        config, emulator = self._config, str(envs.metadata.get("emulator", self._config.emulator))
        logger = MetricLogger(
            self.run.path, config.num_envs, agent.reported_metrics,
            every_episodes=config.log_every, console=self._report, tensorboard=config.tensorboard,
        )  # fmt: skip
        diagnostics = TrainingDiagnostics(
            config.diagnostics, num_actions=agent.spec.num_actions,
            gamma=getattr(config.hyper, "gamma", None), warn=logger.log_warning,
        )  # fmt: skip
        self._checkpointer = Checkpointer(
            config, self.run, agent,
            emulator=emulator, elapsed=lambda: logger.seconds, report=self._report,
        )  # fmt: skip
        return [
            StateCheck(agent),
            MetricsCallback(logger),
            *([FiguresCallback(logger, self._report)] if config.tensorboard else []),
            diagnostics,
            ProgressCallback(self._progress),
            TimeLimit(config.minutes, lambda: logger.seconds),
            EvaluationCallback(self._make_evaluator(emulator, lambda: logger.seconds)),
            *others,
            self._checkpointer,
        ]

    def _make_evaluator(self, emulator: str, elapsed: Callable[[], float]) -> Evaluator:
        config = self._config
        env_config = config.env_config.for_evaluation(
            config.evaluation.noop_max, config.evaluation.repeat_action_probability
        )
        num_envs = min(preferred_num_envs(env_config), config.evaluation.episodes)
        return Evaluator(
            config.evaluation,
            lambda game, seed, episodes: self._make_envs(
                num_envs, seed, replace(env_config, game=game), stratified_episodes=episodes
            ),
            games=list(dict.fromkeys(each.game for each in self._teachers)) or [config.game],
            seed=config.seed, emulator=emulator,
            elapsed=elapsed, report=self._report, stop=self._stop,
        )  # fmt: skip

    def _warm_start(self) -> None:
        """Load the weights with which the run begins, if there are any."""
        if self._config.warm_start is not None:
            load_agent(self._config.warm_start).load_into(self.trainer.agent)

    def _resume(self) -> None:
        """Load the newest intact checkpoint, and report damaged files that were skipped."""
        checkpoint, skipped = self.run.load_last()
        for line in skipped:
            self._report(line)
        if checkpoint is None:
            self._report("the run has not been saved yet; it starts from the beginning")
            self._warm_start()
        else:
            self._check_config(checkpoint)
            if changes := describe_changes(checkpoint, self._checkpointer.machine):
                self._report(changes)
            self._load(checkpoint["resume"])
        self.run.write_config(to_dict(self._config))

    def _check_config(self, checkpoint: dict[str, Any]) -> None:
        """Check that ``config.yaml`` was not changed or damaged since the checkpoint was saved."""
        config = to_dict(self._config)
        for key in CONFIG_KEYS:
            if config[key] != checkpoint[key]:
                raise UsageError(
                    f"{self.run.path / CONFIG} has {key} {config[key]!r}, but the run was saved "
                    f"with {checkpoint[key]!r}; restore the file"
                )

    def _load(self, state: dict[str, Any]) -> None:
        try:
            with announced("restoring the agent and replaying its games", self._report):
                self.trainer.load_state_dict(state)
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UsageError(f"{self.run.path} cannot be resumed: {reason}") from None
        steps, episodes = self.trainer.steps, self.trainer.episodes
        self._report(f"Resumed after {counted(episodes, 'episode')} ({counted(steps, 'step')})")
        for part in self.trainer.agent.persistent_parts():
            if loss := part.describe_loss():
                self._report(loss)


def _discard_on_failure(run: RunFolder, kind: type[BaseException] | None, *rest: object) -> None:
    if kind is not None:
        run.discard()
