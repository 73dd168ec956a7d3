"""Maps of levels, from episodes played again on the real game."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from agents import Agent, AgentSpec
from mario.errors import UsageError
from mario.evaluation.episodes import play_episodes
from mario.evaluation.level_survey import HEIGHT, SCREEN, LevelSurvey, SurveyRecorder, survey
from mario.vector.make import make_env, make_vector_env
from wrappers import WrapperConfig

NOOPS = WrapperConfig(noop_max=30)
RUN, RUN_AND_JUMP = 3, 4


class Jumper(Agent):
    """Runs to the right, and jumps at random."""

    def __init__(self, seed):
        super().__init__(AgentSpec((4, 84, 84), num_actions=7, training=False))
        self.random = np.random.default_rng(seed)

    def act(self, states):
        jumps = self.random.random(len(states)) < 0.7
        return np.where(jumps, RUN_AND_JUMP, RUN)

    def cache(self, transitions):
        raise NotImplementedError

    def recall(self):
        raise NotImplementedError

    def learn(self):
        raise NotImplementedError


def played(level, episodes=4):
    games = make_vector_env(
        f"SuperMarioBros-{level}-v0", "simple", "auto", NOOPS, num_envs=2, seed=7
    )  # fmt: skip
    try:
        return play_episodes(Jumper(0), games, episodes)
    finally:
        games.close()


def surveyed(level, episodes):
    surveys = {}
    env = make_env(
        f"SuperMarioBros-{level}-v0", "simple", "auto", NOOPS, partial(SurveyRecorder, surveys=surveys)
    )  # fmt: skip
    try:
        survey(env, surveys, episodes)
        return surveys, env.unwrapped.info()
    finally:
        env.close()


def test_the_farthest_episode_is_played_again_to_its_end():
    episodes = played("1-1")
    surveys, info = surveyed("1-1", episodes)
    farthest = max(episodes, key=lambda each: each.best_x)
    assert (info["x_pos"], info["y_pos"]) == (farthest.x_pos, farthest.y_pos)
    assert list(surveys) == [farthest.stretch]
    (seen,) = surveys.values()
    assert seen.left == 0
    assert farthest.best_x < seen.right <= farthest.best_x + SCREEN


def test_screens_are_pasted_where_they_belong():
    """Ground and bricks stand still, so what two screens share must be the same in both."""
    surveys = {}
    env = make_env(
        "SuperMarioBros-1-1-v0", "simple", "auto", NOOPS, partial(SurveyRecorder, surveys=surveys)
    )  # fmt: skip
    env.reset(seed=0)
    ground, terminated = [], False
    while not terminated:  # the first enemy ends it
        _, _, terminated, _, _ = env.step(RUN)
        (seen,) = surveys.values()
        ground.append(seen.pixels[-20:].copy())
    env.close()
    assert seen.right > 1.2 * SCREEN
    for earlier in ground:
        known = earlier.any(axis=(0, 2))
        np.testing.assert_array_equal(earlier[:, known], seen.pixels[-20:][:, known])


def test_a_screen_leaves_out_the_status_and_widens_the_survey():
    seen = LevelSurvey()
    seen.paste(np.full((240, 256, 3), 7, np.uint8), 300)
    seen.paste(np.full((240, 256, 3), 9, np.uint8), 310)
    assert (seen.left, seen.right) == (300, 566)
    assert seen.pixels.shape[0] == HEIGHT
    assert [int(seen.pixels[0, x, 0]) for x in (299, 300, 309, 310, 565, 566)] == [0, 7, 7, 9, 9, 0]


def test_another_game_has_no_maps():
    with pytest.raises(
        UsageError, match="there are maps of Super Mario Bros. alone, not of Tetris"
    ):
        make_env("Tetris-v0", None, "auto", NOOPS, partial(SurveyRecorder, surveys={})).close()
