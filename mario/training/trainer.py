"""The trainer: runs the training loop and calls the callbacks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import Agent
from agents.stateful import Stateful
from mario.errors import RunError
from mario.evaluation.summary import EvaluationSummary
from mario.metrics.episode_rows import EpisodeRecord
from mario.training.callbacks import Callback
from mario.training.loop import TrainingStep, play
from mario.training.noise import ActionNoise
from mario.vector.base import GameVectorEnv


class Trainer:
    """Trains an agent until the run is complete or stopped.

    Args:
        agent: the agent.
        envs: the environments that the agent learns in.
        callbacks: callbacks, which are called in this order.
        total_episodes: episodes after which the run is complete, or None for no limit.
        total_steps: agent steps after which the run is complete, or None for no limit.
        stop: polled after each step; True stops training early.
        noise: replaces some of the agent's actions; None for none.

    Attributes:
        agent: the agent.
        envs: the environments.
        steps: agent steps so far, over all environments and sessions.
        episodes: finished episodes so far.
        resumable: whether a run that is saved now can be resumed exactly.

    Raises:
        ValueError: two callbacks have the same name.
    """

    def __init__(
        self,
        agent: Agent,
        envs: GameVectorEnv,
        callbacks: Sequence[Callback],
        *,
        total_episodes: int | None = None,
        total_steps: int | None = None,
        stop: Callable[[], bool] = lambda: False,
        noise: ActionNoise | None = None,
    ) -> None:
        self.agent, self.envs = agent, envs
        self.steps = self.episodes = 0
        self.resumable = True
        self._totals = total_episodes, total_steps
        self._stop, self._noise = stop, noise
        self._states: NDArray[np.uint8] | None = None
        self._callbacks = tuple(callbacks)
        names = Counter(callback.name for callback in callbacks)
        if names and names.most_common(1)[0][1] > 1:
            raise ValueError(f"two callbacks are named {names.most_common(1)[0][0]!r}")
        for callback in callbacks:
            callback.trainer = self

    @property
    def complete(self) -> bool:
        """Whether the run has reached one of its totals, or a callback ends the run."""
        return self.progress >= 1 or any(callback.complete for callback in self._callbacks)

    @property
    def stopping(self) -> bool:
        """Whether training was asked to stop before the run is complete."""
        return self._stop()

    @property
    def progress(self) -> float:
        """Completed fraction of the run, at least 1 at the end; 0 for a run without totals."""
        counts = zip((self.episodes, self.steps), self._totals, strict=True)
        return max((count / total for count, total in counts if total is not None), default=0.0)

    def train(self) -> None:
        """Train until the run is complete or stopped.

        Raises:
            RunError: the run cannot continue.
        """
        try:
            if not self.complete:
                self._run()
        except RunError as error:
            self._end(error)
            raise
        except FloatingPointError as error:
            raise RunError(f"{error}; continue from the last save with --resume") from None
        self._end(None)

    def report_evaluation(self, evaluation: EvaluationSummary, is_best: bool) -> None:
        """Pass an evaluation to all callbacks.

        Args:
            evaluation: its results.
            is_best: whether it is the best one of the run so far.
        """
        for callback in self._callbacks:
            callback.on_evaluation(evaluation, is_best)

    def close(self) -> None:
        """Close all callbacks in reverse order, even if some of them raise an error."""
        with ExitStack() as stack:
            for callback in self._callbacks:
                stack.callback(callback.on_close)

    def state_dict(self) -> dict[str, Any]:
        """Return everything that an exact resume needs."""
        for part in self.agent.persistent_parts():
            part.flush()
        state = {
            "steps": self.steps,
            "episodes": self.episodes,
            "envs": self._envs_state(),
            "agent": self.agent.state_dict(),
            "callbacks": {callback.name: callback.state_dict() for callback in self._callbacks},
        }
        return state | {name: part.state_dict() for name, part in self._optional_parts().items()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned. A callback without saved state keeps its own."""
        self.steps, self.episodes = state["steps"], state["episodes"]
        self.agent.load_state_dict(state["agent"])
        for callback in self._callbacks:
            if callback.name in state["callbacks"]:
                callback.load_state_dict(state["callbacks"][callback.name])
        for name, part in self._optional_parts().items():
            part.load_state_dict(state[name])
        self._restore_envs(state["envs"])

    def _optional_parts(self) -> dict[str, Stateful]:
        """Return the parts with a state that only some runs have."""
        parts = {"demonstration_starts": self.envs.starts, "noise": self._noise}
        return {name: part for name, part in parts.items() if part is not None}

    def _envs_state(self) -> Any:
        """Return the state of the environments as plain values."""
        return [point.to_dict() for point in self.envs.replay_log()]

    def _restore_envs(self, state: Any) -> None:
        points = [self.envs.Point.from_dict(values) for values in state]
        self._states, _ = self.envs.restore(points)

    def _run(self) -> None:
        if self._states is None:
            self._states, _ = self.envs.reset()
        if self.stopping:  # from now on, a signal lets the program save first
            return
        has_cached = self.steps > 0
        steps = play(self.agent, self.envs, self._states, has_cached=has_cached, noise=self._noise)
        for step in steps:
            self._process(step)
            if self.complete or self.stopping:
                return

    def _process(self, step: TrainingStep) -> None:
        self.steps += step.num_steps
        if step.metrics is not None:
            for callback in self._callbacks:
                callback.on_update(step.metrics)
        for row, info in step.final_infos.items():
            if "episode" not in info:  # a life was lost, or the environment crashed
                continue
            self.episodes += 1
            record = episode_record(info, self.episodes, self.steps, step.env_index(row))
            for callback in self._callbacks:
                callback.on_episode(record)
        for callback in self._callbacks:
            callback.on_step(step)

    def _end(self, error: RunError | None) -> None:
        for callback in self._callbacks:
            callback.on_end(error)


def episode_record(info: dict[str, Any], episode: int, step: int, env_index: int) -> EpisodeRecord:
    """Return the record of an episode from the last info of its environment.

    Args:
        info: the info, with Gymnasium's ``"episode"`` entry.
        episode: number of the episode in the run, from 1.
        step: agent steps of the run so far.
        env_index: index of the environment.
    """
    best_x = info.get("best_x")
    return EpisodeRecord(
        episode=episode,
        step=step,
        env=env_index,
        reward=float(info["episode"]["r"]),
        length=int(info["episode"]["l"]),
        best_x=None if best_x is None else float(best_x),
        ending=str(info.get("ending", "")),
        start_offset=int(info.get("start_offset", 0)),
    )
