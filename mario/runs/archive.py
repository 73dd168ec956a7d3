"""Reads archives that `torch.save` wrote, without executing code or trusting what they say.

First the file is verified: files of this program contain a digest of their bytes in the archive's
comment, and for other files the CRCs of the archive are checked. The digest is needed because the
CRCs do not cover the archive's directory. Then the file is read with ``weights_only=True``, its
tensors are mapped to parts of the file, and only what the file really contains is copied.
"""

from __future__ import annotations

import hashlib
import io
import pickletools
import re
import zipfile
from pathlib import Path
from typing import Any

import torch

from mario.runs.file_kind import is_legacy

DIGEST_PREFIX = b"sha256:"
LENGTH_BYTES = 2
"""Bytes of the length of an archive's comment, which precede the comment."""
INTEGERS = {"BININT", "BININT1", "BININT2", "LONG1"}
PUTS = {"BINPUT", "LONG_BINPUT"}
GETS = {"BINGET", "LONG_BINGET"}
STORAGE = ["GLOBAL", "BINUNICODE", "BINUNICODE", "NONE", "TUPLE"]
"""Operations that describe a storage, without its number of elements."""
ELEMENT_BYTES = {
    "torch DoubleStorage": 8, "torch FloatStorage": 4, "torch HalfStorage": 2,
    "torch BFloat16Storage": 2, "torch LongStorage": 8, "torch IntStorage": 4,
    "torch ShortStorage": 2, "torch CharStorage": 1, "torch ByteStorage": 1, "torch BoolStorage": 1,
}  # fmt: skip
"""Size of an element, by the name of the storage's class in a pickle."""
SCALARS = (str, int, float, type(None))


Operation = tuple[str, Any]
"""Name and argument of an operation of a pickle."""


class ArchiveError(ValueError):
    """Raised when a file cannot be read; the message says what is wrong with it."""


def add_digest(archive: bytes) -> bytes:
    """Return a ZIP archive with the digest of its bytes as its comment.

    Args:
        archive: a ZIP archive without a comment.
    """
    body = memoryview(archive)[:-LENGTH_BYTES]
    return b"".join((body, _comment_of(body)))


def verify_archive(path: Path) -> None:
    """Check that a file is complete and intact.

    Raises:
        ArchiveError: it is not.
        OSError: it cannot be read.
    """
    if is_legacy(path):
        return
    content = path.read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            damage = _find_damage(content, archive)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError):
        damage = "it is not a complete ZIP archive"
    if damage:
        raise ArchiveError(damage)


def read_archive(path: Path) -> Any:
    """Read a file that was verified.

    Returns:
        Nested dicts, lists and tuples of tensors on the CPU, strings and numbers. Their size in
        memory is at most a few times that of the file.

    Raises:
        ArchiveError: the file contains something else, or claims to contain more than it does.
        OSError: it cannot be read.
    """
    with open(path, "rb") as file:
        # Torch opens the file several times. The name of its descriptor is always this file, even
        # if a run replaces it at the path in the meantime.
        descriptor = Path(f"/proc/self/fd/{file.fileno()}")
        opened = descriptor if descriptor.exists() else path
        legacy = is_legacy(opened)
        if legacy:
            _check_legacy_sizes(opened)
        try:
            content = torch.load(opened, map_location="cpu", weights_only=True, mmap=not legacy)
        except OSError:
            raise
        except Exception as error:  # the parser can raise any exception for a malicious file
            raise ArchiveError(_explain(error)) from None
        return _Copier(opened.stat().st_size).copy(content)


