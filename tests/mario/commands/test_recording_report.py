"""A recording says that it runs, how far it is and what was written."""

from __future__ import annotations

from pathlib import Path

import pytest

from mario.commands.recording_report import RecordingReport


def test_start_progress_and_result_are_reported():
    lines, times = [], iter([0.0, 9.9, 10.0, 19.9, 20.0])
    with RecordingReport(Path("x.mp4"), lines.append, lambda: next(times)) as report:
        assert lines == []
        for _ in range(5):
            report.count()
    assert lines == [
        "recording x.mp4; Ctrl-C stops and keeps what is recorded",
        "recorded 0 s of the game",
        "recorded 0 s of the game",
        "wrote x.mp4: 0.1 s of the game",
    ]


def test_seconds_are_those_of_the_game():
    lines, times = [], iter(range(601))
    with RecordingReport(Path("x.mp4"), lines.append, lambda: next(times) / 60) as report:
        for _ in range(601):
            report.count()
    assert lines[1:] == ["recorded 10 s of the game", "wrote x.mp4: 10.0 s of the game"]


def test_nothing_is_reported_without_a_frame():
    lines = []
    with RecordingReport(Path("x.mp4"), lines.append):
        pass
    assert lines == []


def test_a_discarded_video_is_not_reported_as_written():
    lines = []

    def interrupted_recording():
        with RecordingReport(Path("x.mp4"), lines.append) as report:
            report.count()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted_recording()
    assert len(lines) == 1
