"""Players: the workers play, and one learner in the driver learns from their steps."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agents import DDQN
from mario.cluster.protocol import Answer, Fleet
from mario.cluster.roster import Roster
from mario.cluster.workers.building import find_learner
from mario.cluster.workers.messages import Chunk, Weights
from mario.cluster.workers.tensors import flatten
from mario.training.loop import TrainingStep

CHUNK_STEPS = 32
"""Steps of each environment in a chunk: at 8 environments, 1.8 MB of frames."""
OUTSTANDING = 2
"""Calls of each worker that wait for their answers: one runs while the answer of the other is on
its way. More would only make the weights older."""
PUBLISH_SECONDS = 0.25
"""Minimum time between two versions of the weights for the players."""


class Players:
    """Directs players, and learns from their chunks in the order in which they arrive.

    Args:
        fleet: the players.
        roster: those that are ready.
        agent: learns; its replay memory has the environments of all players.
        num_envs: environments of each player.
        clock: returns the time of a monotonic clock in seconds.

    Attributes:
        version: number of rounds of learning so far.
        bytes: bytes of frames and weights so far.
        age: average number of versions by which the weights of a chunk were old, over the latest
            chunks.
        points: replay log of the environments of each player after its latest chunk.
    """

    def __init__(
        self,
        fleet: Fleet,
        roster: Roster,
        agent: DDQN,
        num_envs: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.version, self.bytes, self.age = 0, 0, 0.0
        self.points: dict[int, list[dict[str, Any]]] = {}
        self._fleet, self._roster, self._agent, self._num_envs = fleet, roster, agent, num_envs
        self._clock = clock
        self._learner = find_learner(agent)
        self._calls: dict[int, int] = {}
        self._sent: dict[int, int] = {}
        self._published_at, self._published = -PUBLISH_SECONDS, -1
        self._weights: Any = None

    def chunks(self, stop: Callable[[], bool]) -> Iterator[list[TrainingStep]]:
        """Yield the steps of each chunk after learning from them.

        Args:
            stop: polled while no player is ready; True ends the wait.
        """
        self._roster.gather(self._fleet.size, stop)
        while True:
            self._call_idle()
            for event in self._roster.poll():
                if isinstance(event, Answer):
                    self._calls[event.worker] -= 1
                    steps = list(self._learn(event.worker, event.value))
                    self._call_idle()
                    yield steps
                else:
                    self._calls.pop(event.worker, None)
                    self._sent.pop(event.worker, None)
            if not self._roster.ready:
                yield []
                self._roster.gather(1, stop)

    def _call_idle(self) -> None:
        """Call each player until it has enough to do, with new weights if there are any."""
        for worker in sorted(self._roster.ready):
            while self._calls.get(worker, 0) < OUTSTANDING:
                self._publish()
                is_new = self._sent.get(worker) != self._published
                weights = self._weights if is_new else None
                self.bytes += self._nbytes * is_new
                self._sent[worker] = self._published
                self._calls[worker] = self._calls.get(worker, 0) + 1
                self._fleet.submit(worker, "play", weights, CHUNK_STEPS)

    def _publish(self) -> None:
        now = self._clock()
        if self._published == self.version or now - self._published_at < PUBLISH_SECONDS:
            return
        values, _ = flatten(self._learner.parameters)
        self._weights, self._nbytes = (
            self._fleet.publish(Weights(self.version, values)), values.nbytes,
        )  # fmt: skip
        self._published_at, self._published = now, self.version

    def _learn(self, worker: int, chunk: Chunk) -> Iterator[TrainingStep]:
        """Cache the steps of a chunk, and learn after each as far as learning is due."""
        self.bytes += chunk.nbytes
        self.age += 0.1 * (self.version - chunk.version - self.age)
        self.points[worker] = chunk.envs
        envs = np.arange(self._num_envs) + worker * self._num_envs
        for index, step in enumerate(chunk.steps):
            states = chunk.frames[index][:, None]
            transitions = step.transitions._replace(
                states=states, next_states=_with_final(states, chunk, index)
            )
            self._agent.cache_played(transitions, envs)
            metrics = self._agent.learn()
            self.version += metrics is not None
            yield step._replace(metrics=metrics)


def _with_final(states: NDArray[np.uint8], chunk: Chunk, index: int) -> NDArray[np.uint8]:
    """Return states with the last frames of the episodes that were truncated in a step."""
    final = {env: frame for (step, env), frame in chunk.final_frames.items() if step == index}
    if not final:
        return states
    states = states.copy()
    for env, frame in final.items():
        states[env, -1] = frame
    return states
