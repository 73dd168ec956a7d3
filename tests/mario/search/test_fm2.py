"""Movies of FCEUX."""

from __future__ import annotations

import pytest
from demonstrations import make_demonstration as make
from hypothesis import given
from hypothesis import strategies as st

from mario.errors import UsageError
from mario.search.fm2 import export_movie, import_movie, load_movie


@given(st.binary(min_size=1, max_size=50), st.integers(0, 20), st.integers(1, 5))
def test_an_exported_movie_has_the_buttons_of_every_frame(tmp_path_factory, play, noops, skip):
    path = tmp_path_factory.mktemp("movie") / "x.fm2"
    path.write_text(export_movie(make(play=play, noops=noops, skip=skip)))
    frames = b"".join(bytes([mask]) * skip for mask in play)
    assert import_movie(path) == bytes(noops) + frames


def test_a_line_has_the_columns_of_fceux():
    lines = export_movie(make(play=bytes([0b1000_0011]), noops=0, skip=1)).splitlines()
    assert lines[0] == "version 3"
    assert lines[-1] == "|0|R.....BA|||"


def test_a_movie_of_fceux_is_read(tmp_path):
    path = tmp_path / "x.fm2"
    path.write_text("version 3\nport0 1\n|1|........|........||\n|0|.L.....A|........||\n")
    assert import_movie(path) == bytes([0, 0b0100_0001])
    demonstration = load_movie(path, "SuperMarioBros-1-1-v0")
    assert (demonstration.skip, demonstration.play) == (1, bytes([0, 0b0100_0001]))
    with pytest.raises(UsageError, match="does not name a game; add game"):
        load_movie(path, None)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is not an .fm2 movie of version 3"),
        (b"version 2\n|0|........|||\n", "is not an .fm2 movie of version 3"),
        (b"\xff\xfe", "is not text"),
        (b"version 3\n", "has 0 frames"),
        (b"version 3\n|0|...|||\n", "frame 1 is not a controller's buttons"),
        (b"version 3\n|0|........|||\n|2|........|||\n", "frame 2 resets the console"),
    ],
)
def test_a_file_that_is_no_playable_movie_is_refused(tmp_path, content, problem):
    path = tmp_path / "x.fm2"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=problem):
        import_movie(path)
