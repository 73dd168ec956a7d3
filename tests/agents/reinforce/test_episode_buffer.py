"""Tests of the episode buffer."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from transitions import transitions

from agents.reinforce.episode_buffer import EpisodeBuffer

PIXELS = 6


def fill(memory, steps, ends, seed=0, games=2):
    """Cache steps; ``ends`` lists those that end an episode as ``(step, env)``."""
    rng = np.random.default_rng(seed)
    cached = []
    for step in range(steps):
        changes = rng.choice([-255, 0, 0, 7], size=(games, PIXELS)).astype(np.int16)
        actions, rewards = rng.integers(3, size=games), rng.random(games).astype(np.float32)
        ended = np.array([(step, game) in ends for game in range(games)])
        nothing = np.zeros(games, np.bool_)
        memory.cache(changes, transitions(changes, actions, rewards, ended, nothing, changes))
        cached.append((changes, actions, rewards))
    return cached


def test_an_episode_is_returned_as_stored() -> None:
    memory = EpisodeBuffer(2, PIXELS)
    cached = fill(memory, 5, ends={(1, 1), (4, 0)})
    assert len(memory) == 2
    for game, steps in ((1, cached[:2]), (0, cached)):
        episode = memory.take()
        np.testing.assert_array_equal(episode["difference"], [each[0][game] for each in steps])
        np.testing.assert_array_equal(episode["action"], [each[1][game] for each in steps])
        np.testing.assert_array_equal(episode["reward"], [each[2][game] for each in steps])
    with pytest.raises(LookupError, match="no episode is finished yet"):
        memory.take()


def test_invalid_steps_are_left_out() -> None:
    memory = EpisodeBuffer(1, PIXELS)
    fill(memory, 2, ends=(), games=1)
    nothing = np.zeros((1, PIXELS), np.int16)
    crashed = transitions(nothing, [1], [1.0], [False], [True], nothing, valid=[False])
    for _ in range(2):  # the second ends an episode in which nothing happened
        memory.cache(nothing, crashed)
    assert len(memory) == 1
    assert len(memory.take()) == 2


def test_a_state_restores_all_episodes() -> None:
    memory, other = EpisodeBuffer(3, PIXELS), EpisodeBuffer(3, PIXELS)
    fill(memory, 6, ends={(2, 0), (5, 1)}, games=3)  # game 1 has no step now
    other.load_state_dict(memory.state_dict())
    for each in (memory, other):
        fill(each, 2, ends={(1, 0), (1, 1), (1, 2)}, seed=1, games=3)
    assert len(memory) == len(other) == 5
    for _ in range(5):
        mine, theirs = memory.take(), other.take()
        assert all(torch.equal(mine[name], theirs[name]) for name in mine.keys())  # noqa: SIM118
    with pytest.raises(ValueError, match="the state has 3 environments, expected 2"):
        EpisodeBuffer(2, PIXELS).load_state_dict(memory.state_dict())
