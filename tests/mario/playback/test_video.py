"""Videos are written, decoded and compared with the frames."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import av
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from mario.errors import UsageError
from mario.playback.video import VideoWriter

NES_FPS = 60.0988
SHAPE = (240, 256, 3)


def colors(count: int, seed: int = 0) -> NDArray[np.uint8]:
    """Return distinct colors, ``(count, 3)``."""
    packed = np.random.default_rng(seed).choice(1 << 24, size=count, replace=False)
    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1).astype(np.uint8)


def picture(number: int) -> NDArray[np.uint8]:
    """Return a screen of 8 x 8 blocks in 54 colors that scrolls to the left."""
    blocks = np.arange(30 * 32).reshape(30, 32) * 7 % 54
    return np.roll(colors(54)[blocks.repeat(8, axis=0).repeat(8, axis=1)], -number, axis=1)


def record(path: Path, frames: int, **settings: float) -> Path:
    with VideoWriter(path, **settings) as video:
        for number in range(frames):
            video.write(picture(number))
    return path


def decode(path: Path) -> tuple[list[NDArray[np.uint8]], list[float], float]:
    """Return the frames, their times and the duration in seconds."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        duration = float(stream.duration * stream.time_base)
    return (
        [frame.to_ndarray(format="rgb24") for frame in frames],
        [float(frame.time) for frame in frames],
        duration,
    )


def test_an_mp4_has_every_frame_at_the_speed_of_the_game(tmp_path):
    frames, times, duration = decode(record(tmp_path / "play.mp4", 60))
    assert len(frames) == 60
    assert frames[0].shape == (720, 768, 3)
    np.testing.assert_allclose(times, np.arange(60) / NES_FPS, atol=1e-4)
    assert duration == pytest.approx(60 / NES_FPS, abs=1e-3)


def test_an_mp4_has_the_format_that_every_browser_supports(tmp_path):
    path = record(tmp_path / "play.mp4", 2)
    with av.open(str(path)) as container:
        codec = container.streams.video[0].codec_context
        assert (codec.name, codec.pix_fmt) == ("h264", "yuv420p")
    content = path.read_bytes()
    assert content.index(b"moov") < content.index(b"mdat")


def test_an_mp4_preserves_the_colors_of_large_areas(tmp_path):
    frames, _, _ = decode(record(tmp_path / "play.mp4", 1))
    middles = frames[0][12::24, 12::24].astype(int)
    assert np.abs(middles - picture(0)[4::8, 4::8]).max() < 24


@pytest.mark.parametrize(
    ("shape", "scale", "size"), [((33, 51), 1, (34, 52)), ((84, 84), 2, (168, 168))]
)
def test_an_mp4_is_padded_to_even_sides(tmp_path, shape, scale, size):
    with VideoWriter(tmp_path / "play.mp4", scale=scale) as video:
        video.write(np.full((*shape, 3), 200, dtype=np.uint8))
    (frame,), _, _ = decode(tmp_path / "play.mp4")
    assert frame.shape[:2] == size
    assert np.abs(frame.astype(int) - 200).max() < 4


def test_a_gif_shows_every_pixel_in_its_exact_color(tmp_path):
    frames, times, _ = decode(record(tmp_path / "play.gif", 40))
    assert frames[0].shape == (480, 512, 3)
    for frame, time in zip(frames, times, strict=True):
        shown = picture(int(time * NES_FPS))
        np.testing.assert_array_equal(frame, shown.repeat(2, axis=0).repeat(2, axis=1))


def test_colors_that_appear_late_are_exact(tmp_path):
    with VideoWriter(tmp_path / "play.gif", scale=1, fps=100 / 3) as video:
        scenes = [np.resize(colors(60, seed), SHAPE) for seed in range(4)]
        for scene in scenes:
            video.write(scene)
    frames, _, _ = decode(tmp_path / "play.gif")
    np.testing.assert_array_equal(frames, scenes)


@pytest.mark.parametrize("frames", [1, 2, 3, 59, 601])
def test_a_gif_lasts_as_long_as_the_game_did(tmp_path, frames):
    with VideoWriter(tmp_path / "play.gif", scale=1) as video:
        for number in range(frames):
            video.write(np.full((8, 8, 3), number % 2, dtype=np.uint8))
    _, times, duration = decode(tmp_path / "play.gif")
    np.testing.assert_allclose(times, np.arange(len(times)) * 0.03, atol=1e-9)
    assert 0 <= duration - frames / NES_FPS <= 0.03


def test_a_gif_of_identical_frames_has_the_full_duration(tmp_path):
    with VideoWriter(tmp_path / "play.gif") as video:
        for _ in range(120):
            video.write(picture(0))
    assert decode(tmp_path / "play.gif")[2] == pytest.approx(120 / NES_FPS, abs=0.03)


def test_a_gif_at_a_low_frame_rate_has_the_full_duration(tmp_path):
    record(tmp_path / "play.gif", 5, fps=5.0)
    assert decode(tmp_path / "play.gif")[2] == pytest.approx(1.0, abs=0.03)


