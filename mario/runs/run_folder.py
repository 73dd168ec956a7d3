"""The folder of a training run: created once, and used by one training process at a time."""

from __future__ import annotations

import datetime
import itertools
import os
import shutil
from pathlib import Path
from typing import Any, Self

import yaml

from mario.errors import UsageError
from mario.runs import checkpoint as checkpoints
from mario.runs.checkpoint import Checkpoint
from mario.runs.file_kind import CONFIG, LOCK, CheckpointError, folder_of, locked_run, not_a_run
from mario.system.file_lock import LockedError, lock_file
from mario.system.files import (
    remove_temporary_files,
    set_aside,
    write_atomically,
)

LAST, PREVIOUS, BEST = "last.chkpt", "previous.chkpt", "best.chkpt"
WRITTEN_IN_PLACE = ("log", "metrics.csv", "warnings.csv", "evaluations.csv")
"""Files that `mario.metrics.logger.MetricLogger` appends to."""


class RunFolder:
    """A run folder, locked against other training processes until it is closed.

    Args:
        path: an existing folder.

    Attributes:
        path: the folder.

    Raises:
        UsageError: another process uses the folder, the folder is not writable, or it contains
            links to files outside.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        _check_links(path)
        self._lock = self._acquire_lock()
        remove_temporary_files(path)

    @classmethod
    def create(cls, save_dir: Path, config: dict[str, Any], now: datetime.datetime) -> Self:
        """Create the folder ``<save_dir>/<YYYY-MM-DDTHH-MM-SS>`` and write ``config.yaml`` into it.

        Raises:
            UsageError: the folder cannot be created or written.
        """
        path = create_folder(save_dir, now)
        cls.prepare(path, config)
        return cls(path)

    @staticmethod
    def prepare(path: Path, config: dict[str, Any]) -> None:
        """Write ``config.yaml`` into an empty folder, which can then be opened as a run.

        Raises:
            UsageError: the file cannot be written; the folder is removed.
        """
        try:
            _write_config(path, config)
        except OSError as error:
            shutil.rmtree(path, ignore_errors=True)
            raise UsageError(
                f"cannot write in {path}: {error.strerror}; choose another --save-dir"
            ) from None

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the folder of an earlier run.

        Args:
            path: the folder, or a checkpoint in it.

        Raises:
            UsageError: the path is not a run folder, or another process uses it.
        """
        path = folder_of(path)
        if not (path / CONFIG).is_file():
            raise not_a_run(path)
        return cls(path)

    @staticmethod
    def read_config(path: Path) -> dict[str, Any]:
        """Return the configuration with which a run was last started or resumed.

        Args:
            path: the folder, or a checkpoint in it.

        Raises:
            UsageError: there is no readable configuration.
        """
        file = folder_of(path) / CONFIG
        try:
            config = yaml.safe_load(file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise not_a_run(file.parent) from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            reason = getattr(error, "strerror", None) or "it is damaged"
            raise UsageError(f"cannot read {file}: {reason}; give the folder of a run") from None
        if not isinstance(config, dict):
            raise UsageError(f"cannot read {file}: it is damaged; give the folder of a run")
        return config

    def describe_owner(self) -> str:
        """Return a warning if the folder belongs to another user, or ``""``."""
        owner = self.path.stat().st_uid
        if owner in (os.geteuid(), 0):
            return ""
        return f"{self.path} belongs to another user (id {owner}), who can change what it contains"

    def write_config(self, config: dict[str, Any]) -> None:
        """Replace ``config.yaml``, because some settings may change when a run is resumed.

        Raises:
            UsageError: the file cannot be written.
        """
        try:
            _write_config(self.path, config)
        except OSError as error:
            raise UsageError(
                f"cannot write in {self.path}: {error.strerror}; free space or check permissions"
            ) from None

    def save_last(self, checkpoint: Checkpoint) -> str | None:
        """Write ``last.chkpt``, and keep the previous one as ``previous.chkpt``.

        A ``last.chkpt`` that was damaged since it was written does not replace
        ``previous.chkpt``; it is renamed.

        Returns:
            One line about a damaged file, or None.

        Raises:
            RunError: a weight is not finite; nothing is written.
            OSError: the file cannot be written; at least one earlier checkpoint is unchanged.
        """
        last, report = self.path / LAST, None
        damage = checkpoints.find_damage(last) if os.path.lexists(last) else None
        if damage is not None:
            report = f"{damage}; renamed to {set_aside(last).name}"
        checkpoints.save(last, checkpoint, backup=self.path / PREVIOUS)
        return report

    def save_best(self, checkpoint: Checkpoint) -> None:
        """Write ``best.chkpt``."""
        checkpoints.save(self.path / BEST, checkpoint)

    def save_numbered(self, number: int, checkpoint: Checkpoint) -> Path:
        """Write ``mario_net_<number>.chkpt`` and return its path."""
        file = self.path / f"mario_net_{number}.chkpt"
        checkpoints.save(file, checkpoint)
        return file

    def load_last(self) -> tuple[Checkpoint | None, list[str]]:
        """Load the newest undamaged checkpoint from which the run can be resumed.

        A damaged file that is skipped is renamed, so that it cannot replace an undamaged one
        later. If all are damaged, they keep their names.

        Returns:
            The checkpoint, or None if the run was stopped before its first save, and one line for
            each damaged file that was skipped.

        Raises:
            UsageError: there are checkpoints, but none is usable.
        """
        skipped: dict[Path, str] = {}
        for file in (self.path / LAST, self.path / PREVIOUS):
            try:
                checkpoint = checkpoints.load(file)
                if "resume" not in checkpoint:
                    raise CheckpointError(f"checkpoint {file} has no state to resume from")
            except CheckpointError as error:
                if os.path.lexists(file):
                    skipped[file] = str(error)
                continue
            return checkpoint, [
                f"{error}; renamed to {set_aside(damaged).name}, using {file.name} instead"
                for damaged, error in skipped.items()
            ]
        if skipped:
            reasons = "; ".join(skipped.values())
            raise UsageError(f"{reasons}; no usable checkpoint is left to resume from")
        if any(self.path.glob("mario_net_*.chkpt")):
            raise UsageError(
                f"{self.path} has lost its {LAST}, without which a run cannot be resumed; "
                "start a new run with --warm-start"
            )
        return None, []

    def discard(self) -> None:
        """Remove the folder of a run that failed to start."""
        shutil.rmtree(self.path, ignore_errors=True)

    def close(self) -> None:
        """Release the lock."""
        os.close(self._lock)

    def _acquire_lock(self) -> int:
        try:
            return lock_file(self.path / LOCK)
        except LockedError:
            raise locked_run(self.path) from None
        except OSError as error:
            raise UsageError(
                f"cannot write in {self.path}: {LOCK}: {error.strerror}; check its permissions"
            ) from None


def create_folder(save_dir: Path, now: datetime.datetime) -> Path:
    """Create the folder ``<save_dir>/<YYYY-MM-DDTHH-MM-SS>``.

    A number is appended to its name if the name is taken.

    Raises:
        UsageError: the folder cannot be created.
    """
    name = now.strftime("%Y-%m-%dT%H-%M-%S")
    for attempt in itertools.count(1):
        path = save_dir / (name if attempt == 1 else f"{name}-{attempt}")
        try:
            path.mkdir(parents=True)
        except FileExistsError:
            if not save_dir.is_dir():
                raise UsageError(
                    f"cannot make {path}: {save_dir} is a file; choose another --save-dir"
                ) from None
        except OSError as error:
            raise UsageError(
                f"cannot make {path}: {error.strerror}; choose another --save-dir"
            ) from None
        else:
            return path
    raise AssertionError("unreachable")


def _check_links(folder: Path) -> None:
    """Check that a run writes to no file outside its folder.

    Checkpoints, plots and the configuration are replaced, which does not follow links. The replay
    memory checks its own files.

    Raises:
        UsageError: a file that the run writes to is a link.
    """
    for name in (LOCK, *WRITTEN_IN_PLACE):
        file = folder / name
        if file.is_symlink() or (file.is_file() and file.stat().st_nlink > 1):
            raise UsageError(
                f"{file} is a link, and writing to it would change other files; replace it by a "
                "copy of its content"
            )


def _write_config(path: Path, config: dict[str, Any]) -> None:
    text = yaml.safe_dump(config, sort_keys=False).encode()
    write_atomically(path / CONFIG, lambda file: file.write(text))
