"""The state of a random generator as text, which any checkpoint can hold."""

from __future__ import annotations

import json

import numpy as np


def generator_state(generator: np.random.Generator) -> str:
    """Where ``generator`` stands: JSON, since its 128-bit integers fit no tensor."""
    return json.dumps(generator.bit_generator.state)


def set_generator_state(generator: np.random.Generator, state: str) -> None:
    """Put ``generator`` where `generator_state` found it.

    >>> rng = np.random.default_rng(0)
    >>> state = generator_state(rng)
    >>> first = rng.random()
    >>> set_generator_state(rng, state)
    >>> rng.random() == first
    True
    """
    generator.bit_generator.state = json.loads(state)
