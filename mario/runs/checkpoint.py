"""A trained agent in one file, written atomically and read with suspicion.

A checkpoint is a torch archive: ``model`` (the weights that playing needs), ``exploration_rate``,
and what the agent was made from. ``last.chkpt`` also has ``resume``: all that going on exactly
needs. Weights may be kept in half precision, and come out single all the same.

Nothing in a file is ever executed: an archive is checked against its CRCs, and ours also
against a digest of the whole file, kept in the archive's comment; then it is read with
``weights_only=True``. The CRCs alone do not see every flipped bit: they leave out the directory.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from mario.errors import RunError, UsageError
from mario.system.files import write_atomically

Types = dict[str, type | tuple[type, ...]]

FORMAT = 2
SEAL = b"sha256:"
LEGACY_MAGIC = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
"""How files of torch before 1.6 begin; they have no CRCs."""

TUTORIAL_TYPES: Types = {"model": dict, "exploration_rate": (int, float)}
OUR_TYPES: Types = {
    "format": int,
    "model": dict,
    "exploration_rate": float,
    "agent": str,
    "hyper": dict,
    "game": str,
    "actions": (str, type(None)),
    "wrappers": dict,
    "emulator": str,
    "state_shape": list,
    "num_actions": int,
    "steps": int,
    "episodes": int,
    "seed": int,
    "versions": dict,
}

Checkpoint = dict[str, Any]


class CheckpointError(UsageError):
    """Raised when a file cannot be used as a checkpoint; the message names the file and why."""


def save(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint atomically and durably.

    Raises:
        RunError: a weight is not finite; nothing is written.
        OSError: the disk is full, read-only or gone; an older file of that name is untouched.
    """
    for name, tensor in _tensors(checkpoint["model"]):
        if not torch.isfinite(tensor).all():
            raise RunError(f"weight {name} is not finite; {path.name} was not written")
    archive = io.BytesIO()
    torch.save(checkpoint, archive)
    sealed = seal(archive.getvalue())
    write_atomically(path, lambda file: file.write(sealed))


def seal(archive: bytes) -> bytes:
    """An archive without a comment, with the digest of its bytes as its comment."""
    body = archive[:-2]  # an archive ends with the length of its comment, two bytes
    comment = SEAL + hashlib.sha256(body).hexdigest().encode()
    return body + len(comment).to_bytes(2, "little") + comment


def load(path: Path) -> Checkpoint:
    """Read a checkpoint after checking that it is whole.

    Returns:
        The checkpoint: of ours with all of its keys, or a tutorial's with `TUTORIAL_TYPES` alone.

    Raises:
        CheckpointError: missing, truncated, damaged, of another kind or from a newer version.
    """
    _check_whole(path)
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, ValueError, KeyError, EOFError, OSError, pickle.UnpicklingError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"checkpoint {path} is refused: {reason}") from None
    except Exception as error:  # whatever a hostile file can make a parser raise
        raise CheckpointError(f"checkpoint {path} is refused: {type(error).__name__}") from None
    _check_content(path, content)
    checkpoint: Checkpoint = content
    return checkpoint | {"model": _of_type(content["model"], torch.float16, torch.float32)}


def halved(checkpoint: Checkpoint) -> Checkpoint:
    """The same with its weights in half precision, and without what only resuming needs.

    >>> halved({"model": {"bias": torch.ones(1)}, "steps": 3, "resume": {"steps": 3}})
    {'model': {'bias': tensor([1.], dtype=torch.float16)}, 'steps': 3}
    """
    kept = {key: value for key, value in checkpoint.items() if key != "resume"}
    return kept | {"model": _of_type(checkpoint["model"], torch.float32, torch.float16)}


def is_tutorial(checkpoint: Checkpoint) -> bool:
    """Whether the file was written by the tutorial's own code, which says nothing of its game."""
    return "format" not in checkpoint


def _check_whole(path: Path) -> None:
    """Refuse a file that is missing, empty, cut short or differs from its digest or its CRCs."""
    if not path.is_file():
        kind = "is a folder" if path.is_dir() else "does not exist"
        raise CheckpointError(f"checkpoint {path} {kind}; give the path of a .chkpt file")
    try:
        with open(path, "rb") as file:
            if file.read(len(LEGACY_MAGIC)) == LEGACY_MAGIC:
                return
        with zipfile.ZipFile(path) as archive:
            damaged = _damage(path, archive)
    except (zipfile.BadZipFile, EOFError, ValueError, NotImplementedError, RuntimeError):
        damaged = "it is no whole archive"
    except OSError as error:
        raise CheckpointError(f"checkpoint {path} cannot be read: {error.strerror}") from None
    if damaged:
        raise CheckpointError(f"checkpoint {path} is damaged or not a checkpoint: {damaged}")


def _damage(path: Path, archive: zipfile.ZipFile) -> str | None:
    """What is wrong with an archive, or None."""
    if archive.comment:
        content = path.read_bytes()
        bare = content[: len(content) - len(archive.comment)]
        return None if seal(bare) == content else "it differs from its digest"
    for entry in archive.infolist():
        # torch writes plain records; what differs may be read otherwise than it is checked
        if entry.compress_type or entry.compress_size != entry.file_size:
            return f"{entry.filename} is compressed"
    wrong = archive.testzip()
    return f"{wrong} differs from its CRC" if wrong else None


def _check_content(path: Path, content: object) -> None:
    """Refuse what is not one of the two kinds of checkpoint."""
    if not isinstance(content, dict) or any(key not in content for key in TUTORIAL_TYPES):
        raise CheckpointError(f"checkpoint {path} has no {' and '.join(TUTORIAL_TYPES)}")
    if content.get("format", FORMAT) != FORMAT:
        raise CheckpointError(
            f"checkpoint {path} has format {content['format']!r}, this version reads {FORMAT}; "
            "install the version that wrote it"
        )
    for key, kind in (TUTORIAL_TYPES if is_tutorial(content) else OUR_TYPES).items():
        if not isinstance(content.get(key, ...), kind):
            raise CheckpointError(f"checkpoint {path} has no usable {key!r}")
    rate = torch.tensor(content["exploration_rate"])
    for name, tensor in _tensors({"exploration_rate": rate, **content["model"]}):
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"checkpoint {path} has weights that are not finite: {name}")


def _of_type(weights: dict[str, Any], old: torch.dtype, new: torch.dtype) -> dict[str, Any]:
    """The weights, with those of one type in another."""
    changed = {name: tensor.to(new) for name, tensor in _tensors(weights) if tensor.dtype is old}
    return weights | changed


def _tensors(weights: dict[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, value in weights.items():
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            yield name, value
