"""`mario-search`: find a play of a game by search with save-states."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from mario.commands import cli
from mario.config.validation import require_at_least
from mario.errors import UsageError
from mario.games.registry import find_game
from mario.system.announce import print_to_stderr
from mario.system.signals import StopSignals

if TYPE_CHECKING:
    from mario.search.explore import SearchProgress
    from mario.search.find import SearchOptions, SearchReport

    Found = tuple[str, SearchOptions, SearchReport]

NAME = "mario-search"
DESCRIPTION = """Find a play that reaches the goal of an NES game, by search with save-states.

No learning is involved. The play is polished, verified by replay from power-on, and written to a
file for mario-play. Without a goal, e.g. in Tetris, the best play within --length is written.
"""
NOOP_MAX = 30
POLISH_SECONDS = 600.0
"""Time in which a worker of a cluster must have polished what it found."""
REPORT_SECONDS = 2.0


@dataclass(frozen=True)
class SearchFlags:
    """The flags of ``mario-search``."""

    games: Annotated[
        tuple[str, ...],
        tyro.conf.Positional,
        tyro.conf.arg(metavar="GAME [GAME ...]", help_behavior_hint="(required)"),
    ]
    """Games to search, e.g. SuperMarioBros-1-1-v0."""
    out: Path | None = None
    """File of the play: OUT.demo, or OUT.fm2 for a movie of FCEUX; None for a name after the
    game. A folder for several games. With several starts, the number of no-ops is added to the
    name."""
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
    cluster: str | None = None
    """Make the searches on a Ray cluster: auto to start Ray on this machine, or HOST:PORT of its
    head."""
    workers: int | None = None
    """Workers of the cluster; None for as many as there are cores and searches for."""

    def __post_init__(self) -> None:
        if not self.games:
            raise UsageError("give the ID of a game, e.g. SuperMarioBros-1-1-v0")
        if self.workers is not None:
            require_at_least("--workers", self.workers, 1)
            if self.cluster is None:
                raise UsageError(f"--workers {self.workers} needs --cluster; add --cluster auto")
        for name, least in (("starts", 1), ("seed", 0), ("seconds", 0), ("length", 0), ("skip", 1)):
            require_at_least(f"--{name}", getattr(self, name), least)
        if self.starts > NOOP_MAX + 1:
            raise UsageError(f"--starts must be at most {NOOP_MAX + 1}, got {self.starts}")
        if self.out is not None:
            self._check_out(self.out)

    def _check_out(self, out: Path) -> None:
        if len(self.games) > 1:
            if not out.is_dir():
                raise UsageError(f"--out {out} must be a folder for several games; create it")
        elif out.suffix not in (".demo", ".fm2"):
            raise UsageError(f"--out {out} must end in .demo or .fm2")
        elif not out.parent.is_dir():
            raise UsageError(f"--out {out}: there is no folder {out.parent}; create it")


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
    for game in flags.games:
        find_game(game)
    make = _search_here if flags.cluster is None else _search_on_cluster
    failures = 0
    with StopSignals() as stop:
        for game, options, report in make(flags, _searches(flags), lambda: bool(stop)):
            failures += not (report.solved or flags.length)
            print(_summary(report, _write(flags, game, options, report)), flush=True)
            if stop:
                break
        if stop:
            return stop.exit_code
    return 1 if failures else 0


def _searches(flags: SearchFlags) -> list[tuple[str, SearchOptions]]:
    """Return the game and the options of each search."""
    from mario.games.actions import parse_actions
    from mario.search.find import SearchOptions

    actions = parse_actions(flags.actions)
    options = [
        SearchOptions(
            actions=() if actions is None else (actions,), seed=flags.seed + number,
            noops=number * NOOP_MAX // max(flags.starts - 1, 1), skip=flags.skip,
            max_length=flags.length, emulator=flags.emulator,
        )
        for number in range(flags.starts)
    ]  # fmt: skip
    return [(game, each) for game in flags.games for each in options]


def _search_here(
    flags: SearchFlags, searches: Sequence[tuple[str, SearchOptions]], stop: Callable[[], bool]
) -> Iterator[Found]:
    """Make the searches on this machine, one after another."""
    from mario.search.find import find_demonstration

    for game, options in searches:
        is_late = _timer(flags.seconds)
        report = find_demonstration(
            game, options, on_progress=_progress_printer(),
            should_stop=lambda is_late=is_late: stop() or is_late(),  # type: ignore[misc]
        )  # fmt: skip
        yield game, options, report


def _search_on_cluster(
    flags: SearchFlags, searches: Sequence[tuple[str, SearchOptions]], stop: Callable[[], bool]
) -> Iterator[Found]:
    """Make the searches on the workers of a cluster."""
    from mario.cluster.jobs.search import Search, search_on_fleet
    from mario.cluster.launch import job_fleet

    assert flags.cluster is not None
    jobs = [Search(game, options, flags.seconds) for game, options in searches]
    timeout = flags.seconds + POLISH_SECONDS
    with job_fleet(flags.cluster, flags.workers, jobs=len(jobs), timeout=timeout) as fleet:
        for search, report in search_on_fleet(jobs, fleet, report=print_to_stderr, stop=stop):
            yield search.game, search.options, report


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


def _write(flags: SearchFlags, game: str, options: SearchOptions, report: SearchReport) -> Path:
    """Write the play, and return the path of the file."""
    from mario.search.demonstration import save
    from mario.search.fm2 import SUFFIX, export_movie
    from mario.system.files import write_atomically

    path = Path(f"{game.replace('/', '-').replace(':', '-')}.demo")
    if flags.out is not None:
        path = flags.out / path if flags.out.is_dir() else flags.out
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
