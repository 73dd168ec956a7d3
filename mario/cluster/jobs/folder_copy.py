"""Copies of a folder on another machine, of which only the blocks that changed are sent."""

from __future__ import annotations

import hashlib
import shutil
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mario.runs.file_kind import LOCK
from mario.runs.run_folder import LAST, PREVIOUS
from mario.system.files import TEMPORARY, write_atomically

BLOCK = 1 << 20
"""Bytes of a block."""
MEMORY = "memory"
"""Folder whose files are large and are changed in place."""
NOT_COPIED = (LOCK, PREVIOUS)
FASTEST = 1
"""Level of compression."""


@dataclass(frozen=True)
class FileChange:
    """What has changed in a file.

    Attributes:
        name: path in the folder.
        size: new size in bytes.
        blocks: index and compressed content of each block that has changed.
    """

    name: str
    size: int
    blocks: tuple[tuple[int, bytes], ...]


@dataclass(frozen=True)
class FolderChanges:
    """What has changed in a folder.

    Attributes:
        files: the files that have changed, in the order in which they must be written.
        names: all files of the folder.
    """

    files: tuple[FileChange, ...]
    names: frozenset[str]


class FolderReader:
    """Finds what has changed in a run folder since it was read last.

    Args:
        folder: the folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, tuple[int, list[bytes]]] = {}

    def changes(self) -> FolderChanges:
        """Return what has changed since the last call; all files at the first one."""
        names = sorted(_names(self._folder), key=_order)
        self._known = {name: self._known[name] for name in names if name in self._known}
        changed = [change for name in names if (change := self._read(name)) is not None]
        return FolderChanges(tuple(changed), frozenset(names))

    def _read(self, name: str) -> FileChange | None:
        """Return what has changed in a file, or None."""
        size, digests = self._known.get(name, (-1, []))
        blocks, new_digests, new_size = [], list[bytes](), 0
        with open(self._folder / name, "rb") as file:
            while block := file.read(BLOCK):
                index, digest = len(new_digests), _digest(block)
                # A file that grows consists of zeros, which need not be sent.
                before = digests[index] if index < len(digests) else _digest(bytes(len(block)))
                if digest != before:
                    blocks.append((index, zlib.compress(block, FASTEST)))
                new_digests.append(digest)
                new_size += len(block)
        self._known[name] = new_size, new_digests
        if new_size == size and not blocks:
            return None
        return FileChange(name, new_size, tuple(blocks))


def write_changes(folder: Path, changes: FolderChanges) -> None:
    """Apply changes to a copy of a folder.

    The checkpoint is written last, and every file but those of the replay memory is replaced
    atomically. If this is interrupted, the copy has the earlier checkpoint, and rows of the replay
    memory that were overwritten since then are found by their checksums.

    Args:
        folder: the copy; a new one must be empty.
        changes: what `FolderReader.changes` returned.

    Raises:
        OSError: the disk is full or read-only.
    """
    for change in changes.files:
        path = folder / change.name
        path.parent.mkdir(parents=True, exist_ok=True)
        if Path(change.name).parts[0] == MEMORY:
            _write_in_place(path, change)
        else:
            _replace(path, change)
    for name in set(_names(folder)) - changes.names:
        (folder / name).unlink()
    if not any(Path(name).parts[0] == MEMORY for name in changes.names):
        shutil.rmtree(folder / MEMORY, ignore_errors=True)


def _write_in_place(path: Path, change: FileChange) -> None:
    with open(path, "r+b" if path.exists() else "x+b") as file:
        file.truncate(change.size)
        for index, block in change.blocks:
            file.seek(index * BLOCK)
            file.write(zlib.decompress(block))


def _replace(path: Path, change: FileChange) -> None:
    content = bytearray(path.read_bytes() if path.exists() else b"")[: change.size]
    content.extend(bytes(change.size - len(content)))
    for index, block in change.blocks:
        start = index * BLOCK
        content[start : start + BLOCK] = zlib.decompress(block)
    write_atomically(path, lambda file: file.write(content))


def _names(folder: Path) -> Iterator[str]:
    """Yield the paths of the files to copy."""
    for path in folder.rglob("*"):
        is_copied = path.name not in NOT_COPIED and not path.name.startswith(TEMPORARY)
        if is_copied and path.is_file() and not path.is_symlink():
            yield path.relative_to(folder).as_posix()


def _order(name: str) -> tuple[bool, bool, str]:
    """Return the key that sorts the replay memory first and the checkpoint last."""
    return name == LAST, not name.startswith(f"{MEMORY}/"), name


def _digest(block: bytes) -> bytes:
    return hashlib.blake2b(block, digest_size=16).digest()
