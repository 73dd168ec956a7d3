"""Random generator state as text, which checkpoints can hold."""

from __future__ import annotations

import json

import numpy as np


def generator_state(generator: np.random.Generator) -> str:
    """Return the state of a generator as JSON, because its 128-bit integers do not fit a tensor."""
    return json.dumps(generator.bit_generator.state)


def set_generator_state(generator: np.random.Generator, state: str) -> None:
    """Restore a state that `generator_state` returned.

    >>> rng = np.random.default_rng(0)
    >>> state = generator_state(rng)
    >>> first = rng.random()
    >>> set_generator_state(rng, state)
    >>> rng.random() == first
    True
    """
    generator.bit_generator.state = json.loads(state)
