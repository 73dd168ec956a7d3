"""The picture of the observations of two presets."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.figures.views import GAP, SCALE, main, side_by_side


def test_pictures_are_enlarged_with_a_gap_between_them() -> None:
    dark, gray = np.zeros((2, 3), np.uint8), np.full((2, 3), 90, np.uint8)
    picture = side_by_side(dark, gray)
    assert picture.shape == (2 * SCALE, 6 * SCALE + GAP)
    left, gap, right = np.split(picture, [3 * SCALE, 3 * SCALE + GAP], axis=1)
    assert [np.unique(area).tolist() for area in (left, gap, right)] == [[0], [255], [90]]


def test_the_observations_of_two_presets_are_drawn(tmp_path) -> None:
    main([str(tmp_path / "views.png")])
    picture = cv2.imread(str(tmp_path / "views.png"), cv2.IMREAD_GRAYSCALE)
    assert picture.shape == (84 * SCALE, 2 * 84 * SCALE + GAP)
    left, right = picture[:, : 84 * SCALE], picture[:, -84 * SCALE :]
    assert left.std() > 10
    assert not np.array_equal(left, right)
