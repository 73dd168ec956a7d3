"""T19: clocks that are set back, time zones, and unusual paths."""

from __future__ import annotations

import datetime
import os
import time
from pathlib import Path

import pytest
from run_comparison import run_differences
from short_runs import config, train

from mario.runs.checkpoint import load


class EarlierDatetime(datetime.datetime):
    """A clock that was set back by a day."""

    @classmethod
    def now(cls, tz=None):
        return super().now(tz) - datetime.timedelta(days=1)


def test_t19_a_clock_that_is_set_back_changes_nothing(tmp_path, monkeypatch):
    whole = train(config(tmp_path / "whole"))
    run = train(config(tmp_path / "parts", steps=60))
    for name in ("time", "time_ns"):
        real = getattr(time, name)
        day = 86_400 * (10**9 if name == "time_ns" else 1)
        monkeypatch.setattr(time, name, lambda real=real, day=day: real() - day)
    monkeypatch.setattr(datetime, "datetime", EarlierDatetime)
    train(config(tmp_path / "parts"), run)
    assert run_differences(whole, run) == []
    later = train(config(tmp_path / "parts", steps=20))
    assert later.name < run.name
    assert load(later / "last.chkpt")["steps"] == 20


def test_t19_a_run_moves_to_another_time_zone(tmp_path, monkeypatch):
    run = train(config(tmp_path, steps=60))
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    try:
        train(config(tmp_path), run)
    finally:
        monkeypatch.undo()
        time.tzset()
    assert load(run / "last.chkpt")["steps"] == 120


@pytest.mark.parametrize("name", ["Läufe und 走", "with space and 'quotes'", "x" * 200])
def test_t19_runs_work_in_folders_with_unusual_names(tmp_path, name):
    run = train(config(tmp_path / name, steps=60))
    train(config(tmp_path / name), run)
    assert load(run / "last.chkpt")["steps"] == 120


def test_t19_a_relative_folder_is_used_after_the_current_folder_has_changed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = train(config(Path("runs"), steps=60)).absolute()
    (tmp_path / "elsewhere").mkdir()
    os.chdir("elsewhere")
    train(config(Path("runs")), run)
    assert load(run / "last.chkpt")["steps"] == 120
