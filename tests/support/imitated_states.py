"""States with a cue that tells which action is right, and agents that learn to follow it."""

from __future__ import annotations

import contextlib

import numpy as np

from agents import AgentSpec

SHAPE = (1, 36, 36)
"""Shape of a state."""


def states_with_cue(cues):
    """Return images that are bright on the left for 0 and on the right for 1."""
    states = np.zeros((len(cues), *SHAPE), np.uint8)
    for state, cue in zip(states, cues, strict=True):
        state[0, :, 18 * cue : 18 * cue + 18] = 255
    return states


@contextlib.contextmanager
def built_agents(agent_class, num_actions, folder):
    """Yield a function that builds agents with two environments, and close them at the end.

    Args:
        agent_class: their class.
        num_actions: number of actions.
        folder: folder for their replay memories.
    """
    made = []

    def make(config, **change):
        spec = AgentSpec(**{
            "state_shape": SHAPE, "num_actions": num_actions, "num_envs": 2,
            "folder": folder / str(len(made)),
        } | change)  # fmt: skip
        made.append(agent_class.build(spec, config))
        return made[-1]

    yield make
    for agent in made:
        agent.close()
