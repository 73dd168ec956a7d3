"""A demonstration for tests of its files."""

from __future__ import annotations

from dataclasses import replace

from mario.search.demonstration import Demonstration

PLAY = bytes([128] * 30 + [131] * 4 + [128] * 7)


def make_demonstration(**changes) -> Demonstration:
    """Return a demonstration with changes."""
    default = Demonstration(
        game="SuperMarioBros-1-1-v0", rom_sha256="ab" * 32, emulator="native", seed=0, noops=3,
        reward_version="1", actions="right-only", skip=4, ending="flag", play=PLAY,
    )  # fmt: skip
    return replace(default, **changes)
