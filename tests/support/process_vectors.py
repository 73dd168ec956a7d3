"""Vector environments of `FakeGame` in processes, which are closed at the end of a test."""

from __future__ import annotations

import numpy as np

from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.seeding import episode_seed


def actions(*numbers):
    return np.array(numbers, np.int64)


def process_vectors():
    """Yield a function that makes vector environments, and close them: the body of a fixture."""
    made = []

    def make(maker, num_envs=2, **kwargs):
        kwargs.setdefault("report", lambda line: None)
        made.append(ProcessVectorEnv(maker, num_envs, **kwargs))
        return made[-1]

    yield make
    for envs in made:
        envs.close()


def base(seed, env_index, episode):
    """The value of a `FakeGame`'s first observation."""
    return episode_seed(seed, env_index, episode) % 100
