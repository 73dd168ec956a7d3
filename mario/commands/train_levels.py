"""`mario-train --levels`: train a list of levels, or resume a list."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mario.config.validation import require_at_least, require_at_most
from mario.errors import UsageError
from mario.runs.file_kind import is_list
from mario.system.announce import counted
from mario.system.signals import StopLines, StopSignals

if TYPE_CHECKING:
    from mario.levels import LevelList

_print = partial(print, flush=True)


def read_list_flags(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]] | None:
    """Return the flags of a list and the others, or None if the command trains a single run.

    Args:
        arguments: the command line without the name of the command.

    Raises:
        UsageError: a flag has no value or an invalid one.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--levels", nargs="*")
    parser.add_argument("--parallel", type=_whole_number)
    parser.add_argument("--resume", type=Path)
    parser.add_argument("--cluster")
    parser.add_argument("--workers", type=_whole_number)
    parser.add_argument("--worker-timeout", type=_number, default=60.0)
    try:
        flags, others = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        reason = "needs a value" if "expected" in error.message else error.message
        raise UsageError(f"{error.argument_name} {reason}; see mario-train --help") from None
    resumes_list = flags.resume is not None and is_list(flags.resume)
    if flags.levels is None and not resumes_list:
        if flags.parallel is not None:
            raise UsageError(f"--parallel {flags.parallel} needs --levels; add --levels all")
        return None
    if flags.resume is not None and not resumes_list:
        raise UsageError(f"--resume {flags.resume} is not the folder of a list; omit --levels")
    _check(flags)
    return flags, others


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expects a whole number, got {text!r}") from None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expects a number, got {text!r}") from None


def _check(flags: argparse.Namespace) -> None:
    """Check the values of the flags of a list."""
    if flags.parallel is not None:
        require_at_least("--parallel", flags.parallel, 1)
        require_at_most("--parallel", flags.parallel, 1024, "no machine has more cores")
        if flags.cluster is not None:
            raise UsageError(
                f"--parallel {flags.parallel} does not go with --cluster; use --workers"
            )
    if flags.workers is not None:
        require_at_least("--workers", flags.workers, 1)
        if flags.cluster is None:
            raise UsageError(f"--workers {flags.workers} needs --cluster; add --cluster auto")
    require_at_least("--worker-timeout", flags.worker_timeout, 1)


def train_list(flags: argparse.Namespace, others: Sequence[str], read_flags: Any) -> int:
    """Train the levels of a new list, or those of an earlier one that are not complete.

    Args:
        flags: the flags of the list.
        others: the flags of each run.
        read_flags: `mario.commands.train.read_flags`.

    Returns:
        The exit code: 0, 1 if a level failed, or 130 / 143 if a signal stopped the list. All runs
        are saved first.

    Raises:
        UsageError: a flag is unknown or has an invalid value.
    """
    # Imported here, because worker processes import the main module and must start fast.
    from mario.levels import train_levels
    from mario.levels.progress import format_summary

    if flags.resume is None:
        levels, others = _create(flags, others, read_flags)
    else:
        levels = _open(flags, others, read_flags)
    num_levels = counted(len(levels.runs), "level")
    _print(f"list: {levels.path}, {len(levels.unfinished)} of {num_levels} to train")
    try:
        with StopSignals(_stop_lines(levels.path)) as stop:
            train = train_levels if flags.cluster is None else partial(_train_on_cluster, flags)
            train(levels, others, report=_print, stop=stop)
    finally:
        levels.close()
    _print(format_summary(levels))
    if levels.unfinished:
        _print(f"continue it with: mario-train --resume {levels.path}")
    return stop.exit_code or (1 if levels.failed else 0)


def _stop_lines(path: Path) -> StopLines:
    """Return the lines that are printed when a signal stops a list."""
    resume = f"continue it with: mario-train --resume {path}"
    return StopLines(
        starting=f"stopped before a level was trained; {resume}",
        stopping="stopping: all runs are saved; a second Ctrl-C ends the list without waiting",
        aborted=lambda: f"ended without waiting for the levels, which may not be saved; {resume}",
    )


def _train_on_cluster(
    flags: argparse.Namespace,
    levels: LevelList,
    others: Sequence[str],
    *,
    report: Callable[[str], None],
    stop: Callable[[], bool],
) -> None:
    """Train the levels that are not complete on the workers of a cluster."""
    from mario.cluster.jobs.level_training import LevelWorker, train_levels_on_fleet
    from mario.cluster.launch import job_fleet

    threads, jobs = levels.threads or 1, len(levels.unfinished)
    if not jobs:
        return
    with job_fleet(
        flags.cluster, flags.workers, jobs=jobs, make_worker=LevelWorker,
        timeout=flags.worker_timeout, cores=threads,
    ) as fleet:  # fmt: skip
        others = [*others, "--threads", str(threads)]
        train_levels_on_fleet(levels, others, fleet, report=report, stop=stop)


def _create(
    flags: argparse.Namespace, others: Sequence[str], read_flags: Any
) -> tuple[LevelList, list[str]]:
    """Create the folder of a list, and return it with the flags that its runs still need."""
    from mario.config.serialization import to_dict
    from mario.levels import LevelList
    from mario.levels.choice import demonstrated_actions, level_games

    if given := _values(others, "game"):
        raise UsageError(f"--game {given[0]} does not go with --levels; add it to the levels")
    has_actions, configs = bool(_values(others, "actions")), {}
    for game in level_games(flags.levels):
        config, _ = read_flags([*others, "--game", game])
        if not has_actions and (actions := demonstrated_actions(game)) is not None:
            _print(f"{game}: --actions {actions}, which its demonstration needs")
            config = dataclasses.replace(config, actions=actions)
        configs[game] = to_dict(config)
    levels = LevelList.create(
        config.save_dir, configs, parallel=flags.parallel or 1, threads=config.threads
    )
    own = [
        word
        for flag in ("agent", "callback")
        for value in _values(others, flag)
        for word in (f"--{flag}", value)
        if ":" in value
    ]
    return levels, own


def _open(flags: argparse.Namespace, others: Sequence[str], read_flags: Any) -> LevelList:
    """Open the list to resume, and check the flags with which its runs are resumed."""
    from mario.levels import LevelList

    levels = LevelList.open(flags.resume)
    try:
        own = [run.game for run in levels.runs if ":" in run.game]
        named = [] if flags.levels is None else flags.levels
        if missing := [game for game in own if game not in named]:
            raise UsageError(
                f"{levels.path} trains games of your own; add --levels {' '.join(missing)}"
            )
        if unknown := [game for game in named if game not in own]:
            raise UsageError(
                f"--levels {unknown[0]} cannot be added to {levels.path}; start a new list"
            )
        for run in levels.unfinished[:1]:
            read_flags(["--resume", str(run.path), *others, *run.game_flags])
    except UsageError:
        levels.close()
        raise
    levels.parallel = flags.parallel or levels.parallel
    return levels


def _values(arguments: Sequence[str], flag: str) -> list[str]:
    """Return all values of a flag with one value."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument(f"--{flag}", action="append", default=[])
    try:
        values: list[str] = getattr(parser.parse_known_args(arguments)[0], flag)
    except argparse.ArgumentError:
        raise UsageError(f"--{flag} needs a value; see mario-train --help") from None
    return values
