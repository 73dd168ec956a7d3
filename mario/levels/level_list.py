"""The folder of a list of levels: a run folder for each, and which of them are complete."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from mario.errors import UsageError
from mario.runs.file_kind import CONFIG, LEVELS, LOCK
from mario.runs.run_folder import RunFolder, create_folder
from mario.system.file_lock import LockedError, lock_file
from mario.system.files import remove_temporary_files, write_atomically

FORMAT = 1
MAX_BYTES = 1 << 20
MAX_TEXT = 500
MAX_PARALLEL = 1024
LOCK_SECONDS = 60.0
"""Time in which the processes of a list that was killed must have saved and ended."""


class Status(StrEnum):
    """What is known about the training of a level."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass
class LevelRun:
    """The training of one level.

    Attributes:
        game: ID of the game.
        path: run folder.
        status: see `Status`.
        reason: why it failed, in one line.
    """

    game: str
    path: Path
    status: Status = Status.WAITING
    reason: str = ""

    @property
    def game_flags(self) -> list[str]:
        """The flags that name a game of the user's own, as resuming its run requires."""
        return ["--game", self.game] if ":" in self.game else []


class LevelList:
    """The runs of a list, locked against other processes until it is closed.

    Args:
        path: folder of the list.
        runs: its runs.
        parallel: number of levels that are trained at the same time.
        threads: CPU threads of each run; None for a share of the cores.

    Attributes:
        path: the given folder.
        runs: the given runs.
        parallel: the given number.
        threads: the given number.
        lock: descriptor of the lock, which the processes of the runs inherit.

    Raises:
        UsageError: another process trains the list, or the folder is not writable.
    """

    def __init__(
        self, path: Path, runs: Sequence[LevelRun], parallel: int, threads: int | None
    ) -> None:
        self.path, self.runs = path, list(runs)
        self.parallel, self.threads = parallel, threads
        try:
            self.lock = lock_file(path / LOCK, LOCK_SECONDS)
        except LockedError:
            raise UsageError(f"another process is training {path}; stop it first") from None
        except OSError as error:
            raise UsageError(
                f"cannot write in {path}: {LOCK}: {error.strerror}; check its permissions"
            ) from None
        remove_temporary_files(path)

    @classmethod
    def create(
        cls,
        save_dir: Path,
        configs: Mapping[str, Mapping[str, Any]],
        *,
        parallel: int,
        threads: int | None,
    ) -> Self:
        """Create a folder with a run folder for each level that contains its ``config.yaml``.

        Args:
            save_dir: folder in which the folder of the list is created.
            configs: configuration of each run as plain values, by the ID of the game.
            parallel: see the class.
            threads: see the class.

        Raises:
            UsageError: a folder cannot be created or written.
        """
        path = create_folder(save_dir, datetime.datetime.now().astimezone())
        runs = []
        for game, config in configs.items():
            run = path / game.replace("/", "-").replace(":", "-")
            run.mkdir()
            RunFolder.prepare(run, dict(config))
            runs.append(LevelRun(game, run))
        levels = cls(path, runs, parallel, threads)
        levels.save()
        return levels

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open an earlier list. Levels that were being trained are waiting again.

        Raises:
            UsageError: the folder is not that of a list, or another process trains it.
        """
        # Locked before it is read, so that another process cannot change it in between.
        levels = cls(path, (), parallel=1, threads=None)
        try:
            state = _read_state(path)
        except UsageError:
            levels.close()
            raise
        levels.parallel, levels.threads = state["parallel"], state["threads"]
        for item in state["levels"]:
            run = LevelRun(item["game"], path / item["folder"], Status(item["status"]))
            run.reason = item["reason"]
            if run.status is Status.RUNNING:
                run.status = Status.WAITING
            levels.runs.append(run)
        return levels

    @property
    def unfinished(self) -> list[LevelRun]:
        """The runs that are not complete. One that has failed is tried again."""
        return [run for run in self.runs if run.status is not Status.COMPLETE]

    @property
    def failed(self) -> list[LevelRun]:
        """The runs that have failed."""
        return [run for run in self.runs if run.status is Status.FAILED]

    def update(self, run: LevelRun, status: Status, reason: str = "") -> None:
        """Set the status of a run, and write the state of the list.

        Raises:
            OSError: the disk is full or read-only; the earlier state is unchanged.
        """
        run.status, run.reason = status, reason[:MAX_TEXT]
        self.save()

    def save(self) -> None:
        """Write the state of the list atomically.

        Raises:
            OSError: see `update`.
        """
        levels = [
            {
                "game": run.game, "folder": run.path.name, "status": run.status.value,
                "reason": run.reason,
            }
            for run in self.runs
        ]  # fmt: skip
        state = {
            "format": FORMAT, "parallel": self.parallel, "threads": self.threads, "levels": levels,
        }  # fmt: skip
        text = json.dumps(state, indent=1) + "\n"
        write_atomically(self.path / LEVELS, lambda file: file.write(text.encode()))

    def close(self) -> None:
        """Release the lock."""
        os.close(self.lock)


def _read_state(path: Path) -> dict[str, Any]:
    """Read and check the state of a list.

    Raises:
        UsageError: there is none, or it is damaged.
    """
    file = path / LEVELS
    try:
        with open(file, "rb") as opened:
            state = json.loads(opened.read(MAX_BYTES))
    except OSError as error:
        raise UsageError(
            f"cannot read {file}: {error.strerror}; give the folder of a list"
        ) from None
    except (ValueError, RecursionError):
        raise UsageError(f"cannot read {file}: it is damaged; resume each run in {path}") from None
    if not _is_state(state):
        raise UsageError(f"cannot read {file}: it is damaged; resume each run in {path}")
    for item in state["levels"]:
        if not (path / item["folder"] / CONFIG).is_file():
            raise UsageError(f"{path / item['folder']} has no {CONFIG}; restore it from a backup")
    return dict(state)


def _is_state(state: object) -> bool:
    """Return whether a value is the state of a list."""
    return (
        isinstance(state, dict)
        and state.keys() == {"format", "parallel", "threads", "levels"}
        and state["format"] == FORMAT
        and _is_count(state["parallel"])
        and (state["threads"] is None or _is_count(state["threads"]))
        and isinstance(state["levels"], list)
        and all(map(_is_level, state["levels"]))
    )


def _is_count(value: object) -> bool:
    return type(value) is int and 1 <= value <= MAX_PARALLEL


def _is_level(item: object) -> bool:
    if not isinstance(item, dict) or item.keys() != {"game", "folder", "status", "reason"}:
        return False
    texts_are_short = all(isinstance(text, str) and len(text) <= MAX_TEXT for text in item.values())
    return (
        texts_are_short
        and item["status"] in list(Status)
        and item["folder"] not in ("", ".", "..")
        and "/" not in item["folder"]
    )
