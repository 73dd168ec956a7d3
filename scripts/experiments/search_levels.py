"""Find a demonstration of every level of Super Mario Bros. by search, and write the table of docs.

    python scripts/experiments/search_levels.py OUT DEMONSTRATIONS [--levels 1-1 5-3 ...]

Every level is searched from the start without no-ops, with seeds 0, 1, ... until one reaches the
flag. DEMONSTRATIONS receives ``<level>.demo``, each verified by replay from power-on under both
emulators. OUT receives ``levels.json`` and ``levels.md``. Levels in ``levels.json`` are not
searched again, so the command continues after an interruption.

The times are processor times: they add up over all cores, and do not depend on other programs.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mario.games.smb_levels import LEVELS
from mario.search.demonstration import save
from mario.search.find import SearchOptions, SearchReport, find_demonstration
from mario.search.replay import verify
from mario.system.files import write_atomically

MAX_STEPS = 800_000
"""Steps of a search before the next seed is tried."""

NUM_SEEDS = 6
EMULATORS = ("native", "nes-py")
HEADER = (
    "level | actions | seed | search steps | core-seconds | length | changes | margin "
    "| polished length | polished changes | polished margin | polishing, core-seconds"
)

Row = dict[str, Any]


def search_level(level: str, folder: Path, first_seed: int = 0) -> Row:
    """Search a level, save its demonstration and return its row of the table."""
    steps, seconds = 0, 0.0
    for seed in range(first_seed, first_seed + NUM_SEEDS):
        options = SearchOptions(seed=seed, max_steps=MAX_STEPS)
        report = find_demonstration(f"SuperMarioBros-{level}-v0", options)
        steps += report.search_steps
        seconds += report.core_seconds[0]
        if report.solved:
            path = folder / f"{level}.demo"
            for emulator in EMULATORS:
                verify(report.demonstration, path, emulator)
            save(path, report.demonstration)
            return _row(level, seed, steps, seconds, report)
    return {"level": level, "solved": False, "steps": steps, "seconds": round(seconds, 1)}


def _row(level: str, seed: int, steps: int, seconds: float, report: SearchReport) -> Row:
    return {
        "level": level,
        "solved": True,
        "actions": report.demonstration.actions,
        "seed": seed,
        "steps": steps,
        "seconds": round(seconds, 1),
        "found": asdict(report.found),
        "polished": asdict(report.polished),
        "polish_seconds": round(report.core_seconds[1], 1),
    }


def table(rows: Sequence[Row]) -> str:
    """Return the rows as a Markdown table, with a last line of totals."""
    columns = HEADER.count("|") + 1
    lines = [f"| {HEADER} |", "|" + "---|" * columns]
    for row in rows:
        if not row["solved"]:
            cells = [row["level"], "not cleared", "", f"{row['steps']:,}", row["seconds"]]
            cells += [""] * (columns - len(cells))
        else:
            found, polished = row["found"], row["polished"]
            cells = [row["level"], row["actions"], row["seed"], f"{row['steps']:,}", row["seconds"]]
            cells += [found["steps"], found["changes"], f"{found['margin']:.0%}"]
            cells += [polished["steps"], polished["changes"], f"{polished['margin']:.0%}"]
            cells += [row["polish_seconds"]]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    solved = sum(row["solved"] for row in rows)
    steps, seconds = sum(row["steps"] for row in rows), sum(row["seconds"] for row in rows)
    lines.append(f"\n{solved} of {len(rows)} levels, {steps:,} steps, {seconds:,.0f} core-seconds.")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Search the levels that are not in ``levels.json``, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("out", type=Path)
    parser.add_argument("demonstrations", type=Path)
    parser.add_argument("--levels", nargs="+", choices=LEVELS, default=LEVELS)
    parser.add_argument("--first-seed", type=int, default=0)
    arguments = parser.parse_args()
    for folder in (arguments.out, arguments.demonstrations):
        folder.mkdir(parents=True, exist_ok=True)
    results = arguments.out / "levels.json"
    rows = json.loads(results.read_text()) if results.exists() else []
    for level in arguments.levels:
        if level in [row["level"] for row in rows]:
            continue
        rows.append(search_level(level, arguments.demonstrations, arguments.first_seed))
        rows.sort(key=lambda row: LEVELS.index(row["level"]))
        print(rows[[row["level"] for row in rows].index(level)], flush=True)
        _write(results, json.dumps(rows, indent=1) + "\n")
        _write(arguments.out / "levels.md", table(rows))


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write(text.encode()))


if __name__ == "__main__":
    main()
