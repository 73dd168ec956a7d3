"""Holds the compiled path against the Python one: the same games, wrappers and emulator."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest

from mario.emulators.native import NativeEmulator
from mario.evaluation.episodes import final_info
from mario.games.roms import mario_rom
from mario.games.smb_levels import LEVELS
from mario.games.super_mario_bros import SuperMarioBros
from mario.vector.worker import Player
from wrappers import WrapperConfig, wrap

pytest.importorskip("mario.games._native", reason="the native extension is not built")
from mario.vector.native_mario import NativeMarioVectorEnv

PLAYS = json.loads((Path(__file__).parents[2] / "fixtures" / "mario_plays.json").read_text())
SEED = 5
RIGHT_A_B = 4
FINAL = ("final_obs", "final_info")


@pytest.fixture
def vector():
    made = []

    def make(num_envs=1, *, level="1-1", seed=SEED, **kwargs):
        made.append(NativeMarioVectorEnv(num_envs, level=level, seed=seed, **kwargs))
        return made[-1]

    yield make
    for each in made:
        each.close()


def player(game, wrappers, *, lost_levels=False, **options):
    """One game of `ProcessVectorEnv`'s, without its process."""
    console = NativeEmulator(mario_rom(lost_levels=lost_levels))
    env = SuperMarioBros(emulator=console, lost_levels=lost_levels, **options)
    return Player(wrap(env, wrappers), SEED, game)


def of_game(infos, game):
    """What a vector's infos say of one game's present."""
    mine = {key: value for key, value in infos.items() if key not in FINAL}
    return final_info({"final_info": mine}, game)


def assert_same_picture(ours, theirs):
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def assert_same_play(games, players, actions):
    """Play the same actions both ways; why episodes ended."""
    ends = []
    observations, infos = games.reset()
    for game, each in enumerate(players):
        observation, info = each.replay(SEED, 0, [], 0, 0)
        assert_same_picture(observations[game], observation)
        assert of_game(infos, game) == info
    for step, chosen in enumerate(actions):
        observations, rewards, terminated, truncated, infos = games.step(chosen)
        for game, each in enumerate(players):
            outcome = each.step(int(chosen[game]))
            assert (rewards[game], terminated[game], truncated[game]) == outcome[1:4], step
            assert of_game(infos, game) == outcome.info, step
            assert_same_picture(observations[game], outcome.observation)
            if outcome.final:
                ends.append(assert_same_end(infos, game, *outcome.final))
    return ends


def assert_same_end(infos, game, observation, info):
    del info["episode"]["t"]  # the time that it took
    assert final_info(infos, game) == info
    assert_same_picture(infos["final_obs"][game], observation)
    return info["ending"]


def random_actions(seed, num_envs, steps):
    """Mostly to the right; each is held for a while."""
    rng = np.random.default_rng(seed)
    actions = np.full(num_envs, RIGHT_A_B)
    for _ in range(steps):
        drawn = rng.choice(7, num_envs, p=[0.05, 0.1, 0.15, 0.25, 0.35, 0.05, 0.05])
        actions = np.where(rng.random(num_envs) < 0.3, drawn, actions)
        yield actions


def assert_same_random_play(vector, level, num_envs, threads, steps, *, view=None, **options):
    wrappers = WrapperConfig(noop_max=30, **(view or {}))
    games = vector(num_envs, level=level, wrappers=wrappers, threads=threads, **options)
    players = [player(game, wrappers, level=level, **options) for game in range(num_envs)]
    return assert_same_play(games, players, random_actions(len(level or ""), num_envs, steps))


@pytest.mark.parametrize(("num_envs", "threads"), [(1, 1), (3, 2), (8, 3)])
def test_random_plays_are_the_same(vector, num_envs, threads):
    ends = assert_same_random_play(vector, "1-1", num_envs, threads, steps=600 // num_envs)
    assert "death" in ends


@pytest.mark.slow
@pytest.mark.parametrize("level", LEVELS)
def test_random_plays_of_every_level_are_the_same(vector, level):
    assert_same_random_play(vector, level, 2, 2, steps=250, stall_frames=120)


@pytest.mark.slow
def test_random_plays_of_the_whole_game_are_the_same(vector):
    ends = assert_same_random_play(
        vector, None, 2, 2, steps=1500, view={"revisit": 1.0, "revisit_farthest": 0.5}
    )
    assert "game over" in ends


@pytest.mark.parametrize("stall_frames", [1, 30, None])
def test_games_are_cut_short_alike(vector, stall_frames):
    games = vector(wrappers=WrapperConfig(), stall_frames=stall_frames)
    players = [player(0, WrapperConfig(), level="1-1", stall_frames=stall_frames)]
    ends = assert_same_play(games, players, [np.zeros(1, int)] * 40)
    assert set(ends) == (set() if stall_frames is None else {"truncated"})


@pytest.mark.slow
@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play["name"])
def test_recorded_plays_are_the_same(vector, play):
    kind = {key: play[key] for key in ("level", "lost_levels")} | {"actions": "buttons"}
    frames = [np.array([mask]) for mask, held in play["buttons"] for _ in range(held)]
    wrappers = WrapperConfig(skip=1, stack=1)
    ends = assert_same_play(
        vector(wrappers=wrappers, **kind), [player(0, wrappers, **kind)], frames
    )
    assert set(ends) >= set(play["ends"])


