"""Files that grow row by row and can be cut back."""

from __future__ import annotations

from pathlib import Path

import pytest

from mario.metrics.writers import Board, RowFile, TensorBoard


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows"


def written(path: Path, *rows: str) -> RowFile:
    file = RowFile(path, "header")
    for row in rows:
        file.append(row)
    return file


class FullDisk:
    """A file that takes a few bytes more and then no other until it is emptied."""

    def __init__(self, room: int) -> None:
        self.room, self.content = room, b""

    def write(self, data: bytes) -> int:
        if not self.room:
            raise OSError(28, "No space left on device")
        taken = data[: self.room]
        self.room -= len(taken)
        self.content += taken
        return len(taken)


def test_every_row_is_on_disk_at_once(path):
    file = written(path, "a", "b")
    assert path.read_text() == "header\na\nb\n"
    assert file.size == path.stat().st_size


def test_nothing_is_touched_before_the_first_row(path):
    path.write_text("what an earlier session wrote")
    file = RowFile(path, "header")
    assert path.read_text() == "what an earlier session wrote"
    file.append("a")
    assert path.read_text() == "header\na\n"


def test_an_empty_file_has_its_header_once_synced(path):
    file = RowFile(path, "header")
    file.sync()
    assert path.read_text() == "header\n"
    assert file.size == 7


def test_restoring_takes_later_rows_back_and_goes_on(path):
    size = written(path, "a", "b").size
    written(path, "a", "b", "c", "torn").close()
    file = RowFile(path, "header")
    assert file.restore(size) == "header\na\nb\n"
    file.append("d")
    assert path.read_text() == "header\na\nb\nd\n"
    assert file.size == path.stat().st_size


@pytest.mark.parametrize("lost", range(1, 12))
def test_a_shortened_file_keeps_its_whole_rows_and_its_header(path, lost):
    size = written(path, "a", "b").size
    path.write_bytes(path.read_bytes()[: size - lost])
    file = RowFile(path, "header")
    kept = file.restore(size)
    assert kept in ("", "header\n", "header\na\n")
    assert file.size < size
    file.append("c")
    assert path.read_text() == (kept or "header\n") + "c\n"


def test_a_lost_file_is_begun_anew(path):
    file = RowFile(path, "header")
    assert file.restore(100) == ""
    file.append("a")
    assert path.read_text() == "header\na\n"


def test_rows_that_a_full_disk_refused_are_written_once_it_has_room(path, monkeypatch):
    disk = FullDisk(room=10)
    monkeypatch.setattr("mario.metrics.writers.open", lambda *_, **__: disk, raising=False)
    file = RowFile(path, "header")
    with pytest.raises(OSError, match="No space left"):
        file.append("first")
    assert disk.content == b"header\nfir"
    disk.room = 100
    file.append("second")
    assert disk.content == b"header\nfirst\nsecond\n"
    assert file.size == len(disk.content)


def read_scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_tensorboard_shows_no_step_of_an_earlier_session_twice(tmp_path):
    first = TensorBoard(tmp_path)
    for step in (10, 20, 30):
        first.write({"train/loss": step / 10}, step)
    first.close()
    second = TensorBoard(tmp_path)
    second.resume_after(10)
    second.write({"train/loss": 7.0}, 25)
    second.close()
    assert read_scalars(tmp_path) == {"train/loss": [(10, 1.0), (25, 7.0)]}


def test_a_board_without_tensorboard_writes_nothing(tmp_path):
    board = Board()
    board.resume_after(1)
    board.write({"train/loss": 1.0}, 2)
    board.close()
    assert not list(tmp_path.iterdir())
