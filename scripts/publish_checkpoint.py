"""Ships a trained agent: a small file that plays, its score, and its row in the table beside it.

    python scripts/ship.py RUN/best.chkpt checkpoints/mario-1-1.chkpt

The agent plays as many episodes as `mario-eval` does, in half precision and in single; half ships
if it clears as many, or, where there are no levels, if it scores no less than chance explains. The
row goes into the README.md of the folder.
"""

from __future__ import annotations

import math
import shlex
import statistics
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from mario.commands import cli
from mario.commands.train import read_flags
from mario.config.serialization import to_dict
from mario.errors import UsageError
from mario.evaluation.episodes import EpisodeResult
from mario.evaluation.evaluate import evaluate_agent
from mario.evaluation.summary import EvaluationSummary
from mario.runs.checkpoint import Checkpoint, load, save, to_float16
from mario.runs.run_folder import RunFolder
from mario.runs.trained_agent import load_agent
from mario.system.files import write_atomically

HEADER = (
    "| agent | game | preset | seed | decisions | hours | hardware | measured "
    "(95 % interval) | command |"
)
RULE = "|---|---|---|--:|--:|--:|---|---|---|"
GIVEN = ("preset", "agent", "game", "seed")
TOTALS = ("episodes", "steps")
"""What schedules follow from, where they are not told."""
BESIDE_LEARNING = frozenset(
    {"device", "save_dir", "save_seconds", "save_every", "log_every", "tensorboard", "warnings"}
)
"""What a command to train it again need not say."""


@dataclass(frozen=True)
class ShipFlags:
    """What to ship, and how it is tested."""

    source: Annotated[Path, tyro.conf.Positional]
    """A checkpoint in the folder of its run."""
    destination: Annotated[Path, tyro.conf.Positional]
    """The file that ships, beside the README.md with the table."""
    episodes: int = 100
    """Episodes to play."""
    epsilon: float | None = None
    """Share of random decisions; None for as many as it was examined with in training."""
    single: bool = False
    """Keep the weights in single precision."""


def ship(arguments: list[str]) -> int:
    """Ship as the flags say.

    Returns:
        The exit code.

    Raises:
        UsageError: half precision costs clears or score, or the source cannot be shipped.
    """
    flags = cli.parse("ship", ShipFlags, arguments, "Ship a trained agent.")
    readme = flags.destination.parent / "README.md"
    if not readme.is_file():
        raise UsageError(f"there is no {readme} for the table; ship into checkpoints/")
    checkpoint = load(flags.source)
    if "training" not in checkpoint:
        raise UsageError(f"{flags.source} does not say how it was trained; name one of a newer run")
    config = RunFolder.read_config(flags.source)
    checkpoint["training"] |= {"command": command_of(config)}
    played, figures = _measured(flags.source, flags.episodes, flags.epsilon)
    if not flags.single:
        played, figures = _halve(flags, checkpoint, played, figures)
    checkpoint["evaluation"] = figures.to_dict()
    _write(flags, checkpoint)
    text = with_row(readme.read_text(encoding="utf-8"), row_of(flags.destination.name, checkpoint))
    write_atomically(readme, lambda file: file.write(text.encode()))
    size = flags.destination.stat().st_size / 1e6
    print(f"{flags.destination}, {size:.1f} MB: {_result(figures)}")
    return 0


def command_of(config: dict[str, Any]) -> str:
    """The command that trains an agent again: what it does not say is what its preset says.

    Args:
        config: of its run, see `mario.runs.run_folder.RunFolder.read_config`.
    """
    values = _flat(config)
    words = [f"--{name}={config[name]}" for name in GIVEN if config[name] is not None]
    for names in (TOTALS, values):
        base = _flat(to_dict(read_flags(words)[0]))
        words += [
            word
            for name in names
            if name.split(".")[0] not in BESIDE_LEARNING and values[name] != base.get(name)
            for word in _flag(name, values[name])
        ]
    return shlex.join(["mario-train", *words])


def row_of(name: str, checkpoint: Checkpoint) -> str:
    """The agent's row of the table."""
    training, figures = checkpoint["training"], EvaluationSummary(**checkpoint["evaluation"])
    cells = (
        f"[`{name}`]({name})",
        checkpoint["game"],
        training["preset"],
        checkpoint["seed"],
        f"{checkpoint['steps']:,}",
        f"{training['seconds'] / 3600:.2f}",
        training["hardware"],
        _result(figures),
        f"`{training['command']}`",
    )
    return f"| {' | '.join(map(str, cells))} |"


