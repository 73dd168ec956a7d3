"""Level surveys from episodes that are replayed in the real game."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from agents import Agent, AgentSpec
from mario.config.env_config import EnvConfig
from mario.errors import UsageError
from mario.evaluation.episodes import play_episodes
from mario.evaluation.level_survey import (
    HEIGHT,
    SCREEN_WIDTH,
    LevelSurvey,
    SurveyRecorder,
    survey_levels,
)
from mario.vector.make import make_env, make_vector_env
from wrappers import WrapperConfig

WRAPPERS = WrapperConfig(noop_max=30)
RUN, RUN_AND_JUMP = 3, 4


class Jumper(Agent):
    """Runs to the right and jumps at random."""

    def __init__(self, seed):
        super().__init__(AgentSpec((4, 84, 84), num_actions=7, training=False))
        self.rng = np.random.default_rng(seed)

    def act(self, states):
        jumps = self.rng.random(len(states)) < 0.7
        return np.where(jumps, RUN_AND_JUMP, RUN)

    def cache(self, transitions):
        raise NotImplementedError

    def recall(self):
        raise NotImplementedError

    def learn(self):
        raise NotImplementedError


def env_config(level):
    return EnvConfig(f"SuperMarioBros-{level}-v0", "simple", wrappers=WRAPPERS)


def play(level, episodes=4):
    envs = make_vector_env(env_config(level), num_envs=2, seed=7)
    try:
        return play_episodes(Jumper(0), envs, episodes)
    finally:
        envs.close()


def survey_of(level, results):
    surveys = {}
    recorder = partial(SurveyRecorder, surveys=surveys)
    env = make_env(env_config(level), recorder)
    try:
        survey_levels(env, surveys, results)
        return surveys, env.unwrapped.info()
    finally:
        env.close()


def test_the_farthest_episode_is_replayed_to_its_end():
    results = play("1-1")
    surveys, info = survey_of("1-1", results)
    farthest = max(results, key=lambda result: result.best_x)
    assert (info["x_pos"], info["y_pos"]) == (farthest.x_pos, farthest.y_pos)
    assert list(surveys) == [farthest.level_area]
    (survey,) = surveys.values()
    assert survey.left == 0
    assert farthest.best_x < survey.right <= farthest.best_x + SCREEN_WIDTH


def test_overlapping_frames_agree_where_the_level_stands_still():
    """The ground does not move, so two frames must agree in the columns that both show."""
    surveys = {}
    env = make_env(env_config("1-1"), partial(SurveyRecorder, surveys=surveys))
    env.reset(seed=0)
    ground, terminated = [], False
    while not terminated:  # until Mario runs into the first enemy
        _, _, terminated, _, _ = env.step(RUN)
        (survey,) = surveys.values()
        ground.append(survey.pixels[-20:].copy())
    env.close()
    assert survey.right > 1.2 * SCREEN_WIDTH
    for earlier in ground:
        known = earlier.any(axis=(0, 2))
        np.testing.assert_array_equal(earlier[:, known], survey.pixels[-20:][:, known])


def test_pasting_a_frame_omits_the_status_bar_and_extends_the_survey():
    survey = LevelSurvey()
    survey.paste(np.full((240, 256, 3), 7, np.uint8), 300)
    survey.paste(np.full((240, 256, 3), 9, np.uint8), 310)
    assert (survey.left, survey.right) == (300, 566)
    assert survey.pixels.shape[0] == HEIGHT
    assert [int(survey.pixels[0, x, 0]) for x in (299, 300, 309, 310, 565, 566)] == [
        0,
        7,
        7,
        9,
        9,
        0,
    ]


def test_a_game_other_than_super_mario_bros_is_refused():
    with pytest.raises(
        UsageError, match="maps can be drawn of Super Mario Bros. only, not of Tetris"
    ):
        make_env(EnvConfig("Tetris-v0"), partial(SurveyRecorder, surveys={})).close()
