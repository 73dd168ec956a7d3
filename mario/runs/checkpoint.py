"""Checkpoint files: written atomically, and verified before they are read.

A checkpoint is a torch archive with ``model`` (the tensors that acting needs),
``exploration_rate``, and the configuration of the agent and its environment. ``last.chkpt`` also
has ``resume``, the complete state of the run. Weights may be stored as float16; `load` converts
them to float32.

Loading never executes code from a file, and never allocates much more memory than the size of the
file, see `mario.runs.archive`.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from mario.errors import RunError
from mario.runs.archive import ArchiveError, add_digest, read_archive, verify_archive
from mario.runs.file_kind import CheckpointError, check_is_archive
from mario.runs.foreign import convert, describe, describe_archive
from mario.system.files import write_atomically

Types = dict[str, type | tuple[type, ...]]

FORMAT = 2

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
    "start_curriculum": dict,
    "ending_reward": dict,
    "emulator": str,
    "state_shape": list,
    "num_actions": int,
    "steps": int,
    "episodes": int,
    "seed": int,
    "versions": dict,
}

Checkpoint = dict[str, Any]


def save(path: Path, checkpoint: Checkpoint, *, backup: Path | None = None) -> None:
    """Write a checkpoint atomically and durably.

    Args:
        path: the file; an existing file is replaced.
        checkpoint: its content.
        backup: new name of the existing file.

    Raises:
        RunError: a weight is not finite; nothing is written.
        OSError: the disk is full, read-only or missing; an existing file is left unchanged.
    """
    for name, tensor in _float_tensors(checkpoint["model"]):
        if not torch.isfinite(tensor).all():
            raise RunError(f"weight {name} is not finite; {path.name} was not written")
    archive = io.BytesIO()
    torch.save(checkpoint, archive)
    content = add_digest(archive.getvalue())
    write_atomically(path, lambda file: file.write(content), backup=backup)


def load(path: Path) -> Checkpoint:
    """Verify and read a checkpoint.

    Returns:
        The checkpoint, with all keys of `OUR_TYPES`, or only those of `TUTORIAL_TYPES` if the
        code of the PyTorch tutorial wrote the file. Float16 tensors of the model are converted to
        float32.

    Raises:
        CheckpointError: the file is missing, truncated, damaged, not a checkpoint, or has another
            format version.
    """
    _verify_file(path)
    try:
        content = convert(read_archive(path))
    except ArchiveError as error:
        raise CheckpointError(
            f"checkpoint {path} is refused: {describe_archive(path) or error}"
        ) from None
    except OSError as error:
        raise CheckpointError(f"checkpoint {path} cannot be read: {error.strerror}") from None
    _verify_content(path, content)
    checkpoint: Checkpoint = content
    return checkpoint | {"model": _convert(content["model"], torch.float16, torch.float32)}


def find_damage(path: Path) -> str | None:
    """Return why a file is no intact checkpoint, or None.

    Only the digest or the CRCs are checked, which is faster than `load`.
    """
    try:
        _verify_file(path)
    except CheckpointError as error:
        return str(error)
    return None


def to_float16(checkpoint: Checkpoint) -> Checkpoint:
    """Return a checkpoint with float16 weights and without the state that only resuming needs.

    >>> to_float16({"model": {"bias": torch.ones(1)}, "steps": 3, "resume": {"steps": 3}})
    {'model': {'bias': tensor([1.], dtype=torch.float16)}, 'steps': 3}
    """
    kept = {key: value for key, value in checkpoint.items() if key != "resume"}
    return kept | {"model": _convert(checkpoint["model"], torch.float32, torch.float16)}


def is_tutorial(checkpoint: Checkpoint) -> bool:
    """Return whether the PyTorch tutorial's code wrote the file; it stores no configuration."""
    return "format" not in checkpoint


def _verify_file(path: Path) -> None:
    """Refuse a file that is missing, truncated, or does not match its digest or its CRCs."""
    check_is_archive(path)
    try:
        verify_archive(path)
    except ArchiveError as error:
        raise CheckpointError(
            f"checkpoint {path} is damaged or not a checkpoint: {describe_archive(path) or error}"
        ) from None
    except OSError as error:
        raise CheckpointError(f"checkpoint {path} cannot be read: {error.strerror}") from None


def _verify_content(path: Path, content: object) -> None:
    """Refuse content that is neither a checkpoint of this program nor one of the tutorial."""
    if not isinstance(content, dict) or any(key not in content for key in TUTORIAL_TYPES):
        what = describe(content)
        raise CheckpointError(
            f"checkpoint {path} has no {' and '.join(TUTORIAL_TYPES)}"
            + (f"; it is {what}, which this program cannot play" if what else "")
        )
    if content.get("format", FORMAT) != FORMAT:
        raise CheckpointError(
            f"checkpoint {path} has format {content['format']!r}, this version reads {FORMAT}; "
            "install the version that wrote it"
        )
    for key, expected in (TUTORIAL_TYPES if is_tutorial(content) else OUR_TYPES).items():
        if not isinstance(content.get(key, ...), expected):
            raise CheckpointError(f"checkpoint {path} has no usable {key!r}")
    rate = torch.tensor(content["exploration_rate"])
    for name, tensor in _float_tensors({"exploration_rate": rate, **content["model"]}):
        if not torch.isfinite(tensor).all():
            raise CheckpointError(f"checkpoint {path} has weights that are not finite: {name}")


def _convert(weights: dict[str, Any], source: torch.dtype, target: torch.dtype) -> dict[str, Any]:
    """Return the weights with tensors of one dtype converted to another."""
    converted = {
        name: tensor.to(target)
        for name, tensor in _float_tensors(weights)
        if tensor.dtype is source
    }
    return weights | converted


def _float_tensors(weights: dict[str, Any]) -> Iterator[tuple[str, torch.Tensor]]:
    for name, value in weights.items():
        if isinstance(value, torch.Tensor) and value.is_floating_point():
            yield name, value
