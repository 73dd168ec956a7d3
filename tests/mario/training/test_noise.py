from __future__ import annotations

import itertools

import numpy as np
import pytest
from doubles import fake_game
from tape import TapeAgent, spec

from mario.training.loop import play
from mario.training.noise import ActionNoise
from mario.vector.process_vector import ProcessVectorEnv


def test_each_environment_has_its_own_share_of_random_actions():
    noise = ActionNoise([0.0, 0.01, 0.3], num_envs=4, num_actions=7, seed=0)
    actions = np.full(4, 9)
    shares = np.mean([noise.apply(actions) != 9 for _ in range(10_000)], axis=0)
    assert shares.tolist() == pytest.approx([0.0, 0.01, 0.3, 0.0], abs=0.02)
    assert shares[1] > 0


def test_the_agent_caches_its_own_actions_and_the_environments_execute_the_random_ones():
    class Always(ActionNoise):
        def apply(self, actions):
            return actions * 0 + 2

    envs = ProcessVectorEnv(fake_game(length=9), 1)
    agent = TapeAgent(spec(1))
    try:
        steps = play(agent, envs, envs.reset()[0], noise=Always([1.0], 1, 3, seed=0))
        taken = [step.transitions.actions.tolist() for step in itertools.islice(steps, 3)]
        executed = envs.replay_log()[0].log.actions
    finally:
        envs.close()
    assert (taken, executed) == ([[1], [2], [0]], [2, 2, 2])


def test_the_state_restores_the_random_actions():
    noise, other = (ActionNoise([0.5], 8, num_actions=3, seed=seed) for seed in (0, 1))
    actions = np.full(8, 9)
    noise.apply(actions)
    other.load_state_dict(noise.state_dict())
    assert [noise.apply(actions).tolist() for _ in range(9)] == [
        other.apply(actions).tolist() for _ in range(9)
    ]
