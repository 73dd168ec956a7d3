"""The training loop: a generator that knows only an agent and its environments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents import Agent, Transitions
from mario.evaluation.acting import choose_actions
from mario.training.noise import ActionNoise
from mario.vector.base import GameVectorEnv, final_info


class TrainingStep(NamedTuple):
    """One step of all environments, or with `mario.cluster` several steps of one worker.

    Attributes:
        transitions: what the agent cached, one row per environment. Steps of a worker have no
            states, and their rows are ordered by time.
        final_infos: the last info of each episode that ended, by the row of its transition. It
            has an ``"episode"`` entry unless only a life ended or the environment crashed.
        metrics: the scalars that `Agent.learn` returned, None if nothing was learned.
        first_env: index of the environment of the first row.
        num_envs: number of environments, if there are rows of several steps; otherwise None.
    """

    transitions: Transitions
    final_infos: dict[int, dict[str, Any]]
    metrics: dict[str, float] | None
    first_env: int = 0
    num_envs: int | None = None

    @property
    def num_steps(self) -> int:
        """Number of agent steps: environments that did not crash."""
        return int(np.count_nonzero(self.transitions.valid))

    def env_index(self, row: int) -> int:
        """Return the index of the environment of a row."""
        return self.first_env + (row if self.num_envs is None else row % self.num_envs)


def play(
    agent: Agent,
    envs: GameVectorEnv,
    states: NDArray[np.uint8],
    *,
    has_cached: bool = True,
    noise: ActionNoise | None = None,
) -> Iterator[TrainingStep]:
    """Act and learn without end: act, start the environments, learn while they run, cache.

    Args:
        agent: chooses the actions and learns.
        envs: the environments, in the state that ``states`` shows.
        states: the current observations, uint8 ``(num_envs, *state_shape)``.
        has_cached: whether `Agent.cache` was called before. If not, `Agent.learn` is not called in
            the first step.
        noise: replaces some of the actions that the environments execute; None for none.

    Yields:
        Each step after it was cached.

    Raises:
        RunError: the agent does not return one existing action per environment.
    """
    while True:
        actions = choose_actions(agent, states)
        envs.step_async(actions if noise is None else noise.apply(actions))
        metrics = agent.learn() if has_cached else None
        has_cached = True
        observations, rewards, terminated, truncated, infos = envs.step_wait()
        ended = np.flatnonzero(terminated | truncated).tolist()
        next_states = observations
        if ended:
            next_states = observations.copy()
            for env_index in ended:
                next_states[env_index] = infos["final_obs"][env_index]
        valid = ~infos["crashed"] if "crashed" in infos else np.ones(len(actions), np.bool_)
        # environments that correct failures take some actions by themselves
        actions, guidance = infos.get("actions", actions), infos.get("guidance")
        transitions = Transitions(
            states, actions, rewards, terminated, truncated, next_states, valid, guidance
        )
        agent.cache(transitions)
        final_infos = {env_index: final_info(infos, env_index) for env_index in ended}
        yield TrainingStep(transitions, final_infos, metrics)
        states = observations
