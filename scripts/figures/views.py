"""Draw a screen as two presets observe it: python scripts/figures/views.py docs/views.png.

The observation of the preset ``tutorial`` is on the left, that of ``mario`` on the right.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from mario.config.env_config import EnvConfig
from mario.config.presets import read_preset
from mario.config.serialization import from_dict
from mario.vector.make import make_env
from wrappers import WrapperConfig

GAME = "SuperMarioBros-1-1-v0"
PRESETS = ("tutorial", "mario")
RIGHT, JUMP_RIGHT = 1, 2
"""Indices in the action set "right-only"."""
ACTIONS = (*repeat(RIGHT, 36), *repeat(JUMP_RIGHT, 5))
SCALE, GAP = 5, 10
"""Factor by which the observations are enlarged, and the pixels between them."""


def observe(wrappers: WrapperConfig) -> NDArray[np.uint8]:
    """Return the newest frame in the observation after `ACTIONS`, uint8 ``(size, size)``."""
    env = make_env(EnvConfig(GAME, "right-only", wrappers=wrappers).for_evaluation(noop_max=0))
    state, _ = env.reset(seed=0)
    for action in ACTIONS:
        state, *_ = env.step(action)
    env.close()
    return np.asarray(state[-1], np.uint8)


def side_by_side(left: NDArray[np.uint8], right: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return two pictures of the same height, enlarged, with a white gap between them."""
    left, right = (picture.repeat(SCALE, axis=0).repeat(SCALE, axis=1) for picture in (left, right))
    return np.hstack([left, np.full((len(left), GAP), 255, np.uint8), right])


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the observations."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="picture to write")
    out: Path = parser.parse_args(arguments).out
    left, right = (
        observe(from_dict(WrapperConfig, read_preset(preset, GAME)["wrappers"]))
        for preset in PRESETS
    )
    cv2.imwrite(str(out), side_by_side(left, right))


if __name__ == "__main__":
    main()
