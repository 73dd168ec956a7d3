"""All wrappers together."""

from __future__ import annotations

import math

import cv2
import gymnasium as gym
import numpy as np
import pytest

from wrappers import WrapperConfig, wrap


class ColorGame(gym.Env):
    """Images in the color of the frame number, with a bright upper half; 20 frames of reward 10."""

    observation_space = gym.spaces.Box(0, 255, (240, 256, 3), np.uint8)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        self.frame = (options or {}).get("noops", 0)
        return self.image(), {}

    def step(self, action):
        self.frame += 1
        return self.image(), 10.0, self.frame >= 20, False, {"frame": self.frame}

    def image(self):
        image = np.full((240, 256, 3), self.frame, np.uint8)
        image[:120] = 200
        return image


def test_observations_are_the_last_frames_resized_and_grayscale() -> None:
    env = wrap(ColorGame(), WrapperConfig())
    first, _ = env.reset()
    assert (first.shape, first.dtype) == ((4, 84, 84), np.uint8)
    assert first in env.observation_space
    assert [frame[83, 0] for frame in first] == [0, 0, 0, 0]
    for _ in range(3):
        latest, *_ = env.step(0)
    assert [frame[83, 0] for frame in latest] == [0, 4, 8, 12]
    assert latest[0, 0, 0] == 200


def test_images_are_converted_to_grayscale_and_then_resized_by_area() -> None:
    screen = np.random.default_rng(0).integers(0, 256, (240, 256, 3), np.uint8)
    game = ColorGame()
    game.image = lambda: screen
    observation, _ = wrap(game, WrapperConfig(stack=1)).reset()
    gray = cv2.cvtColor(screen, cv2.COLOR_RGB2GRAY)
    expected = cv2.resize(gray, (84, 84), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(observation[0], expected)


def test_the_top_of_the_screen_can_be_cropped() -> None:
    env = wrap(ColorGame(), WrapperConfig(crop_top=120))
    observation, _ = env.reset()
    assert observation.shape == (4, 84, 84)
    assert (observation == 0).all()  # only the upper half is bright


def test_an_observation_is_not_overwritten_by_later_steps() -> None:
    env = wrap(ColorGame(), WrapperConfig())
    first, _ = env.reset()
    copy = first.copy()
    env.step(0)
    np.testing.assert_array_equal(first, copy)


def test_rewards_are_scaled_and_then_clipped_but_logged_returns_are_not() -> None:
    env = wrap(ColorGame(), WrapperConfig(skip=3, reward_scale=0.5, reward_clip=12))
    env.reset()
    rewards, terminated = [], False
    while not terminated:
        _, reward, terminated, _, info = env.step(0)
        rewards.append(reward)
    assert rewards == [12.0] * 6 + [10.0]
    assert (info["episode"]["r"], info["episode"]["l"], info["frame"]) == (200.0, 7, 20)


@pytest.mark.parametrize(
    "config", [WrapperConfig(reward_scale=0.3), WrapperConfig(reward_scale=0.3, reward_clip=2)]
)
def test_a_batch_of_rewards_is_transformed_as_by_the_wrappers(config) -> None:
    env = wrap(ColorGame(), config)
    env.reset()
    rewards = [env.step(0)[1] for _ in range(5)]
    np.testing.assert_array_equal(config.transform_rewards(np.full(5, 40.0)), rewards)


def test_episodes_start_after_a_random_number_of_no_op_frames() -> None:
    env = wrap(ColorGame(), WrapperConfig(noop_max=3))
    env.reset(seed=0)
    assert {int(env.reset()[0][0, 83, 0]) for _ in range(50)} == {0, 1, 2, 3}


def test_the_size_of_observations_can_be_chosen() -> None:
    env = wrap(ColorGame(), WrapperConfig(size=42, stack=2))
    assert env.observation_space.shape == env.reset()[0].shape == (2, 42, 42)


@pytest.mark.parametrize(
    "config",
    [WrapperConfig(), WrapperConfig(size=42, stack=2), WrapperConfig(observation="pong", stack=1)],
)
def test_the_configuration_knows_the_observation_space(config) -> None:
    game = ColorGame()
    game.observation_space = gym.spaces.Box(0, 255, (210, 160, 3), np.uint8)
    assert wrap(game, config).observation_space == config.observation_space


def test_a_step_wrapper_is_applied_above_frame_skipping_and_below_the_statistics() -> None:
    class ExtraStep(gym.Wrapper):
        """Takes one more step in each reset."""

        def reset(self, **kwargs):
            self.env.reset(**kwargs)
            observation, *_, info = self.env.step(0)
            return observation, info

    env = wrap(ColorGame(), WrapperConfig(skip=5), ExtraStep)
    _, info = env.reset()
    assert info["frame"] == 5
    for _ in range(3):
        *_, info = env.step(0)
    assert (info["episode"]["r"], info["episode"]["l"]) == (150.0, 3)


@pytest.mark.parametrize(
    ("name", "value", "requirement"),
    [
        ("skip", 0, "be at least 1"),
        ("size", -84, "be at least 1"),
        ("crop_top", -1, "be at least 0"),
        ("stack", 0, "be at least 1"),
        ("noop_max", -1, "be at least 0"),
        ("repeat_action_probability", -0.01, "be between 0 and 1"),
        ("repeat_action_probability", 1.01, "be between 0 and 1"),
        ("reward_scale", 0.0, "be finite and not 0"),
        ("reward_scale", math.nan, "be finite and not 0"),
        ("reward_clip", 0.0, "be above 0"),
    ],
)
def test_an_invalid_setting_is_refused_by_name(name: str, value: float, requirement: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must {requirement}, got {value}"):
        WrapperConfig(**{name: value})


def test_pooling_colors_without_pooling_is_refused() -> None:
    with pytest.raises(ValueError, match="max_pool_colors has no effect without max_pool"):
        WrapperConfig(max_pool_colors=True)


@pytest.mark.parametrize(
    ("max_pool_colors", "luma"),
    [pytest.param(False, 0.587, id="gray"), pytest.param(True, 0.299 + 0.587, id="yellow")],
)
def test_max_pooling_is_applied_to_grayscale_images_or_colors(max_pool_colors, luma) -> None:
    class Blink(ColorGame):
        def image(self):
            image = np.zeros((240, 256, 3), np.uint8)
            image[..., self.frame % 2] = 200  # red and green in turn
            return image

    env = wrap(Blink(), WrapperConfig(max_pool=True, max_pool_colors=max_pool_colors, stack=1))
    env.reset()
    assert env.step(0)[0].max() == round(luma * 200)