@pytest.mark.parametrize(
    "wrappers",
    [
        WrapperConfig(skip=1, size=1, stack=1),
        WrapperConfig(skip=3, size=37, stack=2, reward_scale=-0.1),
        WrapperConfig(skip=5, size=96, stack=5, reward_clip=1.0),
        WrapperConfig(size=240, noop_max=3, reward_scale=0.5, reward_clip=2.5),
        WrapperConfig(size=20, show_action=True),
        WrapperConfig(crop_top=32, show_action=True),
        WrapperConfig(observation="orange"),
        WrapperConfig(size=77, crop_top=163),
        WrapperConfig(show_action=True, stack=3),
        WrapperConfig(repeat_action_probability=0.6, noop_max=30, skip=3),
    ],
)
def test_every_wrapper_has_the_same_effect(vector, wrappers):
    games = vector(2, wrappers=wrappers)
    players = [player(game, wrappers, level="1-1") for game in range(2)]
    assert_same_play(games, players, random_actions(1, 2, 60))


def test_an_end_is_worth_the_same(vector):
    wrappers = WrapperConfig(reward_scale=0.1, reward_clip=1.0, reward_won=5, reward_lost=-2.5)
    games, players = vector(wrappers=wrappers), [player(0, wrappers, level="1-1")]
    assert "death" in assert_same_play(games, players, [np.ones(1, int)] * 60)


@pytest.mark.parametrize("farthest", [0.0, 0.5])
def test_games_go_back_alike_to_where_they_were_lost(vector, farthest):
    wrappers = WrapperConfig(noop_max=30, revisit=0.9, revisit_farthest=farthest, show_action=True)
    games = vector(2, wrappers=wrappers, threads=2)
    players = [player(game, wrappers, level="1-1") for game in range(2)]
    ends = assert_same_play(games, players, random_actions(3, 2, 300))
    assert ends.count("death") > 4
    assert any(entry["revisited"] for entry in games.journal())


def test_threads_and_waiting_change_nothing(vector):
    one, three = vector(8, threads=1), vector(8, threads=3)
    np.testing.assert_array_equal(one.reset()[0], three.reset()[0])
    for actions in random_actions(2, 8, 80):
        three.step_async(actions)
        ours, theirs = one.step(actions), three.step_wait()
        for mine, other in zip(ours[:4], theirs[:4], strict=True):
            np.testing.assert_array_equal(mine, other)


def test_what_was_returned_is_never_written_to(vector):
    games = vector(2)
    seen = [games.reset()[0]]
    copies = [seen[0].copy()]
    for actions in random_actions(3, 2, 5):
        seen.append(games.step(actions)[0])
        copies.append(seen[-1].copy())
    for array, copy in zip(seen, copies, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert any((a != b).any() for a, b in itertools.pairwise(seen))


def test_slow_fingers_make_other_games(vector):
    prompt, slow = (
        vector(8, wrappers=WrapperConfig(repeat_action_probability=sticky, revisit=0.5))
        for sticky in (0.0, 0.25)
    )
    first = slow.reset()[0]
    np.testing.assert_array_equal(prompt.reset()[0], first)
    for actions in random_actions(2, 1, 40):
        alike, apart = (games.step(actions.repeat(8))[0] for games in (prompt, slow))
    assert len(np.unique(alike, axis=0)) == 1
    assert len(np.unique(apart, axis=0)) > 4


@pytest.mark.parametrize(
    ("revisit", "farthest", "sticky"),
    [(0.0, 0.0, 0.0), (0.9, 0.0, 0.0), (0.9, 0.5, 0.25), (0.9, 1.0, 0.0)],
)
def test_a_journal_brings_every_game_back_in_either_path(vector, revisit, farthest, sticky):
    wrappers = WrapperConfig(
        noop_max=30, revisit=revisit, revisit_farthest=farthest, repeat_action_probability=sticky
    )
    games, others = vector(2, wrappers=wrappers), vector(2, wrappers=wrappers)
    games.reset()
    for actions in random_actions(9, 2, 200):
        observations, *_ = games.step(actions)
    journal = json.loads(json.dumps(games.journal()))
    assert max(entry["episode"] for entry in journal) > 0
    assert any(entry["revisited"] for entry in journal) == bool(revisit)
    assert {entry["farthest"] is not None for entry in journal} == {farthest > 0}, "all were lost"
    restored, _ = others.restore(journal)
    np.testing.assert_array_equal(restored, observations)
    players = [player(game, wrappers, level="1-1") for game in range(2)]
    for game, (each, entry) in enumerate(zip(players, journal, strict=True)):
        again, _ = each.replay(SEED, **entry)
        assert_same_picture(observations[game], again)
    for actions in random_actions(5, 2, 150):
        ours, theirs = games.step(actions), others.step(actions)
        np.testing.assert_array_equal(ours[0], theirs[0])
        for game, each in enumerate(players):
            assert_same_picture(ours[0][game], each.step(int(actions[game])).observation)
    assert games.journal() == others.journal()


def test_a_reset_takes_another_seed(vector):
    wrappers = WrapperConfig(noop_max=30)
    games, others = vector(4, seed=1, wrappers=wrappers), vector(4, seed=2, wrappers=wrappers)
    first, _ = games.reset()
    np.testing.assert_array_equal(games.reset(seed=2)[0], others.reset()[0])
    assert (first != games.reset(seed=3)[0]).any()
