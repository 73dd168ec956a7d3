"""Archives that claim to contain more than they do are refused before memory is allocated."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from limit_memory import limit_memory

from mario.runs.archive import ArchiveError, add_digest, read_archive, verify_archive

SHIPPED = Path(__file__).parents[3] / "checkpoints"
LIMIT = 3 * 2**30


@pytest.fixture(autouse=True)
def _limited_memory():
    """Let allocations of much more than the tests need fail."""
    yield from limit_memory(LIMIT)


def write(path, content, **options):
    torch.save(content, path, **options)
    return path


def seal(path):
    """Add a digest, as files of this program have it."""
    path.write_bytes(add_digest(path.read_bytes()))
    return path


def replace_in_pickle(path, old, new):
    """Change the pickle of an archive, with correct CRCs."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            assert old in data or not name.endswith("data.pkl")
            archive.writestr(name, data.replace(old, new) if name.endswith("data.pkl") else data)
    return path


def load(path):
    verify_archive(path)
    return read_archive(path)


def test_a_file_is_read_unchanged_and_may_change_afterwards(tmp_path):
    content = {"a": torch.arange(5.0), "b": [1, 2.5, None, True, "x", (torch.ones(2, 3).T,)]}
    path = seal(write(tmp_path / "a", content))
    read = load(path)
    path.write_bytes(b"")
    assert torch.equal(read["a"], content["a"])
    assert read["b"][:5] == content["b"][:5]
    assert torch.equal(read["b"][5][0], content["b"][5][0])


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.chkpt")), ids=lambda path: path.stem)
def test_the_shipped_checkpoints_are_within_the_limits(path):
    assert load(path)["model"]


@pytest.mark.parametrize("legacy", [False, True])
def test_one_number_expanded_to_terabytes_is_refused(tmp_path, legacy):
    huge = torch.zeros(1).expand(10**6, 10**6)
    path = write(tmp_path / "a", {"model": huge}, _use_new_zipfile_serialization=not legacy)
    assert path.stat().st_size < 4_000
    with pytest.raises(ArchiveError, match="a tensor of 4,000,000,000,000 bytes with less data"):
        load(path)


def test_a_storage_larger_than_its_record_is_refused(tmp_path):
    path = write(tmp_path / "a", {"model": torch.zeros(300)})
    replace_in_pickle(path, b"M\x2c\x01", b"J\x00\x00\x00\x7f")  # 300 becomes 2**31 - 2**24
    with pytest.raises(ArchiveError):
        load(seal(path))


def test_a_legacy_file_with_a_huge_storage_is_refused(tmp_path):
    path = write(tmp_path / "a", {"w": torch.zeros(300)}, _use_new_zipfile_serialization=False)
    assert torch.equal(load(path)["w"], torch.zeros(300))
    content = path.read_bytes()
    path.write_bytes(content.replace(b"M\x2c\x01", b"\x8a\x06\x00\x00\x00\x00\x00\x01"))
    with pytest.raises(ArchiveError, match="its tensors are larger than the file"):
        load(path)


def test_a_compressed_record_is_refused_even_with_a_digest(tmp_path):
    with zipfile.ZipFile(tmp_path / "a", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(10**7))
    with pytest.raises(ArchiveError, match="is compressed"):
        verify_archive(seal(tmp_path / "a"))


def test_a_list_that_refers_to_itself_in_many_ways_is_refused(tmp_path):
    laughs = ["ha"]
    for _ in range(64):
        laughs = [laughs] * 2
    with pytest.raises(ArchiveError, match="too often"):
        load(write(tmp_path / "a", {"hyper": laughs}))


def test_many_names_for_one_tensor_are_refused(tmp_path):
    tensor = torch.zeros(10_000)
    with pytest.raises(ArchiveError, match="its tensors are larger than the file"):
        load(write(tmp_path / "a", {str(name): tensor for name in range(1_000)}))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"rate": np.float64(0.5)}, "save NumPy numbers as float"),
        ({"rewards": np.ones(3)}, "save NumPy numbers as float"),
        ({"x": torch.zeros(3).to_sparse()}, "it (contains|is not)"),
        ({"x": torch.device("cpu")}, "it contains a device"),
        ({"x": torch.zeros(4, device="meta")}, "it contains a tensor on meta"),
    ],
)
def test_other_content_is_refused_in_one_line(tmp_path, content, message):
    with pytest.raises(ArchiveError, match=message) as refusal:
        load(write(tmp_path / "a", content))
    assert "\n" not in str(refusal.value)


def test_a_memo_bomb_is_refused(tmp_path):
    bomb = b"\x80\x02\x8c\x01ar\xff\xff\xff\x7f."  # store a string under the number 2**31 - 1
    with zipfile.ZipFile(tmp_path / "a", "w") as archive:
        archive.writestr("archive/data.pkl", bomb)
        archive.writestr("archive/version", "3")
    with pytest.raises(ArchiveError):
        load(tmp_path / "a")
