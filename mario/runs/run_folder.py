"""The folder of one training run: made once, written by one trainer at a time, never lost."""

from __future__ import annotations

import datetime
import errno
import fcntl
import os
import shutil
from pathlib import Path
from typing import Any, Self

import yaml

from mario.errors import UsageError
from mario.runs import checkpoint as checkpoints
from mario.runs.checkpoint import Checkpoint, CheckpointError
from mario.system.files import keep_as, remove_leftovers, write_atomically

LAST, PREVIOUS, BEST, CONFIG, LOCK = (
    "last.chkpt", "previous.chkpt", "best.chkpt", "config.yaml", "lock",
)  # fmt: skip


class Run:
    """A run folder, locked against a second trainer for as long as this object is open."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = self._take_lock()
        remove_leftovers(folder)

    @classmethod
    def create(cls, save_dir: Path, config: dict[str, Any], now: datetime.datetime) -> Self:
        """Make a new folder ``<save_dir>/<YYYY-MM-DDTHH-MM-SS>`` and write ``config.yaml`` in it.

        Raises:
            UsageError: the folder cannot be made.
        """
        name = now.strftime("%Y-%m-%dT%H-%M-%S")
        for attempt in range(1, 100):
            folder = save_dir / (name if attempt == 1 else f"{name}-{attempt}")
            try:
                folder.mkdir(parents=True)
                break
            except FileExistsError:
                if not save_dir.is_dir():
                    raise UsageError(
                        f"cannot make {folder}: {save_dir} is a file; choose another --save-dir"
                    ) from None
            except OSError as error:
                raise UsageError(
                    f"cannot make {folder}: {error.strerror}; choose another --save-dir"
                ) from None
        try:
            _write_config(folder, config)
        except OSError as error:
            folder.rmdir()
            raise UsageError(
                f"cannot write in {folder}: {error.strerror}; choose another --save-dir"
            ) from None
        return cls(folder)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open the folder of an earlier run; a checkpoint in it may be named instead of it.

        Raises:
            UsageError: it is not the folder of a run, or another trainer is at work in it.
        """
        folder = folder.parent if folder.is_file() else folder
        if not (folder / CONFIG).is_file():
            raise _no_run(folder)
        return cls(folder)

    @staticmethod
    def read_config(folder: Path) -> dict[str, Any]:
        """The configuration that a run was started with, or last went on with.

        Raises:
            UsageError: it cannot be read.
        """
        folder = folder.parent if folder.is_file() else folder
        path = folder / CONFIG
        try:
            config = yaml.safe_load(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise _no_run(folder) from None
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            reason = getattr(error, "strerror", None) or "it is damaged"
            raise UsageError(f"cannot read {path}: {reason}; name a folder of a run") from None
        if not isinstance(config, dict):
            raise UsageError(f"cannot read {path}: it is not a configuration")
        return config

    def go_on_with(self, config: dict[str, Any]) -> None:
        """Write ``config.yaml`` anew: totals and the like may be others when a run is resumed.

        Raises:
            UsageError: it cannot be written.
        """
        try:
            _write_config(self.folder, config)
        except OSError as error:
            raise UsageError(f"cannot write in {self.folder}: {error.strerror}") from None

    def save_last(self, checkpoint: Checkpoint) -> None:
        """Write ``last.chkpt``; the one before it stays as ``previous.chkpt``."""
        keep_as(self.folder / LAST, self.folder / PREVIOUS)
        checkpoints.save(self.folder / LAST, checkpoint)

    def save_best(self, checkpoint: Checkpoint) -> None:
        """Write ``best.chkpt``."""
        checkpoints.save(self.folder / BEST, checkpoint)

    def save_numbered(self, number: int, checkpoint: Checkpoint) -> Path:
        """Write ``mario_net_<number>.chkpt``."""
        path = self.folder / f"mario_net_{number}.chkpt"
        checkpoints.save(path, checkpoint)
        return path

    def load_last(self) -> tuple[Checkpoint | None, list[str]]:
        """The newest checkpoint that is whole and can be resumed from.

        Returns:
            The checkpoint, or None for a run that was stopped before its first one; and a line on
            each file that had to be passed over.

        Raises:
            UsageError: there are checkpoints, but none is usable.
        """
        passed: list[str] = []
        candidates = [self.folder / name for name in (LAST, PREVIOUS)]
        for path in candidates:
            try:
                checkpoint = checkpoints.load(path)
                if "resume" not in checkpoint:
                    raise CheckpointError(f"checkpoint {path} has nothing to resume from")
            except CheckpointError as error:
                if path.exists():
                    passed.append(str(error))
                continue
            return checkpoint, passed
        if passed:
            raise UsageError(f"{'; '.join(passed)}; nothing good is left to resume from")
        if any(self.folder.glob("mario_net_*.chkpt")):
            raise UsageError(f"{self.folder} has lost its {LAST}; nothing is left to resume from")
        return None, []

    def discard(self) -> None:
        """Remove the folder of a run that could not begin."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def close(self) -> None:
        """Let another trainer use the folder."""
        os.close(self._lock)

    def _take_lock(self) -> int:
        path = self.folder / LOCK
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES) and path.exists():
                raise UsageError(
                    f"another trainer is at work in {self.folder}; stop it or name another run"
                ) from None
            raise UsageError(f"cannot write in {self.folder}: {error.strerror}") from None
        return descriptor


def _write_config(folder: Path, config: dict[str, Any]) -> None:
    text = yaml.safe_dump(config, sort_keys=False).encode()
    write_atomically(folder / CONFIG, lambda file: file.write(text))


def _no_run(folder: Path) -> UsageError:
    return UsageError(f"{folder} is not a run: it has no {CONFIG}; name the folder of a run")
