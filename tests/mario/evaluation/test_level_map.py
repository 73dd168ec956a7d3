"""What the map shows, and where; the level is a uniform gray image."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mario.evaluation.episodes import EpisodeResult
from mario.evaluation.level_map import (
    CAPTION_HEIGHT,
    GAP,
    HISTOGRAM_HEIGHT,
    MARGIN,
    ROW_WIDTH,
    draw_map,
    headline,
)
from mario.evaluation.level_survey import HEIGHT, LevelSurvey
from mario.evaluation.summary import summarize

AREA, OTHER_AREA = (1, 2, 7), (1, 2, 8)
GRAY = 128


def gray(left, right):
    survey = LevelSurvey(left=left, right=right)
    survey.pixels[:, left:right] = GRAY
    return survey


def lost(x, y, ending="death", area=AREA):
    return EpisodeResult(1.0, 9, x, x, ending, y_pos=y, level_area=area)


def summary_of(results, epsilon=0.0):
    return summarize(results, game="g", steps_trained=0, emulator="e", seed=0, epsilon=epsilon)


def draw(folder, results, surveys):
    draw_map(folder / "map.png", summary_of(results), results, surveys)
    return cv2.imread(str(folder / "map.png"))[:, :, ::-1].astype(int)


def color_at(image, x, y, row=0):
    """The color at a pixel of the level image in a row of the map."""
    top = CAPTION_HEIGHT + row * (HEIGHT + HISTOGRAM_HEIGHT + GAP)
    return image[top + y, MARGIN + x].tolist()


def reddish(color):
    return color[0] > color[1] + 40


@pytest.mark.parametrize(("epsilon", "suffix"), [(0.0, ""), (0.03, ", 3.0% random actions")])
def test_the_headline_states_the_clear_rate(epsilon, suffix):
    results = [lost(500, 79), lost(3161, 79, "flag")]
    text = "g: 1 of 2 episodes cleared, 50.0% (95 % interval 9.5% to 90.5%)"
    assert headline(summary_of(results, epsilon), results) == text + suffix


def test_a_death_is_marked_at_marios_position_and_counted_in_the_histogram(tmp_path):
    image = draw(tmp_path, [lost(500, 79)], {AREA: gray(0, 1000)})
    assert reddish(color_at(image, 508, 255 - 79 + 24 - 32))
    assert color_at(image, 508, 40) == color_at(image, 300, 168) == [GRAY] * 3
    assert reddish(color_at(image, 508, HEIGHT + HISTOGRAM_HEIGHT - 10))
    assert color_at(image, 300, HEIGHT + HISTOGRAM_HEIGHT - 10) == [255] * 3


def test_marks_are_translucent_so_that_repeated_deaths_are_visible(tmp_path):
    surveys = {AREA: gray(0, 1000)}
    one = color_at(draw(tmp_path, [lost(500, 79)], surveys), 508, 168)
    many = color_at(draw(tmp_path, [lost(500, 79)] * 5, surveys), 508, 168)
    assert many[0] > one[0] + 30


@pytest.mark.parametrize("y", [240, 255])
def test_a_fall_into_a_pit_is_marked_at_the_bottom(tmp_path, y):
    image = draw(tmp_path, [lost(500, y)], {AREA: gray(0, 1000)})
    assert reddish(color_at(image, 508, HEIGHT - 4))


def test_a_long_level_continues_in_the_next_row(tmp_path):
    image = draw(tmp_path, [lost(ROW_WIDTH + 92, 79)], {AREA: gray(0, ROW_WIDTH + 400)})
    height = CAPTION_HEIGHT + 2 * (HEIGHT + HISTOGRAM_HEIGHT + GAP)
    assert image.shape == (height, ROW_WIDTH + 2 * MARGIN, 3)
    assert reddish(color_at(image, 100, 168, row=1))
    assert color_at(image, 100, 168, row=0) == color_at(image, 300, 168, row=1) == [GRAY] * 3
    assert color_at(image, 500, 100, row=1) == [255] * 3


def test_each_area_has_its_own_row_and_marks(tmp_path):
    results = [lost(500, 79, area=OTHER_AREA)]
    image = draw(tmp_path, results, {AREA: gray(0, 1000), OTHER_AREA: gray(300, 800)})
    assert color_at(image, 508, 168) == [GRAY] * 3
    assert reddish(color_at(image, 208, 168, row=1))


def test_a_truncated_episode_has_another_color_than_a_death(tmp_path):
    surveys = {AREA: gray(0, 1000)}
    truncated = color_at(draw(tmp_path, [lost(500, 79, "truncated")], surveys), 508, 168)
    died = color_at(draw(tmp_path, [lost(500, 79)], surveys), 508, 168)
    assert truncated[1] > died[1] + 40


def test_a_cleared_episode_is_not_marked(tmp_path):
    image = draw(tmp_path, [lost(500, 79, "flag")], {AREA: gray(0, 1000)})
    level = image[CAPTION_HEIGHT : CAPTION_HEIGHT + HEIGHT, MARGIN : MARGIN + 1000]
    assert np.ptp(level[5:-5, 5:-5]) == 0