class _Copier:
    """Copies content out of a mapped file, and checks that it is not larger than the file.

    An archive can refer to one tensor or list many times, and can expand one number to a tensor of
    any shape.

    Args:
        size: size of the file in bytes.
    """

    def __init__(self, size: int) -> None:
        self._bytes_left = 2 * size
        self._entries_left = size

    def copy(self, value: Any) -> Any:
        """Return a copy of nested content."""
        self._entries_left -= 1
        if self._entries_left < 0:
            raise ArchiveError("it refers to the same entries too often")
        if isinstance(value, torch.Tensor):
            return self._copy_tensor(value)
        if isinstance(value, dict):
            return {self.copy(key): self.copy(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)([self.copy(item) for item in value])
        if not isinstance(value, SCALARS):
            raise ArchiveError(f"it contains a {type(value).__name__}")
        return value

    def _copy_tensor(self, tensor: torch.Tensor) -> torch.Tensor:
        if tensor.layout is not torch.strided or tensor.device.type != "cpu":
            raise ArchiveError(f"it contains a tensor on {tensor.device} as {tensor.layout}")
        size = tensor.numel() * tensor.element_size()
        if size > tensor.untyped_storage().nbytes():
            raise ArchiveError(f"it contains a tensor of {size:,} bytes with less data")
        self._bytes_left -= size
        if self._bytes_left < 0:
            raise ArchiveError("its tensors are larger than the file")
        return tensor.detach().clone()


def _find_damage(content: bytes, archive: zipfile.ZipFile) -> str | None:
    """Return what is wrong with an archive, or None."""
    for entry in archive.infolist():
        # torch.save stores records uncompressed; a compressed one may expand to any size
        if entry.compress_type or entry.compress_size != entry.file_size:
            return f"{entry.filename} is compressed"
    if archive.comment:
        # Views, because copies would need several times the memory of the file.
        end = len(content) - len(archive.comment) - LENGTH_BYTES
        is_intact = memoryview(content)[end:] == _comment_of(memoryview(content)[:end])
        return None if is_intact else "it differs from its digest"
    damaged = archive.testzip()
    return f"{damaged} differs from its CRC" if damaged else None


def _comment_of(body: memoryview) -> bytes:
    """Return the last bytes of an archive: the length of its comment, and the comment."""
    comment = DIGEST_PREFIX + hashlib.sha256(body).hexdigest().encode()
    return len(comment).to_bytes(LENGTH_BYTES, "little") + comment


def _check_legacy_sizes(path: Path) -> None:
    """Check that the tensors of a legacy file are not larger than the file.

    Torch allocates what the file asks for before it reads the numbers. Each tensor's storage is
    described by a tuple: "storage", its class, key and location, the number of elements, and None.
    """
    left = size = path.stat().st_size
    content = io.BytesIO(path.read_bytes())  # reading from a file allocates what is asked for
    for _ in range(5):  # magic number, protocol, system, content, storage keys
        try:
            operations = _operations(content)
        except (ValueError, IndexError, KeyError, OverflowError):
            raise ArchiveError("it is damaged") from None
        for index, (name, _) in enumerate(operations):
            if name == "BINPERSID":
                left -= _storage_bytes(operations[max(0, index - 6) : index])
    if left < 0:
        raise ArchiveError(f"its tensors are larger than the file of {size:,} bytes")


def _operations(content: io.BytesIO) -> list[Operation]:
    """Return the operations of the next pickle, with those that its memo repeats."""
    found: list[Operation] = []
    memo: dict[Any, Operation] = {}
    for code, value, _ in pickletools.genops(content):
        if code.name in PUTS:
            memo[value] = found[-1]
        else:
            found.append(memo[value] if code.name in GETS else (code.name, value))
    return found


def _storage_bytes(description: list[Operation]) -> int:
    """Return the size of a storage that the last operations before `BINPERSID` describe."""
    names = [name for name, _ in description]
    integers = names[3:4] and names[3] in INTEGERS
    if not integers or names[:3] + names[4:] != STORAGE or description[0][1] not in ELEMENT_BYTES:
        raise ArchiveError("it describes a tensor in an unusual way")
    elements: int = description[3][1]
    return max(0, elements) * ELEMENT_BYTES[description[0][1]]


def _explain(error: Exception) -> str:
    """Return what is wrong with a file that torch refuses, without torch's own advice."""
    names = re.findall(r"GLOBAL ([\w.]+)|(numpy[\w.]+)", str(error))
    name = next((found for groups in names for found in groups if found), None)
    if name is None:
        return "it is not an archive of tensors and numbers that torch.save wrote"
    remedy = "; save NumPy numbers as float(number)" if name.startswith("numpy") else ""
    return f"it contains {name}, and only tensors, numbers and text are loaded{remedy}"
