"""Seeds of episodes, drawn or spread evenly over the starts."""

from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
from doubles import FakeGame
from hypothesis import given
from hypothesis import strategies as st
from tape import TapeAgent, spec

from mario.evaluation.episodes import play_episodes
from mario.vector.make import make_env, make_vector_env
from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.seeding import episode_seed, stratified_seeds
from wrappers import NoopReset, WrapperConfig
from wrappers.noop_reset import sample_noops


def test_every_episode_of_every_game_has_a_seed_of_its_own():
    seeds = {episode_seed(s, g, e) for s in range(3) for g in range(4) for e in range(5)}
    assert len(seeds) == 3 * 4 * 5


@given(
    seed=st.integers(0, 2**40),
    num_envs=st.integers(1, 9),
    noop_max=st.integers(0, 12),
    rounds=st.integers(1, 3),
)
def test_as_many_episodes_as_there_are_starts_play_each_once(seed, num_envs, noop_max, rounds):
    starts = noop_max + 1
    seed_of = stratified_seeds(num_envs, noop_max)
    places = [divmod(place, num_envs) for place in range(rounds * starts)]
    seeds = [seed_of(seed, game, episode) for episode, game in places]
    counts = Counter(sample_noops(each, noop_max) for each in seeds)
    assert counts == dict.fromkeys(range(starts), rounds)
    assert len(set(seeds)) == len(seeds)


def test_even_seeds_do_not_depend_on_how_many_are_played_at_a_time():
    def first_twelve(num_envs):
        seed_of = stratified_seeds(num_envs, 30)
        return [seed_of(4, k % num_envs, k // num_envs) for k in range(12)]

    assert first_twelve(1) == first_twelve(5) == first_twelve(12)
    assert stratified_seeds(5, 30)(4, 0, 0) != stratified_seeds(5, 30)(5, 0, 0)


class Told(FakeGame):
    """Says with which noops its episode began."""

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.noops = options["noops"]
        return self.observe(), {"x_pos": self.noops}

    def step(self, action):
        *result, info = super().step(action)
        return *result, info | {"x_pos": self.noops}


def told():
    return NoopReset(Told(length=2), 4)


def test_an_evaluation_plays_every_start_as_often():
    games = ProcessVectorEnv(told, 3, seed=2, seed_of=stratified_seeds(3, 4))
    try:
        played = play_episodes(TapeAgent(spec(2)), games, 10)
    finally:
        games.close()
    assert Counter(each.x_pos for each in played) == dict.fromkeys(range(5), 2)
    assert all(sample_noops(each.seed, 4) == each.x_pos for each in played)


def test_compiled_games_begin_as_evenly_as_wrapped_ones():
    see, game = WrapperConfig(noop_max=30, stack=1), "SuperMarioBros-1-1-v0"
    compiled = make_vector_env(game, "simple", "auto", see, num_envs=2, seed=9, even=True)
    make = partial(make_env, game, "simple", "auto", see)
    wrapped = ProcessVectorEnv(make, 2, seed=9, seed_of=stratified_seeds(2, 30))
    run = np.full(2, 3)
    try:
        assert type(compiled) is not type(wrapped)
        for mine in (compiled, wrapped):
            mine.reset()
        for _ in range(120):  # into the first goomba again and again
            mine, theirs = compiled.step(run), wrapped.step(run)
            np.testing.assert_allclose(mine[0].astype(int), theirs[0], atol=1)
            np.testing.assert_array_equal(mine[2], theirs[2])
        assert min(entry["episode"] for entry in compiled.journal()) > 1
    finally:
        compiled.close()
        wrapped.close()
