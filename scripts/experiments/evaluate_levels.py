"""Evaluate the agents of a folder with and without random actions, and write a table for docs.

    python scripts/experiments/evaluate_levels.py OUT AGENTS [--held-out] [--episodes 100]

AGENTS are checkpoints of games with levels, or folders of them. Each is evaluated greedily without
random actions and with 1 % and 3 %. Episodes start after 0 to 30 frames without buttons, each
number equally often, or with ``--held-out`` after 300 to 399, which no training in this repository
has used. OUT receives ``levels.json`` and ``levels.md``, or ``held-out.json`` and ``held-out.md``.

Evaluations in the JSON file are not repeated, so the command continues after an interruption.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mario.errors import UsageError
from mario.evaluation import EvaluationSummary, evaluate_agent
from mario.runs.trained_agent import TrainedAgent, load_agent
from mario.system.files import write_atomically

EPSILONS = (0.0, 0.01, 0.03)
"""Probabilities of a random action."""


@dataclass(frozen=True)
class Starts:
    """Where the episodes start.

    Attributes:
        name: name of the files with the results.
        first: smallest number of no-op frames.
        last: greatest number of no-op frames.
        seed: seed of the evaluation, a multiple of the number of starts, so that the first episode
            starts after `first` no-op frames. Runs evaluate with 1,000,000,007 plus a small seed.
    """

    name: str
    first: int
    last: int
    seed: int


TRAINED = Starts("levels", 0, 30, seed=6_999_986)
HELD_OUT = Starts("held-out", 300, 399, seed=7_000_300)


def evaluate(trained: TrainedAgent, starts: Starts, epsilon: float, episodes: int) -> Any:
    """Return the statistics of one evaluation.

    Args:
        trained: the agent.
        starts: the starts of the episodes.
        epsilon: probability of a random action.
        episodes: number of episodes.
    """
    envs = trained.make_vector_env(
        episodes=episodes, noop_min=starts.first, noop_max=starts.last, seed=starts.seed
    )
    try:
        _, summary = evaluate_agent(trained, episodes, envs=envs, epsilon=epsilon, seed=starts.seed)
    finally:
        envs.close()
    return summary.to_dict()


def format_table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the evaluations as a Markdown table with one line for each agent."""
    by_agent: dict[str, dict[float, EvaluationSummary]] = {}
    for row in rows:
        evaluations = by_agent.setdefault(row["agent"], {})
        evaluations[row["epsilon"]] = EvaluationSummary(**row["evaluation"])
    noises = ["no random actions", *(f"{epsilon:.0%} random" for epsilon in EPSILONS[1:])]
    columns = ["agent", "game", "steps trained", *noises]
    lines = [f"| {' | '.join(columns)} |", f"|---|---|--:|{'---|' * len(noises)}"]
    for agent, evaluations in by_agent.items():
        first = next(iter(evaluations.values()))
        cells = [_format(evaluations[epsilon]) for epsilon in EPSILONS if epsilon in evaluations]
        lines.append(f"| {' | '.join([agent, first.game, f'{first.steps_trained:,}', *cells])} |")
    return "\n".join(lines) + "\n"


def _format(summary: EvaluationSummary) -> str:
    """Return the clear rate, its interval, and the number of distinct episodes."""
    low, high = (f"{bound:.0%}" for bound in summary.clear_rate_ci95)
    return f"{summary.clear_rate:.0%} ({low} to {high}; {summary.distinct_episodes} distinct)"


def find_agents(paths: Iterable[Path]) -> list[Path]:
    """Return the checkpoints, and those of each folder, sorted by name.

    Raises:
        UsageError: there are none.
    """
    files = [
        file
        for path in paths
        for file in (sorted(path.glob("*.chkpt")) if path.is_dir() else [path])
    ]
    if not files:
        raise UsageError("there are no agents to evaluate; give .chkpt files or their folder")
    return files


def write_text(path: Path, text: str) -> None:
    """Write a file atomically."""
    write_atomically(path, lambda file: file.write(text.encode()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the evaluations that are missing, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the results")
    parser.add_argument("agents", type=Path, nargs="+", help="checkpoints or folders of them")
    parser.add_argument("--held-out", action="store_true", help="start after 300 to 399 no-ops")
    parser.add_argument("--episodes", type=int, default=100)
    options = parser.parse_args(arguments)
    starts = HELD_OUT if options.held_out else TRAINED
    if not 1 <= options.episodes <= 100:
        parser.error(f"--episodes must be between 1 and 100, got {options.episodes}")
    options.out.mkdir(parents=True, exist_ok=True)
    results, table = (options.out / f"{starts.name}{suffix}" for suffix in (".json", ".md"))
    rows = json.loads(results.read_text()) if results.exists() else []
    known = {(row["agent"], row["epsilon"], row["episodes"]) for row in rows}
    for file in find_agents(options.agents):
        trained = load_agent(file)
        for epsilon in EPSILONS:
            if (file.stem, epsilon, options.episodes) in known:
                continue
            row = {"agent": file.stem, "epsilon": epsilon, "episodes": options.episodes}
            row["evaluation"] = evaluate(trained, starts, epsilon, options.episodes)
            rows = sorted([*rows, row], key=lambda each: (each["agent"], each["epsilon"]))
            write_text(results, json.dumps(rows, indent=1) + "\n")
            write_text(table, format_table(rows))
    print(table.read_text(), end="")


if __name__ == "__main__":
    main()
