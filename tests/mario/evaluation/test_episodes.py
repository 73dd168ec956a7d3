"""Evaluation episodes: each environment plays its share, greedily and reproducibly."""

from __future__ import annotations

import numpy as np
import pytest
from doubles import FakeGame, fake_game
from tape import TapeAgent, spec

from mario.evaluation.episodes import play_episodes
from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.seeding import episode_seed, stratified_seeds


@pytest.fixture
def envs():
    vector = ProcessVectorEnv(fake_game(length=3), 2, seed=0)
    yield vector
    vector.close()


def test_the_requested_number_of_episodes_is_played_to_the_end(envs):
    results = play_episodes(TapeAgent(spec(2)), envs, 5)
    assert [result.length for result in results] == [3] * 5
    assert all(result.ending == "flag" for result in results)


class ShortOrLong(FakeGame):
    """Has short episodes in environment 0 and long ones in environment 1."""

    def reset(self, *, seed=None, options=None):
        self.first = getattr(self, "first", seed)
        self.length = 2 if self.first == episode_seed(0, 0, 0) else 20
        return super().reset(seed=seed)


def test_short_episodes_are_not_played_more_often_than_long_ones():
    envs = ProcessVectorEnv(ShortOrLong, 2, seed=0)
    lengths = [result.length for result in play_episodes(TapeAgent(spec(2)), envs, 6)]
    envs.close()
    assert sorted(lengths) == [2, 2, 2, 20, 20, 20]


def test_a_result_has_the_seed_and_the_actions_that_reproduce_the_episode(envs):
    results = play_episodes(TapeAgent(spec(2)), envs, 5)
    assert {result.seed for result in results} == {
        episode_seed(0, env_index, episode)
        for env_index, episode in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1))
    }
    assert all(len(result.actions) == result.length for result in results)
    assert all(sum(result.actions) == result.reward for result in results)


def test_an_environment_that_has_played_its_share_is_not_passed_to_the_agent(envs):
    agent = TapeAgent(spec(2))
    play_episodes(agent, envs, 3)
    assert [len(states) for verb, states in agent.tape if verb == "act"] == [2, 2, 2, 1, 1, 1]


def test_the_agent_is_greedy_during_evaluation_and_training_again_afterwards(envs):
    modes = []

    class ModeRecorder(TapeAgent):
        def act(self, states):
            modes.append(self.training)
            return super().act(states)

    agent = ModeRecorder(spec(2))
    play_episodes(agent, envs, 2)
    assert agent.training
    assert set(modes) == {False}
    assert not [entry for entry in agent.tape if entry[0] in ("cache", "learn")]


def test_recurrent_state_follows_its_environment_and_is_reset_at_episode_starts(envs):
    class CarryRecorder(TapeAgent):
        def carry_recurrent_state(self, indices):
            if indices.tolist() != [0, 1]:
                self.tape.append(("carry", indices.tolist()))

    agent = CarryRecorder(spec(2))
    play_episodes(agent, envs, 3)
    calls = [entry[0] if entry[0] == "act" else entry[1] for entry in agent.tape]
    first = [[-1, -1], "act", "act", "act"]
    assert calls == [*first, [-1], "act", [0], "act", [0], "act", []], "env 0 plays one more"


def test_epsilon_replaces_actions_at_random_and_results_contain_the_actions_taken():
    envs = ProcessVectorEnv(fake_game(length=150), 2, seed=0)

    def actions(epsilon, seed=0):
        results = play_episodes(TapeAgent(spec(2)), envs, 6, epsilon=epsilon, seed=seed)
        return np.array([result.actions for result in results])

    greedy, random = actions(0.0), actions(0.2)
    assert (random == actions(0.2)).all()
    assert (random != actions(0.2, seed=1)).any()
    envs.close()
    expected = 0.2 * (1 - 1 / 3)
    assert (greedy != random).mean() == pytest.approx(expected, abs=0.035), "3 standard errors"


@pytest.mark.parametrize("num_envs", [1, 3])
def test_random_actions_depend_only_on_the_episode(num_envs):
    def play(num_envs):
        seeds = stratified_seeds(num_envs, (0, 30), 5)
        envs = ProcessVectorEnv(fake_game(length=20), num_envs, seed=0, seed_function=seeds)
        results = play_episodes(ConstantAgent(spec(num_envs)), envs, 5, epsilon=0.5)
        envs.close()
        return {result.seed: result.actions for result in results}

    assert play(num_envs) == play(2)


class ConstantAgent(TapeAgent):
    """Always takes action 0, so that the actions of an episode depend on epsilon only."""

    def act(self, states):
        return np.zeros(len(states), np.int64)


def test_evaluation_can_be_stopped_early(envs):
    stop = iter([False, True])
    assert play_episodes(TapeAgent(spec(2)), envs, 4, stop=lambda: next(stop)) == []


def test_the_same_evaluation_gives_the_same_results(envs):
    first = play_episodes(TapeAgent(spec(2)), envs, 4)
    second = play_episodes(TapeAgent(spec(2)), envs, 4)
    assert first == second
    assert np.isfinite([result.reward for result in first]).all()
