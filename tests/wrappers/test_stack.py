"""The whole stack of wrappers."""

from __future__ import annotations

import dataclasses
import math

import cv2
import gymnasium as gym
import numpy as np
import pytest

from wrappers import WrapperConfig, wrap


class ColorGame(gym.Env):
    """A picture whose color is the frame's number; each of its 20 frames earns 10."""

    observation_space = gym.spaces.Box(0, 255, (240, 256, 3), np.uint8)
    action_space = gym.spaces.Discrete(2)

    def __init__(self, ending: str = "flag") -> None:
        self.ending = ending

    def reset(self, *, seed=None, options=None):
        self.frame = (options or {}).get("noops", 0)
        return self.picture(), {}

    def step(self, action):
        self.frame += 1
        over = self.frame >= 20
        info = {"frame": self.frame, "ending": self.ending if over else ""}
        return self.picture(), 10.0, over, False, info

    def picture(self):
        picture = np.full((240, 256, 3), self.frame, np.uint8)
        picture[:120] = 200
        return picture


def test_an_agent_sees_the_latest_pictures_small_and_gray() -> None:
    env = wrap(ColorGame(), WrapperConfig())
    first, _ = env.reset()
    assert (first.shape, first.dtype) == ((4, 84, 84), np.uint8)
    assert first in env.observation_space
    assert [picture[83, 0] for picture in first] == [0, 0, 0, 0]
    for _ in range(3):
        latest, *_ = env.step(0)
    assert [picture[83, 0] for picture in latest] == [0, 4, 8, 12]
    assert latest[0, 0, 0] == 200


def test_pictures_are_grayed_first_and_then_resized_by_area() -> None:
    screen = np.random.default_rng(0).integers(0, 256, (240, 256, 3), np.uint8)
    game = ColorGame()
    game.picture = lambda: screen
    seen, _ = wrap(game, WrapperConfig(stack=1)).reset()
    gray = cv2.cvtColor(screen, cv2.COLOR_RGB2GRAY)
    np.testing.assert_array_equal(seen[0], cv2.resize(gray, (84, 84), interpolation=cv2.INTER_AREA))


def test_what_is_at_the_top_can_be_left_out() -> None:
    env = wrap(ColorGame(), WrapperConfig(crop_top=120))
    seen, _ = env.reset()
    assert seen.shape == (4, 84, 84)
    assert (seen == 0).all()  # the upper half is bright


def test_what_was_seen_is_not_overwritten_later() -> None:
    env = wrap(ColorGame(), WrapperConfig())
    first, _ = env.reset()
    kept = first.copy()
    env.step(0)
    np.testing.assert_array_equal(first, kept)


def test_the_agents_reward_is_scaled_then_clipped_and_the_episodes_is_the_games_own() -> None:
    env = wrap(ColorGame(), WrapperConfig(skip=3, reward_scale=0.5, reward_clip=12))
    env.reset()
    rewards, over = [], False
    while not over:
        _, reward, over, _, info = env.step(0)
        rewards.append(reward)
    assert rewards == [12.0] * 6 + [10.0]
    assert (info["episode"]["r"], info["episode"]["l"], info["frame"]) == (200.0, 7, 20)


@pytest.mark.parametrize(
    ("end", "worth"), [("flag", 5), ("death", -2), ("time", -2), ("truncated", 0), ("", 0)]
)
def test_an_end_is_worth_what_the_agent_is_told_on_top_of_what_was_clipped(end, worth) -> None:
    config = WrapperConfig(skip=10, reward_clip=3, reward_won=5, reward_lost=-2)
    env = wrap(ColorGame(ending=end), config)
    env.reset()
    assert [env.step(0)[1] for _ in range(2)] == [3, 3 + worth]


def test_games_start_up_to_as_many_frames_late_as_told() -> None:
    env = wrap(ColorGame(), WrapperConfig(noop_max=3))
    env.reset(seed=0)
    assert {int(env.reset()[0][0, 83, 0]) for _ in range(50)} == {0, 1, 2, 3}


def test_sizes_are_free() -> None:
    env = wrap(ColorGame(), WrapperConfig(size=42, stack=2))
    assert env.observation_space.shape == env.reset()[0].shape == (2, 42, 42)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("skip", 0, "skip must be at least 1, got 0"),
        ("size", -84, "size must be at least 1, got -84"),
        ("crop_top", -1, "crop_top must be at least 0, got -1"),
        ("stack", 0, "stack must be at least 1, got 0"),
        ("noop_max", -1, "noop_max must be at least 0, got -1"),
        (
            "repeat_action_probability",
            -0.01,
            "repeat_action_probability must lie between 0 and 1, got -0.01",
        ),
        ("revisit", 1.01, "revisit must lie between 0 and 1, got 1.01"),
        ("reward_scale", 0.0, "reward_scale must be finite and not 0, got 0.0"),
        ("reward_scale", math.nan, "reward_scale must be finite and not 0, got nan"),
        ("reward_clip", 0.0, "reward_clip must be above 0, got 0.0"),
        ("reward_won", math.inf, "reward_won must be finite, got inf"),
        ("reward_lost", math.nan, "reward_lost must be finite, got nan"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name: str, value: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        WrapperConfig(**{name: value})


def test_only_how_games_start_changes_for_an_examination() -> None:
    config = WrapperConfig(skip=2, reward_scale=0.1, fire_reset=True)
    revisiting = dataclasses.replace(
        config, revisit=0.5, repeat_action_probability=0.25, terminal_on_life_loss=True
    )
    assert revisiting.with_noops(30) == config.with_noops(30)
    assert config.with_noops(30) == dataclasses.replace(config, noop_max=30)


@pytest.mark.parametrize(
    "config",
    [
        WrapperConfig(reward_scale=0.3),
        WrapperConfig(reward_scale=0.3, reward_clip=2, reward_won=5, reward_lost=-7),
    ],
)
@pytest.mark.parametrize("ending", ["flag", "death", "other"])
def test_a_shaped_reward_is_what_the_wrappers_make_of_it(config, ending) -> None:
    env = wrap(ColorGame(ending), config)
    env.reset()
    rewards = [env.step(0)[1] for _ in range(5)]
    shaped = [config.shaped(40.0, "")] * 4 + [config.shaped(40.0, ending)]
    assert rewards == pytest.approx(shaped)


def test_pooled_pictures_are_gray_first() -> None:
    class Blink(ColorGame):
        def picture(self):
            picture = np.zeros((240, 256, 3), np.uint8)
            picture[..., self.frame % 2] = 200  # red and green by turns
            return picture

    env = wrap(Blink(), WrapperConfig(max_pool=True, stack=1))
    env.reset()
    assert env.step(0)[0].max() == round(0.587 * 200)  # yellow would be brighter
