"""What the native emulator draws while only one of the two layers is on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from nes_programs import make_rom, poke, set_vram_address

from mario.emulators.native import NativeEmulator, is_built

pytestmark = pytest.mark.skipif(not is_built(), reason="the native emulator is not built")

WHITE_TILE = bytes(16) + b"\xff" * 8 + bytes(0x2000 - 24)
WAIT_FOR_BLANK = bytes.fromhex("2c0220 10fb".replace(" ", ""))
PALETTE = set_vram_address(0x3F00) + poke(0x2007, 0x0F) + 3 * poke(0x2007, 0x30)
SPRITE_COLORS = set_vram_address(0x3F11) + 3 * poke(0x2007, 0x30)
TILE = set_vram_address(0x2000) + poke(0x2007, 1)
SPRITE = (
    poke(0x2003, 0) + b"".join(poke(0x2004, value) for value in (99, 1, 0, 50)) + poke(0x2003, 0)
)
TO_THE_TOP = set_vram_address(0x2000) + poke(0x2005, 0) + poke(0x2005, 0)

BACKGROUND, SPRITES = 0x0A, 0x14


@pytest.mark.parametrize(
    ("layers", "pixels"),
    [
        (BACKGROUND, {(0, 0)}),
        (SPRITES, {(100, 50)}),
        (BACKGROUND | SPRITES, {(0, 0), (100, 50)}),
        (0, set()),
    ],
    ids=["background", "sprites", "both", "none"],
)
def test_a_layer_is_drawn_at_its_position_without_the_other(
    tmp_path: Path, layers: int, pixels: set[tuple[int, int]]
) -> None:
    code = poke(0x2000, 0) + poke(0x2001, 0) + 2 * WAIT_FOR_BLANK + PALETTE + SPRITE_COLORS
    code += TILE + SPRITE + WAIT_FOR_BLANK + TO_THE_TOP + poke(0x2001, layers)
    path = tmp_path / "layers.nes"
    path.write_bytes(make_rom(code, prg=2, chr_=1, patterns=WHITE_TILE))
    console = NativeEmulator(path)
    for _ in range(8):
        console.advance(0)
    white = (console.screen() > 200).all(axis=2)
    assert np.count_nonzero(white) == 64 * len(pixels)
    assert all(white[y : y + 8, x : x + 8].all() for y, x in pixels)