def with_row(text: str, row: str) -> str:
    """A text with the row in its table, in place of one of the same agent; rows are in order."""
    lines = text.splitlines()
    if HEADER not in lines:
        lines += ["", HEADER, RULE]
    first = lines.index(HEADER) + 2
    end = next((at for at in range(first, len(lines)) if not lines[at].startswith("|")), len(lines))
    name = row.split("|")[1]
    others = [line for line in lines[first:end] if line.split("|")[1] != name]
    return "\n".join([*lines[:first], *sorted([*others, row]), *lines[end:]]) + "\n"


def _halve(
    flags: ShipFlags, checkpoint: Checkpoint, single: list[EpisodeResult], before: EvaluationSummary
) -> tuple[list[EpisodeResult], EvaluationSummary]:
    _write(flags, checkpoint)
    played, after = _measured(flags.destination, flags.episodes, before.epsilon)
    alike = sum(one.actions == other.actions for one, other in zip(single, played, strict=True))
    print(f"half precision: {alike} of {len(played)} episodes are played alike to the last action")
    if _worse(single, before, played, after):
        flags.destination.unlink()
        raise UsageError(
            f"half precision: {_result(after)}; single: {_result(before)}; ship with --single"
        )
    return played, after


def _measured(
    path: Path, episodes: int, epsilon: float | None
) -> tuple[list[EpisodeResult], EvaluationSummary]:
    """The episodes by their seeds, and the figures."""
    trained = load_agent(path)
    with closing(trained.make_vector_env(episodes=episodes)) as games:
        played, figures = evaluate_agent(trained, games, episodes, epsilon=epsilon)
    return sorted(played, key=lambda each: each.seed), figures


def _write(flags: ShipFlags, checkpoint: Checkpoint) -> None:
    kept = {key: value for key, value in checkpoint.items() if key != "resume"}
    save(flags.destination, kept if flags.single else to_float16(kept))


def _worse(
    single: list[EpisodeResult],
    before: EvaluationSummary,
    half: list[EpisodeResult],
    after: EvaluationSummary,
) -> bool:
    if before.has_levels:
        return after.clear_rate < before.clear_rate
    scores = ([each.reward for each in played] for played in (single, half))
    return mean_falls(*scores)


def mean_falls(before: Sequence[float], after: Sequence[float]) -> bool:
    """Whether a mean is lower by more than two standard errors of the difference (Welch, 1947).

    Args:
        before: at least one number.
        after: the same.

    >>> mean_falls([5.0, 6.0, 7.0], [4.0, 6.0, 7.0]), mean_falls([5.0, 6.0, 7.0], [1.0, 2.0, 2.0])
    (False, True)
    """
    error = math.hypot(
        *(statistics.pstdev(each) / math.sqrt(len(each)) for each in (before, after))
    )
    return statistics.fmean(after) < statistics.fmean(before) - 2 * error


def _result(figures: EvaluationSummary) -> str:
    random = f", {figures.epsilon:.0%} of the decisions random" if figures.epsilon else ""
    if not figures.has_levels:
        low, high = figures.mean_return_ci95
        return (
            f"mean score {figures.mean_return:.1f} in {figures.episodes} episodes "
            f"({low:.1f} to {high:.1f}){random}"
        )
    low, high = figures.clear_rate_ci95
    clears = round(figures.clear_rate * figures.episodes)
    return f"{clears} of {figures.episodes} cleared ({low:.1%} to {high:.1%}){random}"


def _flat(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A configuration without nesting: ``{"hyper.gamma": 0.9}``."""
    found: dict[str, Any] = {}
    for name, value in config.items():
        nested = isinstance(value, dict)
        found |= _flat(value, f"{prefix}{name}.") if nested else {f"{prefix}{name}": value}
    return found


def _flag(name: str, value: Any) -> list[str]:
    """The words of a flag as the command line takes them."""
    *where, last = name.replace("_", "-").split(".")
    if isinstance(value, bool):
        return ["--" + ".".join([*where, last if value else f"no-{last}"])]
    values = value if isinstance(value, list) else [value]
    return ["--" + ".".join([*where, last]), *map(str, values)]


if __name__ == "__main__":
    cli.run("ship", lambda: ship(sys.argv[1:]))
