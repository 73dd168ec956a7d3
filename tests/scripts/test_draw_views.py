"""What agents see, drawn."""

from __future__ import annotations

import cv2
import numpy as np

from scripts.draw_views import GAP, SCALE, main, side_by_side


def test_pictures_are_enlarged_and_stand_apart() -> None:
    dark, gray = np.zeros((2, 3), np.uint8), np.full((2, 3), 90, np.uint8)
    drawn = side_by_side(dark, gray)
    assert drawn.shape == (2 * SCALE, 6 * SCALE + GAP)
    left, gap, right = np.split(drawn, [3 * SCALE, 3 * SCALE + GAP], axis=1)
    assert [np.unique(part).tolist() for part in (left, gap, right)] == [[0], [255], [90]]


def test_it_draws_the_game_as_two_agents_see_it(tmp_path) -> None:
    main([str(tmp_path / "views.png")])
    drawn = cv2.imread(str(tmp_path / "views.png"), cv2.IMREAD_GRAYSCALE)
    assert drawn.shape == (84 * SCALE, 2 * 84 * SCALE + GAP)
    theirs, ours = drawn[:, : 84 * SCALE], drawn[:, -84 * SCALE :]
    assert theirs.std() > 10
    assert not np.array_equal(theirs, ours)
