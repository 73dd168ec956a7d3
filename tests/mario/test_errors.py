"""Error messages: suggestions, and the names of options."""

from __future__ import annotations

import pickle

import pytest

from mario.errors import RunError, UsageError, naming_flags, similar

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


@pytest.mark.parametrize("kind", [UsageError, RunError])
def test_errors_name_arguments_in_python_and_flags_in_a_command(kind):
    error = kind("--hyper.batch-size must be above 0, got -1; use --wrappers.no-max-pool")
    assert str(error) == ("hyper.batch_size must be above 0, got -1; use wrappers.max_pool=False")
    with naming_flags():
        assert str(error).startswith("--hyper.batch-size must be above 0, got -1")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_dashes_that_are_no_flags_are_kept():
    assert str(UsageError("SuperMarioBros-1-1-v0 -- a level")) == "SuperMarioBros-1-1-v0 -- a level"