def test_unchanged_regions_take_no_space_in_a_gif(tmp_path):
    """The color that appears later must not change this."""
    rng = np.random.default_rng(0)
    still = colors(200)[rng.integers(0, 200, (120, 128))]
    moving = np.repeat(still[None], 20, axis=0)
    moving[5:, 50, 50] = 1, 2, 3
    for name, scenes in (("one.gif", still[None]), ("many.gif", moving)):
        with VideoWriter(tmp_path / name, fps=100 / 3, scale=1) as video:
            for scene in scenes:
                video.write(scene)
    frames, _, _ = decode(tmp_path / "many.gif")
    np.testing.assert_array_equal(frames, moving)
    assert (tmp_path / "many.gif").stat().st_size < 1.2 * (tmp_path / "one.gif").stat().st_size


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=1, max_size=5), st.integers(0, 9))
def test_a_gif_is_exact_up_to_255_colors(counts, seed):
    scenes = [np.resize(colors(count, seed + i), (8, 12, 3)) for i, count in enumerate(counts)]
    assume(len(np.unique(np.concatenate(scenes).reshape(-1, 3), axis=0)) <= 255)
    with TemporaryDirectory() as folder:
        path = Path(folder, "play.gif")
        with VideoWriter(path, fps=100 / 3, scale=1) as video:
            for scene in scenes:
                video.write(scene)
        np.testing.assert_array_equal(decode(path)[0], scenes)


def test_a_gif_shows_similar_colors_where_there_are_more_than_255(tmp_path):
    ramp = np.arange(1024, dtype=np.uint16) // 4
    frame = np.stack([ramp, ramp[::-1], np.full_like(ramp, 100) + np.arange(1024) % 4], axis=-1)
    frame = frame.astype(np.uint8).reshape(32, 32, 3)
    with VideoWriter(tmp_path / "play.gif", scale=1) as video:
        video.write(frame)
    (shown,), _, _ = decode(tmp_path / "play.gif")
    assert np.abs(shown.astype(int) - frame).max() <= 4


def test_the_final_file_name_appears_only_on_close(tmp_path):
    path = tmp_path / "play.mp4"
    path.write_text("an earlier video")
    video = VideoWriter(path)
    video.write(picture(0))
    assert path.read_text() == "an earlier video"
    video.close()
    video.close()
    assert len(decode(path)[0]) == 1
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["play.mp4", "play.gif"])
def test_an_interrupted_recording_leaves_no_file(tmp_path, name):
    def frames() -> Iterator[NDArray[np.uint8]]:
        yield picture(0)
        raise KeyboardInterrupt

    def record_interrupted() -> None:
        with VideoWriter(tmp_path / name) as video:
            for frame in frames():
                video.write(frame)

    with pytest.raises(KeyboardInterrupt):
        record_interrupted()
    assert not list(tmp_path.iterdir())


def test_a_video_without_frames_leaves_no_file(tmp_path):
    record(tmp_path / "play.mp4", 0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["play.avi", "play", "mp4"])
def test_an_unsupported_suffix_is_refused_with_the_supported_ones(tmp_path, name):
    with pytest.raises(UsageError, match=rf"{name}: .* must end in \.mp4 or \.gif, got '.*'"):
        VideoWriter(tmp_path / name)


def test_an_upper_case_suffix_is_accepted(tmp_path):
    assert len(decode(record(tmp_path / "PLAY.GIF", 2))[0]) == 2


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(UsageError, match=r"there is no folder .*gone; create it first"):
        VideoWriter(tmp_path / "gone" / "play.mp4")


def test_a_folder_with_the_name_of_the_video_is_refused(tmp_path):
    (tmp_path / "play.mp4").mkdir()
    with pytest.raises(UsageError, match="it is a folder"):
        VideoWriter(tmp_path / "play.mp4")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is read-only to root")
def test_a_read_only_folder_is_refused(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="Permission denied; choose another location"):
        VideoWriter(tmp_path / "play.mp4")


def test_a_full_disk_is_reported_and_leaves_no_file(tmp_path, monkeypatch):
    video = VideoWriter(tmp_path / "play.mp4")
    video.write(picture(0))

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mario.playback.video.os.replace", fail)
    with pytest.raises(UsageError, match=r"play.mp4: No space left on device; choose another"):
        video.close()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("frame", "received"),
    [
        (np.zeros((240, 256), np.uint8), r"uint8 \(240, 256\)"),
        (np.zeros((84, 84, 3), np.uint8), r"uint8 \(84, 84, 3\)"),
        (np.zeros(SHAPE, np.float32), r"float32 \(240, 256, 3\)"),
    ],
)
def test_a_frame_of_another_shape_or_type_is_refused(tmp_path, frame, received):
    video = VideoWriter(tmp_path / "play.gif")
    video.write(picture(0))
    with pytest.raises(ValueError, match=rf"uint8 \(240, 256, 3\), got {received}"):
        video.write(frame)
