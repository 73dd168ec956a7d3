"""One training session: puts the parts of a run together, trains, and takes them apart again."""

from __future__ import annotations

import datetime
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from agents import Agent
from agents.stateful import check_saveable
from mario.config.env_config import EnvConfig
from mario.config.run_config import TrainConfig
from mario.config.serialization import to_dict
from mario.errors import UsageError
from mario.evaluation.evaluator import Evaluator
from mario.metrics.logger import MetricLogger
from mario.metrics.progress_bar import ProgressBar
from mario.runs.agent_factory import make_agent
from mario.runs.run_folder import RunFolder
from mario.runs.trained_agent import load_agent
from mario.system.threads import spare_cores
from mario.training.checkpointer import Checkpointer
from mario.training.trainer import Trainer
from mario.vector.base import GameVectorEnv
from mario.vector.make import make_vector_env, preferred_num_envs

CHECKPOINTS_AT_ONCE = 8
"""Room for last, previous, best and a numbered one, each while the next is being written."""


class Session:
    """A run that is open: new, or resumed where it was saved.

    Args:
        config: the run's configuration.
        resume: the folder of the run to go on with, None for a new run.
        stop: is asked after each step; True ends training early.

    Raises:
        UsageError: the run cannot be started as asked.
    """

    def __init__(
        self, config: TrainConfig[Any], resume: Path | None, *, stop: Callable[[], bool]
    ) -> None:
        self._config = config
        with ExitStack() as stack:
            self._progress = stack.enter_context(ProgressBar(config.total_episodes, config.steps))
            say = self._progress.write
            games = self._make_games(config.num_envs, config.seed, config.env_config)
            stack.callback(games.close)
            run = RunFolder.open(resume) if resume else _new_run(config)
            stack.callback(run.close)
            if not resume:
                stack.push(partial(_discard_on_failure, run))
            self.run = run
            agent = make_agent(
                config.agent, config.hyper, games,
                device=config.device, seed=config.seed, folder=run.path / "memory",
                threads=config.threads or spare_cores(games.num_processes),
            )  # fmt: skip
            stack.callback(agent.close)
            _check_saveable(agent)
            _check_disk(run.path, agent)
            logger = MetricLogger(
                run.path, config.num_envs, agent.reported_metrics,
                every_episodes=config.log_every, console=say, tensorboard=config.tensorboard,
            )  # fmt: skip
            stack.callback(logger.close)
            self.trainer = self._make_trainer(run, agent, games, logger, stop)
            say(f"run: {run.path}")
            say(agent.describe_replay)
            if resume:
                self._go_on(run)
                run.write_config(to_dict(config))
            elif config.warm_start is not None:
                load_agent(config.warm_start).load_into(agent)
            self._parts = stack.pop_all()

    def train(self) -> None:
        """Train until the run is complete or told to stop; everything is saved at the end."""
        self.trainer.train()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._parts.close()

    def _make_games(
        self, num_envs: int, seed: int, env_config: EnvConfig, stratified: bool = False
    ) -> GameVectorEnv:
        return make_vector_env(
            env_config, num_envs=num_envs, seed=seed, stratified=stratified,
            report=self._progress.write,
        )  # fmt: skip

    def _make_trainer(
        self,
        run: RunFolder,
        agent: Agent,
        games: GameVectorEnv,
        logger: MetricLogger,
        stop: Callable[[], bool],
    ) -> Trainer:
        config, say = self._config, self._progress.write
        env_config = config.env_config.for_evaluation(config.evaluation.noop_max)
        emulator = str(games.metadata.get("emulator", config.emulator))
        num_envs = min(preferred_num_envs(env_config), config.evaluation.episodes)
        evaluator = Evaluator(
            config.evaluation,
            partial(self._make_games, num_envs, env_config=env_config, stratified=True),
            game=config.game, seed=config.seed, emulator=emulator,
            elapsed=lambda: logger.seconds, report=say, stop=stop,
        )  # fmt: skip
        self.checkpointer = Checkpointer(config, run, agent, emulator=emulator, report=say)
        return Trainer(
            config, agent=agent, games=games, logger=logger, progress=self._progress,
            checkpointer=self.checkpointer, evaluator=evaluator, stop=stop,
        )  # fmt: skip

    def _go_on(self, run: RunFolder) -> None:
        """Load the newest whole checkpoint and say what, if anything, was lost."""
        say = self._progress.write
        checkpoint, passed = run.load_last()
        for line in passed:
            say(line)
        if checkpoint is None:
            say("the run was stopped before its first save: it starts from its beginning")
            return
        try:
            self.trainer.load_state_dict(checkpoint["resume"])
        except (KeyError, ValueError, TypeError, RuntimeError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UsageError(f"{run.path} cannot be resumed from: {reason}") from None
        self.checkpointer.resumed(checkpoint)
        steps, episodes = self.trainer.steps, self.trainer.episodes
        self._progress.start_at(steps, episodes)
        say(f"resumed after {episodes:,} episodes, {steps:,} decisions")


def _new_run(config: TrainConfig[Any]) -> RunFolder:
    return RunFolder.create(config.save_dir, to_dict(config), datetime.datetime.now().astimezone())


def _discard_on_failure(run: RunFolder, kind: type[BaseException] | None, *rest: object) -> None:
    """Leave no folder behind of a run that could not begin."""
    if kind is not None:
        run.discard()


def _check_saveable(agent: Agent) -> None:
    """Refuse to start a run that could not be resumed.

    Raises:
        UsageError: a part of the agent cannot be saved.
    """
    try:
        check_saveable(agent.state_dict(), "state_dict()")
    except TypeError as error:
        raise UsageError(str(error)) from None


def _check_disk(folder: Path, agent: Agent) -> None:
    """Refuse to start where the checkpoints will not fit.

    Raises:
        UsageError: too little space is free.
    """
    size = sum(tensor.nbytes for tensor in agent.policy_state_dict().values())
    need = CHECKPOINTS_AT_ONCE * 4 * size  # weights, gradients' two moments, target
    free = shutil.disk_usage(folder).free
    if free < need:
        raise UsageError(
            f"checkpoints need {need / 1e9:.2f} GB in {folder}, {free / 1e9:.2f} GB are free; "
            "make room or choose another --save-dir"
        )
