"""Workload: Ray's example "Learning to play Pong", an independent reference implementation.

https://docs.ray.io/en/latest/ray-core/examples/plot_pong_example.html: actors play one episode each
with the weights from the object store and return their gradients; the driver adds these and updates
the weights.
"""

from __future__ import annotations

import itertools

import numpy as np
import ray
from child import Work

from contenders.numpy_policy_gradient import (
    RMSProp,
    Weights,
    make_model,
    make_pong,
    play_episode,
)


class RolloutWorker:
    """Plays episodes.

    Args:
        seed: Seed of the actions.
    """

    def __init__(self, seed: int) -> None:
        self._generator, self._env = np.random.default_rng(seed), make_pong()

    def compute_gradient(self, model: Weights, seed: int) -> tuple[Weights, int]:
        """See `play_episode`."""
        return play_episode(model, self._env, self._generator, seed)


def steps(workers: int) -> Work:
    """Steps including learning, in batches of one episode per worker.

    Args:
        workers: Number of actors, each with one core.
    """
    ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    actors = [ray.remote(RolloutWorker).options(num_cpus=1).remote(n) for n in range(workers)]
    model = make_model(np.random.default_rng(0))
    optimizer = RMSProp(model)
    for batch in itertools.count():
        reference = ray.put(model)
        pending = [actor.compute_gradient.remote(reference, batch) for actor in actors]
        num_steps = 0
        while pending:
            (ready,), pending = ray.wait(pending)
            gradient, length = ray.get(ready)
            optimizer.add(gradient)
            num_steps += length
        optimizer.update()
        yield {"steps": num_steps}
