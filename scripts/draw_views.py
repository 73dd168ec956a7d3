"""Draws a screen as the tutorial's agent sees it and as ours: draw_views.py docs/views.png."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mario.config.presets import read_preset
from mario.config.serialization import from_dict
from mario.vector.make import make_env
from wrappers import WrapperConfig

GAME = "SuperMarioBros-1-1-v0"
RIGHT, JUMP = 1, 2
"""Of the actions "right-only"."""
ACTIONS = (*repeat(RIGHT, 36), *repeat(JUMP, 5))
SCALE, GAP = 5, 10
"""How many times larger the pictures are drawn, and what lies between them."""


def view(wrappers: WrapperConfig) -> NDArray[np.uint8]:
    """The latest picture that an agent sees after `ACTIONS`, uint8 ``(size, size)``."""
    env = make_env(GAME, "right-only", "auto", wrappers)
    seen, _ = env.reset(seed=0)
    for action in ACTIONS:
        seen, *_ = env.step(action)
    env.close()
    return np.asarray(seen[-1], np.uint8)


def side_by_side(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two pictures of one height, enlarged, with white between them."""
    one, other = (each.repeat(SCALE, axis=0).repeat(SCALE, axis=1) for each in (left, right))
    return np.hstack([one, np.full((len(one), GAP), 255, np.uint8), other])


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="the picture to write")
    out: Path = parser.parse_args(arguments).out
    theirs, ours = (
        from_dict(WrapperConfig, read_preset(name, GAME)["wrappers"]).with_noops(0)
        for name in ("tutorial", "mario")
    )
    cv2.imwrite(str(out), side_by_side(view(theirs), view(ours)))


if __name__ == "__main__":
    main()
