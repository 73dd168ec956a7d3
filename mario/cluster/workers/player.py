"""A worker that plays, and sends what it has seen to a learner in the driver."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import numpy as np

from mario.cluster.workers.building import (
    find_learner,
    make_envs,
    make_noise,
    make_worker_agent,
)
from mario.cluster.workers.messages import Chunk, Start, Weights, WorkerSetup
from mario.cluster.workers.recorder import without_states
from mario.cluster.workers.tensors import load
from mario.training.loop import play
from mario.vector.replay_point import ReplayPoint


class PlayerWorker:
    """Plays with the weights that it is given: an actor of Ape-X.

    Horgan et al. 2018, https://arxiv.org/abs/1803.00933. Each environment of the run has its own
    minimum exploration rate.

    Args:
        setup: what to build. The agent has no replay memory.
    """

    def __init__(self, setup: WorkerSetup) -> None:
        self._first_env, self._num_envs = setup.worker * setup.num_envs, setup.num_envs
        # A replacement continues the episodes of its predecessor.
        self._envs = make_envs(replace(setup, life=0))
        self._agent = make_worker_agent(setup, self._envs)
        self._noise = make_noise(setup, self._agent)
        self._learner = find_learner(self._agent)
        self._version = 0

    def start(self, start: Start) -> None:
        """Load weights and begin at the first episode, or where an earlier player was."""
        self._agent.load_policy_state_dict(start.policy)
        self._agent.start_at(start.steps)
        if start.state is None:
            states, _ = self._envs.reset()
        else:
            points = [ReplayPoint.from_dict(values) for values in start.state["envs"]]
            states, _ = self._envs.restore(points)
        self._steps = play(self._agent, self._envs, states, noise=self._noise)

    def play(self, weights: Weights | None, num_steps: int) -> Chunk:
        """Take some steps in every environment.

        Args:
            weights: newer weights, None to keep those that the player has.
            num_steps: steps of each environment.
        """
        if weights is not None:
            load(weights.values, self._learner.parameters)
            self._learner.sync()
            self._version = weights.version
        frames, final_frames, steps = [], {}, []
        for time, step in enumerate(islice(self._steps, num_steps)):
            transitions = step.transitions
            frames.append(transitions.states[:, -1].copy())
            for env in np.flatnonzero(transitions.truncated & transitions.valid).tolist():
                final_frames[time, env] = transitions.next_states[env, -1].copy()
            steps.append(
                step._replace(
                    transitions=without_states(transitions),
                    first_env=self._first_env, num_envs=self._num_envs,
                )
            )  # fmt: skip
        points = [point.to_dict() for point in self._envs.replay_log()]
        return Chunk(self._version, np.stack(frames), final_frames, tuple(steps), points)

    def close(self) -> None:
        """Release everything."""
        self._agent.close()
        self._envs.close()
