"""Publish a trained agent: write a small checkpoint, evaluate it and list it in a README.

    python scripts/publish_checkpoint.py RUN/best.chkpt checkpoints/mario-1-1.chkpt

The agent is evaluated like with `mario-eval`, with float32 and with float16 weights. The float16
weights are published if they clear as many episodes or, in a game without levels, if their mean
score is not significantly lower. The README.md in the folder of the published file receives a row.
An agent with teachers is evaluated in the game of each teacher, over all episodes in each.
"""

from __future__ import annotations

import math
import shlex
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import tyro

from mario.commands import cli
from mario.commands.train import read_flags
from mario.config.serialization import to_dict
from mario.distillation.prepare import FOLDER
from mario.errors import UsageError
from mario.evaluation.episodes import EpisodeResult
from mario.evaluation.evaluate import evaluate_agent
from mario.evaluation.summary import EvaluationSummary, summarize
from mario.runs.checkpoint import Checkpoint, load, save, to_float16
from mario.runs.run_folder import RunFolder
from mario.runs.trained_agent import load_agent
from mario.system.files import write_atomically

NAME = "publish_checkpoint"
COLUMNS = (
    "agent", "game", "preset", "seed", "steps", "hours", "hardware", "measured (95 % interval)",
    "command",
)  # fmt: skip
TABLE_HEADER = f"| {' | '.join(COLUMNS)} |"
TABLE_RULE = "|---|---|---|--:|--:|--:|---|---|---|"
ALWAYS_IN_COMMAND = ("preset", "agent", "game", "seed")
SCHEDULE_LENGTHS = ("episodes", "steps")
"""Other settings default to values that follow from these."""
NOT_IN_COMMAND = frozenset(
    {"device", "save_dir", "save_seconds", "save_every", "log_every", "tensorboard"}
    | {"diagnostics", "callback"}
)
"""Settings that do not influence what is learned."""


@dataclass(frozen=True)
class PublishFlags:
    """Flags of the script."""

    source: Annotated[Path, tyro.conf.Positional]
    """Checkpoint in the folder of its run."""
    destination: Annotated[Path, tyro.conf.Positional]
    """File to write; there must be a README.md in its folder."""
    episodes: int = 100
    """Number of episodes of the evaluation."""
    epsilon: float | None = None
    """Probability of a random action; None for the value of the evaluations during training."""
    float32: bool = False
    """Publish float32 weights."""


class Evaluation(NamedTuple):
    """An evaluation of a checkpoint: its episodes, sorted by seed, and their summary."""

    results: list[EpisodeResult]
    summary: EvaluationSummary


def publish(arguments: list[str]) -> int:
    """Publish a checkpoint.

    Args:
        arguments: Command line without the name of the script.

    Returns:
        The exit code.

    Raises:
        UsageError: float16 weights are worse, or the source cannot be published.
    """
    flags = cli.parse(NAME, PublishFlags, arguments, "Publish a trained agent.")
    readme = flags.destination.parent / "README.md"
    if not readme.is_file():
        raise UsageError(f"there is no {readme} for the table; publish into checkpoints/")
    checkpoint = load(flags.source)
    if "training" not in checkpoint:
        raise UsageError(
            f"{flags.source} does not say how it was trained; give a checkpoint of a newer run"
        )
    config = RunFolder.read_config(flags.source)
    checkpoint["training"] |= {"command": training_command(config)}
    evaluation = _evaluate(flags, flags.source, flags.epsilon)
    if not flags.float32:
        evaluation = _check_float16(flags, checkpoint, evaluation)
    checkpoint["evaluation"] = evaluation.summary.to_dict()
    _write(flags, checkpoint)
    row = table_row(flags.destination.name, checkpoint)
    text = insert_row(readme.read_text(encoding="utf-8"), row)
    write_atomically(readme, lambda file: file.write(text.encode()))
    size = flags.destination.stat().st_size / 1e6
    print(f"{flags.destination}, {size:.1f} MB: {_format_result(evaluation.summary)}")
    return 0


def training_command(config: dict[str, Any]) -> str:
    """Return the command that trains an agent again, without the flags that the preset implies.

    Args:
        config: Configuration of the run, see `mario.runs.run_folder.RunFolder.read_config`.
    """
    values = _flatten(config)
    words = [f"--{name}={config[name]}" for name in ALWAYS_IN_COMMAND if config[name] is not None]
    for names in (SCHEDULE_LENGTHS, values):
        defaults = _flatten(to_dict(read_flags(words)[0]))
        words += [
            word
            for name in names
            if name.split(".")[0] not in NOT_IN_COMMAND and values[name] != defaults.get(name)
            for word in _format_flag(name, values[name])
        ]
    return shlex.join(["mario-train", *words])


def table_row(name: str, checkpoint: Checkpoint) -> str:
    """Return the row of a published checkpoint in the table."""
    training = checkpoint["training"]
    evaluation = EvaluationSummary(**checkpoint["evaluation"])
    several = "" if evaluation.game == checkpoint["game"] else f" in {evaluation.game}"
    cells = (
        f"[`{name}`]({name})",
        checkpoint["game"],
        training["preset"],
        checkpoint["seed"],
        f"{checkpoint['steps']:,}",
        f"{training['seconds'] / 3600:.2f}",
        training["hardware"],
        f"{_format_result(evaluation)}{several}",
        f"`{training['command']}`",
    )
    return f"| {' | '.join(map(str, cells))} |"


