"""`mario-search`, and `mario-play` of what it finds."""

from __future__ import annotations

import subprocess
import sys

import av
import pytest

from mario.commands.play import main as play_main
from mario.commands.search import main
from mario.search.demonstration import load


def run(command, *arguments):
    """Call a command and return its exit code."""
    with pytest.raises(SystemExit) as exit_info:
        command([str(argument) for argument in arguments])
    return exit_info.value.code


def test_a_level_is_found_and_recorded(tmp_path, capsys):
    demo, video = tmp_path / "1-4.demo", tmp_path / "1-4.mp4"
    assert run(main, "SuperMarioBros-1-4-v0", "--out", demo, "--seed", 1) == 0
    line = capsys.readouterr().out
    assert line.startswith(f"{demo}: ended by flag, best ")
    assert "actions right-only" in line
    assert demo.stat().st_size < 5_000
    assert run(play_main, demo, "--record", video) == 0
    assert "Ended by flag" in capsys.readouterr().out
    with av.open(str(video)) as film:
        frames = sum(1 for _ in film.decode(video=0))
    steps = len(load(demo).play)
    assert 4 * (steps - 1) < frames <= 4 * steps + 1


def test_several_starts_have_files_of_their_own(tmp_path):
    arguments = ("--starts", 2, "--length", 20, "--seconds", 0.1)
    assert run(main, "SuperMarioBros-1-1-v0", "--out", tmp_path / "x.demo", *arguments) == 0
    assert [load(tmp_path / f"x-noops{noops}.demo").noops for noops in (0, 30)] == [0, 30]


def test_a_movie_is_exported_and_played(tmp_path, capsys):
    movie = tmp_path / "x.fm2"
    options = ("--length", 20, "--seconds", 0.1)
    assert run(main, "SuperMarioBros-1-1-v0", "--out", movie, *options) == 0
    assert movie.read_text().startswith("version 3\n")
    capsys.readouterr()
    arguments = (movie, "--game", "SuperMarioBros-1-1-v0", "--record", tmp_path / "x.gif")
    assert run(play_main, *arguments) == 0
    assert "Ended by the end of the demonstration" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["SuperMarioBros-9-9-v0"], "unknown game 'SuperMarioBros-9-9-v0'"),
        (["SuperMarioBros-1-1-v0", "--out", "x.txt"], "--out x.txt must end in .demo or .fm2"),
        (["SuperMarioBros-1-1-v0", "--starts", "0"], "--starts must be at least 1, got 0"),
        (["SuperMarioBros-1-1-v0", "--starts", "32"], "--starts must be at most 31, got 32"),
        (["SuperMarioBros-1-1-v0", "--actions", "fly"], "unknown action set 'fly'"),
        (["SuperMarioBros-1-1-v0", "--emulator", "nes-py"], "nes-py cannot save its state"),
    ],
)
def test_a_mistake_is_one_line(arguments, message, capsys):
    assert run(main, *arguments) == 2
    error = capsys.readouterr().err.strip()
    assert error.startswith("mario-search: error: ")
    assert message in error
    assert "\n" not in error


def test_a_damaged_demonstration_is_one_line(tmp_path, capsys):
    (tmp_path / "x.demo").write_text("{}")
    assert run(play_main, tmp_path / "x.demo", "--record", tmp_path / "x.mp4") == 2
    assert "is refused: it is not a demonstration" in capsys.readouterr().err
    assert not (tmp_path / "x.mp4").exists()


def test_a_search_imports_no_torch():
    code = "import sys, mario.search, mario.commands.search; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_several_games_have_files_in_a_folder(tmp_path):
    games = ("SuperMarioBros-1-1-v0", "SuperMarioBros-1-2-v0")
    assert run(main, *games, "--length", 20, "--seconds", 0.1, "--out", tmp_path) == 0
    assert [load(tmp_path / f"{game}.demo").game for game in games] == list(games)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["Tetris-v0", "SuperMarioBros-9-9-v0"], "unknown game 'SuperMarioBros-9-9-v0'"),
        (["Tetris-v0", "SuperMarioBros-1-1-v0", "--out", "x.demo"], "must be a folder for several"),
        (["Tetris-v0", "--workers", "2"], "--workers 2 needs --cluster; add --cluster auto"),
    ],
)
def test_wrong_games_and_flags_are_refused(arguments, message, capsys):
    assert run(main, *arguments) == 2
    assert message in capsys.readouterr().err
