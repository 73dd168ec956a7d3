"""Tests of finding ROM files in packages that are never imported."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mario.errors import UsageError
from mario.games import roms
from mario.games.roms import mario_looks, mario_rom, packaged_rom


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The ROM folder of a package that must not be imported."""
    folder = tmp_path / "gym_fake_game" / "_roms"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(roms, "MARIO_PACKAGE", "gym_fake_game")
    return folder


def test_the_first_existing_file_is_returned(package: Path) -> None:
    (package / "b.nes").touch()
    assert packaged_rom("gym_fake_game", "a.nes", "b.nes") == package / "b.nes"
    assert "gym_fake_game" not in sys.modules


def test_a_missing_package_is_reported_with_its_remedy() -> None:
    with pytest.raises(UsageError, match="pip install gym-missing-game"):
        packaged_rom("gym_missing_game", "a.nes")


def test_a_missing_file_is_reported(package: Path) -> None:
    with pytest.raises(UsageError, match=r"gym-fake-game has no ROM a\.nes or b\.nes"):
        packaged_rom("gym_fake_game", "a.nes", "b.nes")


def test_the_lost_levels_are_not_confused_with_the_american_sequel(package: Path) -> None:
    (package / "super-mario-bros-2.nes").touch()
    assert mario_rom(lost_levels=True).name == "super-mario-bros-2.nes"
    (package / "super-mario-bros-lost-levels.nes").touch()
    assert mario_rom(lost_levels=True).name == "super-mario-bros-lost-levels.nes"


def test_only_installed_looks_are_offered_besides_vanilla(package: Path) -> None:
    (package / "super-mario-bros-pixel.nes").touch()
    assert mario_looks() == {0: "vanilla", 2: "pixel"}
    assert mario_looks(lost_levels=True) == {0: "vanilla"}
