"""`mario-search`: find a play of a game by search with save-states."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from mario.commands import cli
from mario.config.validation import require_at_least
from mario.errors import UsageError
from mario.system.signals import StopSignals

if TYPE_CHECKING:
    from mario.search.explore import SearchProgress
    from mario.search.find import SearchOptions, SearchReport

NAME = "mario-search"
DESCRIPTION = """Find a play that reaches the goal of an NES game, by search with save-states.

No learning is involved. The play is polished, verified by replay from power-on, and written to a
file for mario-play. Without a goal, e.g. in Tetris, the best play within --length is written.
"""
NOOP_MAX = 30
REPORT_SECONDS = 2.0


@dataclass(frozen=True)
class SearchFlags:
    """The flags of ``mario-search``."""

    game: Annotated[str, tyro.conf.Positional]
    """Game to search, e.g. SuperMarioBros-1-1-v0."""
    out: Path | None = None
    """File of the play: OUT.demo, or OUT.fm2 for a movie of FCEUX; None for a name after the
    game. With several starts, the number of no-ops is added to the name."""
    starts: int = 1
    """Number of starts to search from. They differ in the number of no-op frames, 0 to 30."""
    seed: int = 0
    """Seed of the search. The same seed finds the same play."""
    seconds: float = 600.0
    """Maximum time to search from each start."""
    length: int = 0
    """Maximum length of the play in steps; 0 for no limit. Required by games without a goal."""
    actions: str | None = None
    """Action set: tutorial, right-only, simple, complex, or lists of buttons as JSON. None to try
    the sets of the game, the smallest first."""
    skip: int = 4
    """Frames per step."""
    emulator: str = "auto"
    """Emulator: auto or native."""

    def __post_init__(self) -> None:
        for name, least in (("starts", 1), ("seed", 0), ("seconds", 0), ("length", 0), ("skip", 1)):
            require_at_least(f"--{name}", getattr(self, name), least)
        if self.starts > NOOP_MAX + 1:
            raise UsageError(f"--starts must be at most {NOOP_MAX + 1}, got {self.starts}")
        if self.out is not None and self.out.suffix not in (".demo", ".fm2"):
            raise UsageError(f"--out {self.out} must end in .demo or .fm2")
        if self.out is not None and not self.out.parent.is_dir():
            raise UsageError(f"--out {self.out}: there is no folder {self.out.parent}; create it")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``mario-search``."""
    cli.start(NAME, search, arguments)


def search(arguments: Sequence[str]) -> int:
    """Search a game as the command line specifies.

    Args:
        arguments: the command line without the name of the command.

    Returns:
        The exit code: 0, 1 if a goal was not reached, or 130 / 143 after a signal.
    """
    flags = cli.parse(NAME, SearchFlags, arguments, DESCRIPTION)
    from mario.games.actions import parse_actions
    from mario.search.find import SearchOptions, find_demonstration

    actions = parse_actions(flags.actions)
    failures = 0
    with StopSignals() as stop:
        for number in range(flags.starts):
            options = SearchOptions(
                actions=() if actions is None else (actions,), seed=flags.seed + number,
                noops=number * NOOP_MAX // max(flags.starts - 1, 1), skip=flags.skip,
                max_length=flags.length, emulator=flags.emulator,
            )  # fmt: skip
            is_late = _timer(flags.seconds)
            report = find_demonstration(
                flags.game, options, on_progress=_progress_printer(),
                should_stop=lambda is_late=is_late: bool(stop) or is_late(),  # type: ignore[misc]
            )  # fmt: skip
            failures += not (report.solved or flags.length)
            print(_summary(report, _write(flags, options, report)))
            if stop:
                return stop.exit_code
    return 1 if failures else 0


def _timer(seconds: float) -> Callable[[], bool]:
    """Return a function that returns whether a number of seconds has passed since this call."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() > end


def _progress_printer() -> Callable[[SearchProgress], None]:
    """Return a function that prints the progress now and then."""
    started = last = time.monotonic()

    def print_progress(progress: SearchProgress) -> None:
        """Print a line if the last one is old enough."""
        nonlocal last
        now = time.monotonic()
        if now - last >= REPORT_SECONDS:
            last = now
            print(
                f"{progress.actions}: {progress.cells:,} cells - best {progress.objective:,.0f}"
                f" - {progress.steps:,} steps - {progress.steps / (now - started):,.0f} steps/s",
                file=sys.stderr,
            )

    return print_progress


def _write(flags: SearchFlags, options: SearchOptions, report: SearchReport) -> Path:
    """Write the play, and return the path of the file."""
    from mario.search.demonstration import save
    from mario.search.fm2 import SUFFIX, export_movie
    from mario.system.files import write_atomically

    path = flags.out or Path(f"{flags.game.replace('/', '-').replace(':', '-')}.demo")
    if flags.starts > 1:
        path = path.with_stem(f"{path.stem}-noops{options.noops}")
    if path.suffix == SUFFIX:
        movie = export_movie(report.demonstration).encode()
        write_atomically(path, lambda file: file.write(movie))
    else:
        save(path, report.demonstration)
    return path


def _summary(report: SearchReport, path: Path) -> str:
    demonstration, found, polished = report.demonstration, report.found, report.polished
    outcome = f"ended by {demonstration.ending}" if report.solved else "did not reach the goal"
    return (
        f"{path}: {outcome}, best {report.objective:,.0f} - actions {demonstration.actions}"
        f" - found after {report.search_steps:,} steps in {report.core_seconds[0]:.1f} core-seconds"
        f" - {found.steps} steps with {found.changes} changes of buttons,"
        f" polished to {polished.steps} with {polished.changes}"
    )
