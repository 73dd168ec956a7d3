"""Tests of append-only files and metric writers."""

from __future__ import annotations

from pathlib import Path

import pytest
from damage import damage

from mario.metrics.writers import AppendOnlyFile, CsvFile, NullWriter, TensorBoardWriter


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "lines"


def written(path: Path, *lines: str) -> AppendOnlyFile:
    file = AppendOnlyFile(path, "header")
    for line in lines:
        file.append(line)
    return file


class FullDisk:
    """A file on a disk with a few free bytes; set ``free`` to make more room."""

    def __init__(self, free: int) -> None:
        self.free, self.content = free, b""

    def write(self, data: bytes) -> int:
        if not self.free:
            raise OSError(28, "No space left on device")
        accepted = data[: self.free]
        self.free -= len(accepted)
        self.content += accepted
        return len(accepted)


def test_every_line_is_written_immediately(path):
    file = written(path, "a", "b")
    assert path.read_text() == "header\na\nb\n"
    assert file.size == path.stat().st_size


def test_the_file_is_not_touched_before_the_first_line(path):
    path.write_text("what an earlier session wrote")
    file = AppendOnlyFile(path, "header")
    assert path.read_text() == "what an earlier session wrote"
    file.append("a")
    assert path.read_text() == "header\na\n"


def test_syncing_an_empty_file_writes_its_header(path):
    file = AppendOnlyFile(path, "header")
    file.sync()
    assert path.read_text() == "header\n"
    assert file.size == 7


def test_restoring_removes_later_lines_and_appends_after_it(path):
    earlier = written(path, "a", "b")
    written(path, "a", "b", "c", "torn").close()
    file = AppendOnlyFile(path, "header")
    assert file.restore(earlier.size, earlier.checksum) == "header\na\nb\n"
    file.append("d")
    assert path.read_text() == "header\na\nb\nd\n"
    assert file.size == path.stat().st_size


@pytest.mark.parametrize("lost", range(1, 12))
def test_restoring_a_shortened_file_keeps_its_complete_lines(path, lost):
    earlier = written(path, "a", "b")
    path.write_bytes(path.read_bytes()[: earlier.size - lost])
    file = AppendOnlyFile(path, "header")
    kept = file.restore(earlier.size, earlier.checksum)
    assert kept in ("", "header\n", "header\na\n")
    assert file.damage == ""
    assert file.size < earlier.size
    file.append("c")
    assert path.read_text() == (kept or "header\n") + "c\n"


def test_restoring_a_lost_file_starts_a_new_one(path):
    file = AppendOnlyFile(path, "header")
    assert file.restore(100, 7) == ""
    file.append("a")
    assert path.read_text() == "header\na\n"


@pytest.mark.parametrize("position", range(26))
@pytest.mark.parametrize("bit", [0, 2, 7])
def test_a_flipped_bit_is_noticed_and_costs_at_most_two_lines(path, position, bit):
    earlier = CsvFile(path, ("step", "loss"))
    for step in range(1, 4):
        earlier.append_row({"step": step, "loss": 1.5})
    original = path.read_bytes()
    damaged = bytearray(original)
    damaged[position] ^= 1 << bit
    path.write_bytes(damaged)
    file = CsvFile(path, ("step", "loss"))
    kept = file.restore(earlier.size, earlier.checksum)
    assert kept.startswith("step,loss\n")
    assert len(set(kept.splitlines()) & set(original.decode().splitlines())) >= 2
    assert "it was renamed to lines.damaged" in file.damage
    assert path.with_name("lines.damaged").read_bytes() == damaged
    file.append_row({"step": 4, "loss": 2})
    assert path.read_text() == kept + "4,2\n"
    again = CsvFile(path, ("step", "loss"))
    assert again.restore(file.size, file.checksum) == path.read_text()
    assert again.damage == ""


@pytest.mark.parametrize("kind", ["folder", "zeroed", "unreadable"])
def test_a_file_that_cannot_be_read_is_renamed(path, kind):
    earlier = written(path, "a")
    damage(path, kind)
    file = AppendOnlyFile(path, "header")
    assert file.restore(earlier.size, earlier.checksum) in ("", "header\n")
    assert "renamed to lines.damaged" in file.damage
    file.append("b")
    assert path.read_text() == "header\nb\n"


def test_a_link_is_never_followed(tmp_path, path):
    (tmp_path / "outside").write_text("precious")
    path.symlink_to(tmp_path / "outside")
    with pytest.raises(OSError, match="symbolic links"):
        AppendOnlyFile(path, "header").append("a")
    assert (tmp_path / "outside").read_text() == "precious"


def test_lines_that_a_full_disk_refused_are_written_later(path, monkeypatch):
    disk = FullDisk(free=10)
    monkeypatch.setattr("mario.metrics.writers.open", lambda *_, **__: disk, raising=False)
    file = AppendOnlyFile(path, "header")
    with pytest.raises(OSError, match="No space left"):
        file.append("first")
    assert disk.content == b"header\nfir"
    disk.free = 100
    file.append("second")
    assert disk.content == b"header\nfirst\nsecond\n"
    assert file.size == len(disk.content)


def test_csv_rows_are_in_the_order_of_the_columns(path):
    file = CsvFile(path, ("step", "warning"))
    file.append_row({"warning": 'a "b", c', "step": 1, "ignored": 2})
    file.append_row({"step": 2, "warning": None})
    assert path.read_text() == 'step,warning\n1,"a ""b"", c"\n2,\n'


def read_scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def test_resuming_discards_later_scalars_of_the_earlier_session(tmp_path, monkeypatch):
    from tensorboard.summary.writer import event_file_writer

    # Files of the same second are read in the order of this number as text: 10 comes before 9.
    counter = event_file_writer.AtomicCounter(0)
    monkeypatch.setattr(event_file_writer, "_global_uid", counter)
    first = TensorBoardWriter(tmp_path)
    for step in (10, 20, 30):
        first.write({"train/loss": step / 10}, step)
    first.close()
    second = TensorBoardWriter(tmp_path)
    second.resume_after(10)
    second.write({"train/loss": 7.0}, 25)
    second.close()
    assert read_scalars(tmp_path) == {"train/loss": [(10, 1.0), (25, 7.0)]}


def test_the_null_writer_writes_nothing(tmp_path):
    writer = NullWriter()
    writer.resume_after(1)
    writer.write({"train/loss": 1.0}, 2)
    writer.close()
    assert not list(tmp_path.iterdir())
