"""Tests of the plots, and of the thread that draws them."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mario.metrics import plots
from mario.metrics.plots import PLOTS, BackgroundPlots, draw, draw_all, moving_average, plot_of

ROOT = Path(__file__).parents[3]
NAMES = ("reward", "length", "loss", "q")


def columns(episodes: int) -> dict[str, list[float]]:
    return {name: [float(number) for number in range(episodes)] for name in NAMES}


@pytest.fixture
def drawings(monkeypatch):
    """Replace the drawing: records the numbers of episodes, and waits for the returned event."""
    drawn: list[int] = []
    gate = threading.Event()
    gate.set()

    def fake_draw_all(folder, numbers, window):
        assert gate.wait(10)
        drawn.append(len(numbers["reward"]))

    monkeypatch.setattr(plots, "draw_all", fake_draw_all)
    return drawn, gate


@given(
    st.lists(st.floats(-1e6, 1e6) | st.just(np.nan), min_size=1, max_size=40), st.integers(1, 12)
)
@pytest.mark.filterwarnings("ignore:Mean of empty slice")
def test_the_moving_average_is_the_mean_of_the_latest_values_without_nan(values, window):
    ends = range(1, len(values) + 1)
    expected = [np.nanmean(values[max(end - window, 0) : end]) for end in ends]
    np.testing.assert_allclose(moving_average(values, window), expected, atol=1e-6)


@pytest.mark.parametrize("episodes", [1, 2, 300])
def test_all_plots_are_valid_jpegs_of_one_size(tmp_path, episodes):
    draw_all(tmp_path, columns(episodes), window=100)
    names = {"reward_plot.jpg", "length_plot.jpg", "loss_plot.jpg", "q_plot.jpg"}
    assert {path.name for path in tmp_path.iterdir()} == names
    for name in names:
        with Image.open(tmp_path / name) as image:
            image.load()
            assert (image.format, image.size) == ("JPEG", (960, 540))


def test_the_plot_of_an_unknown_metric_is_named_after_it():
    assert plot_of("entropy").title == "Entropy of the policy"
    unknown = plot_of("surprise_of_the_year")
    assert unknown.file == "surprise_of_the_year_plot.jpg"
    assert unknown.title == "Surprise of the year"


def test_a_plot_shows_the_average_and_the_episodes_in_two_colors():
    file = io.BytesIO()
    draw(PLOTS["reward"], [0.0, 10.0] * 200, 100, file)
    pixels = np.asarray(Image.open(file).convert("RGB"), dtype=int).reshape(-1, 3)
    for color in (PLOTS["reward"].color, PLOTS["reward"].pale):
        expected_color = [int(color[at : at + 2], 16) for at in (1, 3, 5)]
        assert (np.abs(pixels - expected_color).max(axis=1) < 12).sum() > 100, color


def test_drawing_needs_no_pyplot(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "matplotlib.pyplot", raising=False)
    draw_all(tmp_path, columns(2), window=100)
    assert "matplotlib.pyplot" not in sys.modules


@pytest.mark.parametrize("backend", ["module://a_notebook_of_others", "no_such_backend", "tkagg"])
def test_a_command_draws_files_whatever_backend_the_environment_names(tmp_path, backend):
    code = (
        "from pathlib import Path\n"
        "from mario.commands import cli\n"
        "def draw():\n"
        "    import mario.playback.fonts\n"
        "    from mario.metrics.plots import draw_all\n"
        "    draw_all(Path(), {'reward': [1.0, 2.0]}, window=100)\n"
        "    return 0\n"
        "cli.run('mario-train', draw)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"MPLBACKEND": backend, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / PLOTS["reward"].file).stat().st_size > 1_000


def test_offering_does_not_wait_for_a_drawing_and_queues_none(tmp_path, drawings):
    drawn, gate = drawings
    gate.clear()
    background = BackgroundPlots(tmp_path, window=100, seconds=0)
    for episodes in (1, 2, 3):
        background.offer(columns(episodes))
    assert drawn == []
    gate.set()
    background.close(columns(4))
    assert drawn == [1, 4]


def test_drawings_are_at_least_an_interval_apart(tmp_path, drawings):
    drawn, _ = drawings
    background = BackgroundPlots(tmp_path, window=100, seconds=3600)
    for episodes in (1, 2, 3):
        background.offer(columns(episodes))
    background.close(columns(4))
    assert drawn == [1, 4]


def test_offered_columns_may_change_while_they_are_drawn(tmp_path, drawings):
    drawn, gate = drawings
    gate.clear()
    background = BackgroundPlots(tmp_path, window=100, seconds=3600)
    offered = columns(1)
    background.offer(offered)
    offered["reward"].append(1.0)
    gate.set()
    background.close(offered)
    assert drawn == [1, 2]


def test_a_session_without_episodes_keeps_the_old_plots(tmp_path, drawings):
    BackgroundPlots(tmp_path, window=100, seconds=0).close(columns(0))
    assert drawings[0] == []


def test_a_failed_drawing_raises_its_error_on_close(tmp_path):
    background = BackgroundPlots(tmp_path / "gone", window=100, seconds=0)
    background.offer(columns(1))
    with pytest.raises(FileNotFoundError, match="gone"):
        background.close(columns(1))
