"""Going back to where a game was lost."""

from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mario.games.start_curriculum import BACK, LOST, draw_start_offset
from wrappers import StartCurriculum, WrapperConfig, wrap

LEAST, MOST = BACK


class CountingGame(gym.Env):
    """Shows its seed and the actions since then; ends at an action that is a reason to."""

    observation_space = action_space = gym.spaces.Discrete(1)

    def reset(self, *, seed=None, options=None):
        self.taken, self.options = [seed], options
        return tuple(self.taken), {}

    def step(self, action):
        self.taken.append(action)
        over = isinstance(action, str)
        return tuple(self.taken), 1.0, over, False, {"ending": action if over else ""}


def play(env, actions):
    for action in actions:
        *_, info = env.step(action)
    return info


def going_back(share=1.0, farthest=0.0):
    return StartCurriculum(CountingGame(), share, farthest)


@pytest.mark.parametrize("end", LOST)
def test_an_episode_after_a_loss_begins_a_little_before_it(end):
    env = going_back()
    env.reset(seed=1)
    play(env, [*range(100), end])
    seen, info = env.reset(seed=2)
    kept = 101 - draw_start_offset(1.0, 0.0, 2)
    assert seen == (1, *range(kept))
    assert info["revisited"] == play(env, [7])["revisited"] == kept


def test_what_leads_to_a_loss_is_gone_over_again_and_again():
    env = going_back()
    env.reset(seed=1)
    play(env, [*range(100), "death"])
    first = env.reset(seed=2)[0]
    play(env, ["new"] * 50 + ["death"])
    second, info = env.reset(seed=3)
    whole = (*first, *["new"] * 50, "death")
    assert second == whole[: len(whole) - draw_start_offset(1.0, 0.0, 3)]
    assert info["revisited"] == len(second) - 1


@pytest.mark.parametrize(
    ("actions", "share"),
    [
        ([*range(100), "flag"], 1.0),
        ([*range(100)], 1.0),
        ([*range(100), "death"], 0.0),
        ([*range(LEAST - 1), "death"], 1.0),
    ],
    ids=["won", "cut short", "never", "too short"],
)
def test_other_episodes_are_followed_by_one_from_the_games_start(actions, share):
    env = going_back(share)
    env.reset(seed=1)
    play(env, actions)
    assert env.reset(seed=2) == ((2,), {"revisited": 0, "farthest": 0})


def test_an_episode_without_a_seed_is_not_gone_back_to():
    env = going_back()
    for seeds in ((None, 1), (1, None)):
        env.reset(seed=seeds[0])
        play(env, [*range(100), "death"])
        assert env.reset(seed=seeds[1])[0] == (seeds[1],)


def test_an_episode_can_be_taken_up_in_its_midst_and_be_lost_from_there():
    env, again = going_back(), going_back()
    env.reset(seed=1)
    play(env, [*range(100), "death"])
    seen = env.reset(seed=2)[0]
    assert again.reset(seed=1, options={"replay": list(seen[1:])}) == (
        seen, {"ending": "", "revisited": len(seen) - 1, "farthest": 0},
    )  # fmt: skip
    for each in (env, again):
        play(each, [5] * 30 + ["time"])
    assert env.reset(seed=3) == again.reset(seed=3)
    assert again.reset(seed=4, options={"replay": [], "stages": "1-1"})[0] == (4,)
    assert again.unwrapped.options == {"stages": "1-1"}


def losing(env, seed, length):
    """Play an episode that earns its length; its end."""
    env.reset(seed=seed)
    return play(env, [*range(length - 1), "death"])


