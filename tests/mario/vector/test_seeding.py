"""Seeds of episodes, random and stratified."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from doubles import FakeGame
from hypothesis import given
from hypothesis import strategies as st
from tape import TapeAgent, spec

from mario.config.env_config import EnvConfig
from mario.errors import UsageError
from mario.evaluation.episodes import play_episodes
from mario.vector.backend import EpisodeOptions
from mario.vector.make import make_vector_env
from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.seeding import episode_seed, stratified_seeds
from wrappers import NoopReset, WrapperConfig
from wrappers.noop_reset import sample_noops


def test_every_episode_of_every_environment_has_its_own_seed():
    seeds = {episode_seed(s, g, e) for s in range(3) for g in range(4) for e in range(5)}
    assert len(seeds) == 3 * 4 * 5


@given(
    seed=st.integers(0, 2**40),
    num_envs=st.integers(1, 9),
    noop_max=st.integers(0, 12),
    rounds=st.integers(1, 3),
)
def test_stratified_seeds_draw_each_number_of_no_op_frames_once_per_round(
    seed, num_envs, noop_max, rounds
):
    num_starts = noop_max + 1
    seed_function = stratified_seeds(num_envs, (0, noop_max), rounds * num_starts)
    indices = [divmod(index, num_envs) for index in range(rounds * num_starts)]
    seeds = [seed_function(seed, env_index, episode) for episode, env_index in indices]
    counts = Counter(sample_noops(each, noop_max) for each in seeds)
    assert counts == dict.fromkeys(range(num_starts), rounds)
    assert len(set(seeds)) == len(seeds)


def test_stratified_seeds_do_not_depend_on_the_number_of_environments():
    def first_twelve(num_envs):
        seed_function = stratified_seeds(num_envs, (0, 30), 12)
        return [seed_function(4, k % num_envs, k // num_envs) for k in range(12)]

    assert first_twelve(1) == first_twelve(5) == first_twelve(12)
    assert stratified_seeds(5, (0, 30), 9)(4, 0, 0) != stratified_seeds(5, (0, 30), 9)(5, 0, 0)


@given(
    seed=st.integers(0, 2**40), num_envs=st.integers(1, 9), noop_max=st.integers(0, 40),
    episodes=st.integers(1, 20),
)  # fmt: skip
def test_few_episodes_are_spread_evenly_over_the_numbers_of_no_op_frames(
    seed, num_envs, noop_max, episodes
):
    num_starts = noop_max + 1
    seed_function = stratified_seeds(num_envs, (0, noop_max), episodes)
    noops = sorted(
        sample_noops(seed_function(seed, index % num_envs, index // num_envs), noop_max)
        for index in range(min(episodes, num_starts))
    )
    gaps = np.diff([*noops, noops[0] + num_starts])
    assert gaps.min() >= max(1, num_starts // episodes)
    assert gaps.max() <= -(-num_starts // episodes)


def test_a_hundred_episodes_cover_600_no_op_frames():
    seed_function = stratified_seeds(8, (0, 600), 100)
    noops = [sample_noops(seed_function(0, k % 8, k // 8), 600) for k in range(100)]
    assert noops[:4] == [0, 6, 12, 18]
    assert noops[-1] == 594


def test_starts_can_begin_at_a_minimum():
    seed_function = stratified_seeds(4, (300, 399), 100)
    noops = [sample_noops(seed_function(0, k % 4, k // 4), 399) for k in range(100)]
    assert noops == list(range(300, 400))


def test_atari_games_have_no_minimum():
    with pytest.raises(UsageError, match="noop_min 5 has no effect on Atari games; omit it"):
        make_vector_env(EnvConfig("ALE/Pong-v5"), num_envs=1, seed=0, noop_min=5)


def test_parts_of_an_evaluation_play_together_what_one_evaluation_plays():
    whole = [stratified_seeds(1, (0, 600), 20)(3, 0, k) for k in range(20)]
    parts = [stratified_seeds(2, (0, 600), 20, first)(3, k % 2, k // 2)
             for first in (0, 10) for k in range(10)]  # fmt: skip
    assert parts == whole


class NoopGame(FakeGame):
    """Reports its number of no-op frames as ``x_pos``."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.noops = options["noops"]
        return self.observe(), {"x_pos": self.noops}

    def step(self, action):
        *result, info = super().step(action)
        return *result, info | {"x_pos": self.noops}


def noop_game():
    return NoopReset(NoopGame(length=2), 4)


def test_an_evaluation_plays_every_start_equally_often():
    envs = ProcessVectorEnv(noop_game, 3, seed=2, seed_function=stratified_seeds(3, (0, 4), 10))
    try:
        episodes = play_episodes(TapeAgent(spec(2)), envs, 10)
    finally:
        envs.close()
    assert Counter(each.x_pos for each in episodes) == dict.fromkeys(range(5), 2)
    assert all(sample_noops(each.seed, 4) == each.x_pos for each in episodes)


def test_stratified_episodes_are_the_same_in_compiled_code_and_in_processes():
    wrappers = WrapperConfig(noop_max=30, stack=1)
    config = EnvConfig("SuperMarioBros-1-1-v0", "simple", wrappers=wrappers)
    compiled = make_vector_env(config, num_envs=2, seed=9, stratified_episodes=62)
    wrapped = ProcessVectorEnv.create(
        config, 2, EpisodeOptions(9, stratified_seeds(2, (0, 30), 62))
    )
    run = np.full(2, 3)
    try:
        assert type(compiled) is not type(wrapped)
        for envs in (compiled, wrapped):
            envs.reset()
        for _ in range(120):  # dies at the first goomba again and again
            result, expected = compiled.step(run), wrapped.step(run)
            np.testing.assert_allclose(result[0].astype(int), expected[0], atol=1)
            np.testing.assert_array_equal(result[2], expected[2])
        assert min(point.episode for point in compiled.replay_log()) > 1
    finally:
        compiled.close()
        wrapped.close()
