"""Converts the state of random number generators to text, which any checkpoint can store."""

from __future__ import annotations

import json
import random

import numpy as np
import torch

Generator = np.random.Generator | random.Random | torch.Generator


def generator_state(generator: Generator) -> str:
    """Return the state of a generator as JSON.

    Some generators have integers in their state that are too large for a tensor.
    """
    if isinstance(generator, random.Random):
        return json.dumps(generator.getstate())
    if isinstance(generator, torch.Generator):
        return json.dumps(generator.get_state().tolist())
    return json.dumps(generator.bit_generator.state)


def set_generator_state(generator: Generator, state: str) -> None:
    """Restore a state that `generator_state` returned.

    >>> rng = np.random.default_rng(0)
    >>> state = generator_state(rng)
    >>> first = rng.random()
    >>> set_generator_state(rng, state)
    >>> rng.random() == first
    True
    """
    saved = json.loads(state)
    if isinstance(generator, random.Random):
        version, internal_state, gauss_next = saved
        generator.setstate((version, tuple(internal_state), gauss_next))
    elif isinstance(generator, torch.Generator):
        generator.set_state(torch.tensor(saved, dtype=torch.uint8))
    else:
        generator.bit_generator.state = saved
