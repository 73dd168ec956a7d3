"""Suggestions in error messages."""

from __future__ import annotations

import pytest

from mario.errors import similar

GAMES = [f"SuperMarioBros-{level}-v{look}" for level in ("1-1", "1-4", "2-1") for look in range(4)]


@pytest.mark.parametrize(
    ("value", "first"),
    [
        ("SuperMarioBros-1-1", "SuperMarioBros-1-1-v0"),
        ("SuperMarioBros-1-1-v9", "SuperMarioBros-1-1-v0"),
        ("supermariobros-1-4-v2", "SuperMarioBros-1-4-v2"),
        ("SuperMarioBros2-1-v3", "SuperMarioBros-2-1-v3"),
        ("1-4", "SuperMarioBros-1-4-v0"),
    ],
)
def test_the_nearest_name_comes_first(value, first):
    assert similar(value, GAMES)[0] == first


def test_nothing_is_suggested_that_is_not_similar():
    assert similar("qqqq", GAMES) == []
