"""What is drawn where on a map; the level is a plain gray one."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from mario.evaluation.episodes import EpisodeResult, summarize
from mario.evaluation.level_map import CAPTION, GAP, MARGIN, ROW, STRIP, draw_map, headline
from mario.evaluation.level_survey import HEIGHT, LevelSurvey

HERE, THERE = (1, 2, 7), (1, 2, 8)
GRAY = 128


def gray(left, right):
    seen = LevelSurvey(left=left, right=right)
    seen.pixels[:, left:right] = GRAY
    return seen


def lost(x, y, ending="death", stretch=HERE):
    return EpisodeResult(1.0, 9, x, x, ending, y_pos=y, stretch=stretch)


def draw(path, played, surveys):
    figures = summarize(played, game="g", steps_trained=0, emulator="e", seed=0)
    draw_map(path / "map.png", figures, played, surveys)
    return cv2.imread(str(path / "map.png"))[:, :, ::-1].astype(int)


def at(picture, x, y, row=0):
    """The colour of a map at a place of its ``row``th row of pictures."""
    return picture[CAPTION + row * (HEIGHT + STRIP + GAP) + y, MARGIN + x].tolist()


def reddish(colour):
    return colour[0] > colour[1] + 40


@pytest.mark.parametrize(("epsilon", "told"), [(0.0, ""), (0.03, ", 3.0% of decisions random")])
def test_the_headline_tells_what_was_measured(epsilon, told):
    played = [lost(500, 79), lost(3161, 79, "flag")]
    figures = summarize(played, game="g", steps_trained=0, emulator="e", seed=0, epsilon=epsilon)
    text = "g: 1 of 2 episodes cleared, 50.0% (95 % interval 9.5% to 90.5%)"
    assert headline(figures, played) == text + told


def test_a_death_is_marked_where_mario_stood(tmp_path):
    picture = draw(tmp_path, [lost(500, 79)], {HERE: gray(0, 1000)})
    assert reddish(at(picture, 508, 255 - 79 + 24 - 32))
    assert at(picture, 508, 40) == at(picture, 300, 168) == [GRAY] * 3
    bar = at(picture, 508, HEIGHT + STRIP - 10)
    assert reddish(bar)
    assert at(picture, 300, HEIGHT + STRIP - 10) == [255] * 3


def test_marks_are_translucent_so_that_many_at_a_place_are_seen(tmp_path):
    one = at(draw(tmp_path, [lost(500, 79)], {HERE: gray(0, 1000)}), 508, 168)
    many = at(draw(tmp_path, [lost(500, 79)] * 5, {HERE: gray(0, 1000)}), 508, 168)
    assert many[0] > one[0] + 30


@pytest.mark.parametrize("y", [240, 255])
def test_who_fell_down_a_hole_is_marked_at_the_bottom(tmp_path, y):
    picture = draw(tmp_path, [lost(500, y)], {HERE: gray(0, 1000)})
    assert reddish(at(picture, 508, HEIGHT - 4))


def test_a_long_level_goes_on_in_the_next_row(tmp_path):
    picture = draw(tmp_path, [lost(ROW + 92, 79)], {HERE: gray(0, ROW + 400)})
    assert picture.shape == (CAPTION + 2 * (HEIGHT + STRIP + GAP), ROW + 2 * MARGIN, 3)
    assert reddish(at(picture, 100, 168, row=1))
    assert at(picture, 100, 168, row=0) == at(picture, 300, 168, row=1) == [GRAY] * 3
    assert at(picture, 500, 100, row=1) == [255] * 3


def test_each_stretch_has_its_own_row_and_deaths(tmp_path):
    played = [lost(500, 79, stretch=THERE)]
    picture = draw(tmp_path, played, {HERE: gray(0, 1000), THERE: gray(300, 800)})
    assert at(picture, 508, 168) == [GRAY] * 3
    assert reddish(at(picture, 208, 168, row=1))


def test_who_was_stuck_has_another_colour(tmp_path):
    surveys = {HERE: gray(0, 1000)}
    stuck = at(draw(tmp_path, [lost(500, 79, "truncated")], surveys), 508, 168)
    died = at(draw(tmp_path, [lost(500, 79)], surveys), 508, 168)
    assert stuck[1] > died[1] + 40


def test_who_reached_the_flag_is_not_marked(tmp_path):
    picture = draw(tmp_path, [lost(500, 79, "flag")], {HERE: gray(0, 1000)})
    level = picture[CAPTION : CAPTION + HEIGHT, MARGIN : MARGIN + 1000]
    assert np.ptp(level[5:-5, 5:-5]) == 0
