"""The training loop, and the trainer that watches it.

The loop is a generator that knows of nothing but an agent and its games. Metrics, checkpoints,
evaluations and the progress bar belong to the `Trainer`, which consumes its steps.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents import Agent, Transitions
from mario.config.run_config import TrainConfig
from mario.errors import RunError
from mario.evaluation.episodes import final_info
from mario.evaluation.evaluator import Evaluator
from mario.evaluation.summary import EvaluationSummary
from mario.metrics.logger import EpisodeRecord, MetricLogger
from mario.metrics.progress_bar import ProgressBar
from mario.training.checkpointer import Checkpointer
from mario.training.diagnostics import TrainingDiagnostics
from mario.vector.base import GameVectorEnv, ReplayPoint


class TrainingStep(NamedTuple):
    """What one step of every game came to.

    Attributes:
        transitions: what the agent cached.
        ended: the games whose episode ended, each with its last info.
        learned: what the agent's learning reported, or None.
    """

    transitions: Transitions
    ended: list[tuple[int, dict[str, Any]]]
    learned: dict[str, float] | None

    @property
    def decisions(self) -> int:
        """How many games took it; those that died in it did not."""
        return int(np.count_nonzero(self.transitions.valid))


def play(agent: Agent, games: GameVectorEnv, states: NDArray[np.uint8]) -> Iterator[TrainingStep]:
    """Play and learn for ever: act, start the games, learn while they run, collect, cache.

    Args:
        agent: plays, and learns if it is time to.
        games: stand where ``states`` were seen.
        states: uint8 ``(num_envs, *state_shape)``.
    """
    while True:
        actions = agent.act(states)
        games.step_async(actions)
        learned = agent.learn()
        observations, rewards, terminated, truncated, infos = games.step_wait()
        ended = np.flatnonzero(terminated | truncated)
        next_states = observations
        if ended.size:
            next_states = observations.copy()
            for game in ended:
                next_states[game] = infos["final_obs"][game]
        valid = ~infos["crashed"] if "crashed" in infos else np.ones(len(actions), np.bool_)
        transitions = Transitions(
            states, actions, rewards, terminated, truncated, next_states, valid
        )
        agent.cache(transitions)
        yield TrainingStep(
            transitions=transitions,
            ended=[(int(game), final_info(infos, int(game))) for game in ended],
            learned=learned,
        )
        states = observations


class Trainer:
    """Trains an agent until its run is complete or it is told to stop.

    Args:
        config: the run's totals.
        agent: learns.
        games: what it plays.
        logger: is told of every episode and every round of learning.
        progress: shows how far it is.
        checkpointer: keeps the run from being lost.
        evaluator: evaluates the agent now and then.
        stop: is asked after each step; True ends training early.
    """

    def __init__(
        self,
        config: TrainConfig[Any],
        *,
        agent: Agent,
        games: GameVectorEnv,
        logger: MetricLogger,
        progress: ProgressBar,
        checkpointer: Checkpointer,
        evaluator: Evaluator,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        self.steps = self.episodes = 0
        self._config, self._agent, self._games = config, agent, games
        self._logger, self._progress, self._stop = logger, progress, stop
        self._saver, self._examiner = checkpointer, evaluator
        self._adviser = TrainingDiagnostics(
            config.diagnostics, num_actions=agent.spec.num_actions,
            gamma=getattr(config.hyper, "gamma", None), warn=logger.log_warning,
        )  # fmt: skip
        self._states: NDArray[np.uint8] | None = None

    @property
    def complete(self) -> bool:
        """Whether the run has all of its episodes or decisions, or an agent that is good enough."""
        episodes, steps = self._config.total_episodes, self._config.steps
        return (
            self._examiner.complete
            or (episodes is not None and self.episodes >= episodes)
            or (steps is not None and self.steps >= steps)
        )

    @property
    def seconds(self) -> float:
        """How long the run has been going on, the time between two sessions left out."""
        return self._logger.seconds

    @property
    def evaluation(self) -> EvaluationSummary | None:
        """The latest evaluation."""
        return self._examiner.latest

    def train(self) -> None:
        """Train to the end, save, and evaluate what came of it.

        Raises:
            RunError: the run cannot go on; what was learned is saved.
        """
        try:
            if not self.complete:
                self._loop()
        except RunError:
            self._saver.save(self)
            raise
        except FloatingPointError as error:
            raise RunError(f"{error}; the run goes on from its last save with --resume") from None
        if not self._stop():
            self._examine()
        if not self._saver.save(self):
            raise RunError("the end of the run is not saved; make room, and go on with --resume")

    def state_dict(self) -> dict[str, Any]:
        """Everything that going on exactly here needs."""
        for part in self._agent.persistent_parts():
            part.flush()
        return {
            "steps": self.steps,
            "episodes": self.episodes,
            "games": [point.to_dict() for point in self._games.replay_log()],
            "agent": self._agent.state_dict(),
            "metrics": self._logger.state_dict(),
            "evaluator": self._examiner.state_dict(),
            "diagnostics": self._adviser.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state_dict` was taken."""
        self.steps, self.episodes = state["steps"], state["episodes"]
        self._agent.load_state_dict(state["agent"])
        self._logger.load_state_dict(state["metrics"])
        self._examiner.load_state_dict(state["evaluator"])
        self._adviser.load_state_dict(state["diagnostics"])
        self._states, _ = self._games.restore(
            [ReplayPoint.from_dict(values) for values in state["games"]]
        )

    def _loop(self) -> None:
        if self._states is None:
            self._states, _ = self._games.reset()
        for step in play(self._agent, self._games, self._states):
            self._watch(step)
            if self._examiner.due(self.steps):
                self._examine()
            if self.complete or self._stop():
                return
            if self._saver.due(self.steps):
                self._saver.save(self)

    def _watch(self, step: TrainingStep) -> None:
        decisions, before, transitions = step.decisions, self.episodes, step.transitions
        self.steps += decisions
        over = (game for game, _ in step.ended)
        self._adviser.see(
            transitions.actions[transitions.valid], transitions.rewards, over,
            self._agent.exploration_rate,
        )  # fmt: skip
        if step.learned is not None:
            self._logger.log_learning(step.learned)
            self._adviser.hear(step.learned)
        for game, info in step.ended:
            if "episode" not in info:  # a life ended, or the game died: how it went is not known
                continue
            self.episodes += 1
            record = record_of(info, self.episodes, self.steps, game)
            self._logger.log_episode(record, self._agent.exploration_rate)
            self._adviser.read(record)
        clear_rate = self.evaluation.clear_rate if self.evaluation else 0.0
        self._adviser.advise(self.steps, share_done=self._share_done(), clear_rate=clear_rate)
        self._progress.update(decisions, self.episodes - before)

    def _share_done(self) -> float:
        totals = (self.episodes, self._config.total_episodes), (self.steps, self._config.steps)
        return max(done / total for done, total in totals if total is not None)

    def _examine(self) -> None:
        before = self.evaluation
        best = self._examiner.evaluate(self._agent, self.steps)
        if self.evaluation is not None and self.evaluation is not before:
            self._logger.log_evaluation(self.evaluation.to_dict())
        if best:
            self._saver.save_best(self)


def record_of(info: dict[str, Any], episode: int, step: int, game: int) -> EpisodeRecord:
    """The record of an episode out of the last info of its game; `EpisodeRecord` has the rest."""
    best_x = info.get("best_x")
    return EpisodeRecord(
        episode=episode,
        step=step,
        game=game,
        reward=float(info["episode"]["r"]),
        length=int(info["episode"]["l"]),
        best_x=None if best_x is None else float(best_x),
        ending=str(info.get("ending", "")),
        start_offset=int(info.get("start_offset", 0)),
    )