def test_the_farthest_way_is_gone_back_to_until_the_game_is_won():
    env = going_back(farthest=1.0)
    assert losing(env, 1, 200)["farthest"] == 1
    assert losing(env, 2, 1)["farthest"] == 0, "on the way of 200, cut short"
    seen, info = env.reset(seed=3)
    kept = 200 + draw_start_offset(1.0, 1.0, 3)
    assert seen == (1, *range(kept))
    assert info == {"ending": "", "revisited": -kept, "farthest": 0}
    assert play(env, [5] * 300 + ["death"])["farthest"] == 1
    seen, _ = env.reset(seed=4)
    assert seen[kept + 1 :] == (5,) * (301 + draw_start_offset(1.0, 1.0, 4))
    assert play(env, ["flag"])["farthest"] == -1
    env.reset(seed=5)
    assert play(env, [*range(99), "time"])["farthest"] == 1, "however short, now that it was won"


def test_an_episode_that_is_cut_short_changes_nothing_of_the_farthest_way():
    env = going_back(farthest=1.0)
    losing(env, 1, 200)
    for _ in range(20):
        env.reset(seed=None)
        assert play(env, range(300))["farthest"] == 0
    losing(env, 2, 10)
    assert env.reset(seed=3)[0][0] == 1


def test_with_the_farthest_way_an_episode_can_be_taken_up_in_its_midst():
    env, again = going_back(farthest=0.5), going_back(farthest=0.5)
    losing(env, 1, 300)
    env.reset(seed=None)
    play(env, [*range(149), "death"])
    farthest = (1, [*range(299), "death"])
    for seed in range(2, 30):
        seen, info = env.reset(seed=seed)
        if info["revisited"] < 0:
            options = {"replay": list(seen[1:]), "farthest": farthest, "on_farthest": True}
            assert again.reset(seed=1, options=options) == (seen, info)
            for following in (40, 41, 42):
                for each in (env, again):
                    play(each, [7] * 20 + ["death"])
                assert env.reset(seed=following) == again.reset(seed=following)
            return
    pytest.fail("no episode went back on the farthest way")


@given(st.integers(0, 2**32 - 1), st.floats(0, 1), st.floats(0, 1))
def test_a_seed_goes_back_equally_far_in_every_share_that_it_goes_back_in(seed, share, farthest):
    back = draw_start_offset(share, farthest, seed)
    assert abs(back) in (0, draw_start_offset(1.0, 0.0, seed))
    assert LEAST <= draw_start_offset(1.0, 0.0, seed) <= MOST


def test_the_shares_and_the_way_are_what_they_are_said_to_be():
    drawn = np.array([draw_start_offset(0.5, 0.25, seed) for seed in range(4000)])
    assert 0.47 < (drawn != 0).mean() < 0.53
    assert 0.22 < (drawn < 0).sum() / (drawn != 0).sum() < 0.28
    assert set(abs(drawn)) == {0, *range(LEAST, MOST + 1)}


class Corridor(gym.Env):
    """A picture as bright as there were frames; the 60th is death."""

    observation_space = gym.spaces.Box(0, 255, (8, 8, 3), np.uint8)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        self.frame = (options or {}).get("noops", 0)
        return self.picture(), {}

    def step(self, action):
        self.frame += 1
        dead = self.frame >= 60
        return self.picture(), 1.0, dead, False, {"ending": "death" if dead else ""}

    def picture(self):
        return np.full((8, 8, 3), self.frame, np.uint8)


def test_what_came_before_is_neither_seen_nor_counted():
    env = wrap(Corridor(), WrapperConfig(skip=1, size=2, noop_max=5, revisit=1.0))
    first, _ = env.reset(seed=0)
    over = False
    while not over:
        *_, over, _, info = env.step(0)
    length = info["episode"]["l"]
    seed = next(seed for seed in range(100) if 0 < draw_start_offset(1.0, 0.0, seed) < 50)
    seen, info = env.reset(seed=seed)
    left, over = draw_start_offset(1.0, 0.0, seed), False
    assert info["revisited"] == length - left
    assert {*seen.flat} == {int(first[0, 0, 0]) + length - left}
    while not over:
        *_, over, _, info = env.step(0)
    assert (info["episode"]["r"], info["episode"]["l"]) == (left, left)
