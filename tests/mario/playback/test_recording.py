"""Episodes are recorded into memory."""

from __future__ import annotations

import base64
import io
import re

import av
import gymnasium as gym
import numpy as np
import pytest
from tape import TapeAgent, spec

from mario.emulators.emulator import FRAMES_PER_SECOND
from mario.errors import UsageError
from mario.playback.recording import record_episode

LENGTH = 9


class Screen(gym.Env):
    """A game of `LENGTH` steps whose frames are filled with the number of the step."""

    observation_space = gym.spaces.Box(0, 255, (240, 256, 3), np.uint8)
    action_space = gym.spaces.Discrete(3)
    episode_returns = 0.0

    def reset(self, *, seed=None, options=None):
        self.steps = 0
        return self.frame(), {}

    def step(self, action):
        self.steps += 1
        info = {"episode": {"r": 1.0, "l": self.steps}, "ending": "flag"}
        return self.frame(), 0.0, self.steps == LENGTH, False, info

    def frame(self):
        return np.full((240, 256, 3), self.steps, np.uint8)


class Stack(gym.ObservationWrapper):
    """Observes two rows of the screen as a stack of two frames."""

    def observation(self, observation):
        return observation[:2, :8, :].reshape(2, 8, 3)


class Player:
    """Plays `Screen`."""

    game = "Screen-v0"

    def make_env(self, emulator="auto", *, noop_max=0, inner=None):
        return Stack(inner(Screen()))

    def make_agent(self, env, *, seed=0):
        return TapeAgent(spec())


def shown(recording):
    return recording.frames[:, 0, 0, 0].tolist()


def test_every_nth_frame_is_kept():
    assert shown(record_episode(Player(), every=1)) == list(range(LENGTH + 1))
    recording = record_episode(Player(), every=4)
    assert shown(recording) == [0, 4, 8]
    assert recording.frames.shape == (3, 240, 256, 3)
    assert recording.fps == FRAMES_PER_SECOND / 4
    assert (recording.result.ending, recording.result.length) == ("flag", LENGTH)


def test_a_recording_that_ends_before_the_episode_has_no_result():
    recording = record_episode(Player(), every=1, max_seconds=3 / FRAMES_PER_SECOND)
    assert shown(recording) == [0, 1, 2]
    assert recording.result is None


def test_the_overlay_is_beside_the_enlarged_game():
    frames = record_episode(Player(), overlay=True, every=5).frames
    assert frames.shape == (2, 480, 853, 3)
    assert frames[1, 0, 0, 0] == 5


def test_a_recording_is_saved_as_a_video(tmp_path):
    record_episode(Player()).save(tmp_path / "clip.mp4", scale=1)
    with av.open(str(tmp_path / "clip.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 5


def test_a_notebook_shows_a_video():
    html = record_episode(Player())._repr_html_()
    (content,) = re.findall(r'src="data:video/mp4;base64,(.*?)"', html)
    with av.open(io.BytesIO(base64.b64decode(content))) as video:
        frame = next(video.decode(video=0))
    assert (frame.width, frame.height) == (512, 480)


def test_every_must_be_positive():
    with pytest.raises(UsageError, match="every must be at least 1, got 0"):
        record_episode(Player(), every=0)


@pytest.mark.parametrize("seconds", [-1, 0, float("nan")])
def test_the_maximum_duration_must_be_positive(seconds):
    with pytest.raises(UsageError, match=f"max_seconds must be above 0, got {seconds}"):
        record_episode(Player(), max_seconds=seconds)
