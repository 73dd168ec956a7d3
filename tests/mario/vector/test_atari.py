"""ALE's threads against the wrappers around single games: the same pictures, rewards and ends."""

from __future__ import annotations

import itertools
from functools import partial

import numpy as np
import pytest

from mario.errors import UsageError
from mario.evaluation.episodes import final_info
from mario.games import make_game
from mario.vector.base import entry_of
from mario.vector.make import make_env
from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.worker import Player
from wrappers import WrapperConfig, wrap

pytest.importorskip("ale_py")
from mario.vector.atari import AtariVectorEnv, _Seat

SEED = 3
BREAKOUT = {"game": "breakout"}
LIVES = WrapperConfig(
    max_pool=True, fire_reset=True, terminal_on_life_loss=True, reward_clip=1, reward_lost=-2
)


@pytest.fixture
def vector():
    made = []

    def make(num_envs=2, **options):
        made.append(AtariVectorEnv(num_envs, **{"seed": SEED} | BREAKOUT | options))
        return made[-1]

    yield make
    for each in made:
        each.close()


def random_actions(games, steps, seed=0):
    return np.random.default_rng(seed).integers(games.single_action_space.n, size=(steps, 2))


def player(game, wrappers, **options):
    """One game of `ProcessVectorEnv`'s, without its process."""
    return Player(wrap(make_game(options.pop("id"), **options), wrappers), SEED, game)


def assert_same_picture(ours, theirs):
    assert ours.shape == theirs.shape
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def summary(info):
    """Why an episode ended, and a game's score and length."""
    episode = info.get("episode", {})
    return info["ending"], episode.get("r"), episode.get("l")


@pytest.mark.parametrize(
    ("id", "options", "wrappers", "steps"),
    [
        ("BreakoutNoFrameskip-v4", BREAKOUT, LIVES, 240),
        ("ALE/Pong-v5", {"game": "pong", "sticky": 0.25}, WrapperConfig(observation="pong"), 60),
    ],
)
def test_the_wrappers_give_the_same(vector, id, options, wrappers, steps):
    games = vector(wrappers=wrappers, **options)
    players = [player(game, wrappers, id=id) for game in range(2)]
    states, _ = games.reset()
    for state, single in zip(states, players, strict=True):
        assert_same_picture(state, single.replay(SEED, 0, [], start=0, revisited=0)[0])
    ends = []
    for actions in random_actions(games, steps):
        states, rewards, terminated, truncated, infos = games.step(actions)
        for game in range(2):
            alone = players[game].step(int(actions[game]))
            assert_same_picture(states[game], alone.observation)
            assert (rewards[game], terminated[game], truncated[game]) == alone[1:4]
            if alone.final:
                ends.append(summary(final_info(infos, game)))
                assert ends[-1] == summary(alone.final[1])
    if wrappers.terminal_on_life_loss:
        assert {ending for ending, *_ in ends} == {"life", "game over"}


@pytest.mark.parametrize("sticky", [0.0, 0.25])
def test_games_go_on_from_a_journal_exactly(vector, sticky):
    wrappers = WrapperConfig(
        noop_max=30, max_pool=True, fire_reset=True, terminal_on_life_loss=True
    )
    first, second = (vector(wrappers=wrappers, sticky=sticky) for _ in range(2))
    first.reset()
    moves = random_actions(first, 330)
    for actions in moves[:300]:
        stood, *_ = first.step(actions)
    journal = first.journal()
    assert [entry["episode"] for entry in journal] != [0, 0]
    states, infos = second.restore(journal)
    np.testing.assert_array_equal(states, stood)
    assert second.journal() == journal
    assert infos["ending"].tolist() == ["", ""]
    for actions in moves[300:]:
        for mine, theirs in itertools.pairwise((first.step(actions), second.step(actions))):
            for ours, others in zip(mine[:4], theirs[:4], strict=True):
                np.testing.assert_array_equal(ours, others)


@pytest.mark.parametrize(
    "game", ["breakout", "pong", "seaquest", "qbert", "ms_pacman", "montezuma_revenge", "enduro"]
)
def test_how_an_episode_was_played_leaves_no_trace_in_the_next_one(game):
    def pictures(steps):
        seat = _Seat(game, sticky=0.0, view=WrapperConfig(noop_max=30, max_pool=True))
        seat.begin(SEED)
        rng = np.random.default_rng(steps)
        for action in rng.integers(18, size=steps):
            seat.start(action)
            seat.finish()
        yield seat.begin(None)[0]
        for action in np.random.default_rng(0).integers(18, size=40):
            seat.start(action)
            yield seat.finish().picture

    np.testing.assert_array_equal([*pictures(0)], [*pictures(70)])


@pytest.mark.parametrize(("sticky", "seeded"), [(0.0, [0, None, None, 3, None]), (0.25, [2, 3, 4])])
def test_a_seed_lasts_for_some_episodes_unless_actions_stick(vector, monkeypatch, sticky, seeded):
    monkeypatch.setattr("mario.vector.atari.SEEDED_EVERY", 3)
    games = vector(num_envs=1, sticky=sticky, seed_of=lambda seed, game, episode: episode)
    begun = []
    games._seats[0].begin = lambda seed: (begun.append(seed), (games._states[0, 0], {}))[1]
    games.restore([entry_of(2)])
    for episode in (3, 4):
        games._begin(0, episode)
    assert begun == seeded


def test_noops_make_episodes_differ(vector):
    games = vector(num_envs=8, seed=1, wrappers=WrapperConfig(noop_max=3, fire_reset=True))
    games.reset()
    for _ in range(5):
        states, *_ = games.step(np.zeros(8, np.int64))
    assert len({state.tobytes() for state in states}) == 4


def test_rewards_are_raw_where_nothing_clips_them(vector):
    games = vector(wrappers=WrapperConfig(fire_reset=True))
    games.reset()
    totals, scores = np.zeros(2), {}
    for actions in random_actions(games, 400):
        _, rewards, terminated, _, infos = games.step(actions)
        totals += rewards
        for game in np.flatnonzero(terminated):
            scores[game] = final_info(infos, int(game))["episode"]["r"], totals[game]
            totals[game] = 0
    assert len(scores) == 2
    assert all(score == total for score, total in scores.values())


def test_a_set_without_fire_cannot_serve(vector):
    with pytest.raises(UsageError, match="no action of this game is the fire button"):
        vector(actions=[["left"], ["right"]], wrappers=WrapperConfig(fire_reset=True))
    with pytest.raises(UsageError, match="takes no reset options"):
        vector().reset(options={"noops": 3})


def test_processes_bring_a_game_back_to_where_a_life_began():
    make = partial(make_env, "BreakoutNoFrameskip-v4", None, "auto", LIVES)
    games = ProcessVectorEnv(make, 1, seed=SEED)
    others = ProcessVectorEnv(make, 1, seed=SEED)
    try:
        games.reset()
        for action in np.random.default_rng(0).integers(4, size=60):
            states, *_, infos = games.step(np.array([action]))
        (lives,) = infos["lives"]
        (entry,) = games.journal()
        assert (entry["episode"], len(entry["actions"])) == (0, 60)
        assert 0 < lives < 5
        np.testing.assert_array_equal(others.restore([entry])[0], states)
        for ours, theirs in zip(games.step(action[None]), others.step(action[None]), strict=True):
            np.testing.assert_equal(ours, theirs)
    finally:
        games.close()
        others.close()