def insert_row(text: str, row: str) -> str:
    """Return a Markdown text with a row in its table, sorted by name.

    The row replaces one of the same agent. A text without the table receives it at the end.
    """
    lines = text.splitlines()
    if TABLE_HEADER not in lines:
        lines += ["", TABLE_HEADER, TABLE_RULE]
    start = lines.index(TABLE_HEADER) + 2
    after = (index for index in range(start, len(lines)) if not lines[index].startswith("|"))
    end = next(after, len(lines))
    name = row.split("|")[1]
    others = [line for line in lines[start:end] if line.split("|")[1] != name]
    return "\n".join([*lines[:start], *sorted([*others, row]), *lines[end:]]) + "\n"


def mean_is_lower(after: Sequence[float], before: Sequence[float]) -> bool:
    """Return whether a mean is lower than another by more than two standard errors (Welch, 1947).

    Args:
        after: Samples of the mean that may be lower; at least one.
        before: Samples of the other mean; at least one.

    >>> mean_is_lower([4.0, 6.0, 7.0], before=[5.0, 6.0, 7.0])
    False
    >>> mean_is_lower([1.0, 2.0, 2.0], before=[5.0, 6.0, 7.0])
    True
    """
    standard_error = math.hypot(
        *(statistics.pstdev(values) / math.sqrt(len(values)) for values in (before, after))
    )
    return statistics.fmean(after) < statistics.fmean(before) - 2 * standard_error


def _check_float16(flags: PublishFlags, checkpoint: Checkpoint, float32: Evaluation) -> Evaluation:
    """Write and evaluate the float16 weights.

    Raises:
        UsageError: They are worse than the float32 weights.
    """
    _write(flags, checkpoint)
    float16 = _evaluate(flags, flags.destination, float32.summary.epsilon)
    pairs = zip(float16.results, float32.results, strict=True)
    num_equal = sum(one.actions == other.actions for one, other in pairs)
    print(f"float16: {num_equal} of {len(float16.results)} episodes have the same actions")
    if _is_worse(float16, float32):
        flags.destination.unlink()
        raise UsageError(
            f"float16: {_format_result(float16.summary)}; float32: "
            f"{_format_result(float32.summary)}; publish with --float32"
        )
    return float16


def _is_worse(after: Evaluation, before: Evaluation) -> bool:
    if before.summary.has_levels:
        return after.summary.clear_rate < before.summary.clear_rate
    scores = ([result.reward for result in evaluation.results] for evaluation in (after, before))
    return mean_is_lower(*scores)


def _evaluate(flags: PublishFlags, path: Path, epsilon: float | None) -> Evaluation:
    """Evaluate a checkpoint in its game, or in the games of the teachers of its run."""
    teachers = sorted((flags.source.parent / FOLDER).glob("*"))
    taught: list[str | None] = [load_agent(teacher).game for teacher in teachers]
    games = taught or [None]
    all_results: list[EpisodeResult] = []
    for game in games:
        trained = load_agent(path, game=game)
        results, summary = evaluate_agent(trained, flags.episodes, epsilon=epsilon)
        all_results += sorted(results, key=lambda result: result.seed)
    if teachers:
        summary = summarize(
            all_results, game=f"{len(games)} games", steps_trained=summary.steps_trained,
            emulator=summary.emulator, seed=summary.seed, epsilon=summary.epsilon,
        )  # fmt: skip
    return Evaluation(all_results, summary)


def _write(flags: PublishFlags, checkpoint: Checkpoint) -> None:
    published = {key: value for key, value in checkpoint.items() if key != "resume"}
    save(flags.destination, published if flags.float32 else to_float16(published))


def _format_result(summary: EvaluationSummary) -> str:
    random = f", {summary.epsilon:.0%} random actions" if summary.epsilon else ""
    if not summary.has_levels:
        low, high = summary.mean_return_ci95
        return (
            f"mean score {summary.mean_return:.1f} in {summary.episodes} episodes "
            f"({low:.1f} to {high:.1f}){random}"
        )
    low, high = summary.clear_rate_ci95
    clears = round(summary.clear_rate * summary.episodes)
    return f"{clears} of {summary.episodes} cleared ({low:.1%} to {high:.1%}){random}"


def _flatten(config: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return a configuration without nesting, e.g. ``{"hyper.gamma": 0.9}``."""
    flat: dict[str, Any] = {}
    for name, value in config.items():
        if isinstance(value, dict):
            flat |= _flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def _format_flag(name: str, value: Any) -> list[str]:
    """Return the words of a command-line flag."""
    *groups, last = name.replace("_", "-").split(".")
    if isinstance(value, bool):
        return ["--" + ".".join([*groups, last if value else f"no-{last}"])]
    values = value if isinstance(value, list) else [value]
    return ["--" + ".".join([*groups, last]), *map(str, values)]


if __name__ == "__main__":
    cli.run(NAME, lambda: publish(sys.argv[1:]))
