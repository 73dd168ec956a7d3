"""Evaluate one network in the games of several agents, beside those agents, and write a table.

    python scripts/experiments/evaluate_network.py OUT NETWORK AGENTS [--episodes 100]

AGENTS are the trained agents of the games. OUT is the folder of `evaluate_levels.py` with their
results in ``held-out.json``. The network is evaluated from the same starts, which no training in
this repository has used, without random actions and with 1 % and 3 %. OUT receives
``one-network.json`` and ``one-network.md``.

Evaluations in the JSON file are not repeated, so the command continues after an interruption.
Remove the file to evaluate another network.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path
from statistics import fmean
from typing import Any

from mario.errors import UsageError
from mario.evaluation import EvaluationSummary
from mario.runs.trained_agent import load_agent
from mario.system.files import write_atomically

sys.path.append(str(Path(__file__).parent))
from evaluate_levels import EPSILONS, HELD_OUT, evaluate

Summaries = dict[tuple[str, float], EvaluationSummary]
"""Evaluations by the ID of the game and the probability of a random action."""


def read_summaries(path: Path, episodes: int) -> Summaries:
    """Return the evaluations of a file that have the given number of episodes."""
    rows = json.loads(path.read_text()) if path.exists() else []
    summaries = [EvaluationSummary(**row["evaluation"]) for row in rows]
    return {
        (summary.game, summary.epsilon): summary
        for summary, row in zip(summaries, rows, strict=True)
        if row["episodes"] == episodes
    }


def format_table(experts: Mapping[tuple[str, float], EvaluationSummary], own: Summaries) -> str:
    """Return the clear rates as a Markdown table with one line for each game, and the means.

    Args:
        experts: evaluations of the agents.
        own: evaluations of the network.
    """
    epsilons = sorted({epsilon for _, epsilon in own})
    noises = [f"{epsilon:.0%} random" if epsilon else "no random actions" for epsilon in epsilons]
    columns = [f"{who}, {noise}" for noise in noises for who in ("agent of the level", "network")]
    lines = [f"| game | {' | '.join(columns)} |", f"|---|{'--:|' * len(columns)}"]
    games = sorted({game for game, _ in own})
    rates = [
        [
            summaries[game, epsilon].clear_rate if (game, epsilon) in summaries else None
            for epsilon in epsilons
            for summaries in (experts, own)
        ]
        for game in games
    ]
    for game, row in zip(games, rates, strict=True):
        lines.append(_line(game, row))
    known = [[rate for rate in column if rate is not None] for column in zip(*rates, strict=True)]
    lines.append(_line("mean", [fmean(column) if column else None for column in known]))
    return "\n".join(lines) + "\n"


def _line(name: str, rates: Sequence[float | None]) -> str:
    cells = ["-" if rate is None else f"{rate:.0%}" for rate in rates]
    return f"| {' | '.join([name, *cells])} |"


def _row(summary: EvaluationSummary) -> dict[str, Any]:
    episodes = summary.episodes + summary.crashed_episodes
    return {"episodes": episodes, "evaluation": summary.to_dict()}


def _write(path: Path, text: str) -> None:
    write_atomically(path, lambda file: file.write(text.encode()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the evaluations that are missing, and write the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the results")
    parser.add_argument("network", type=Path, help="checkpoint of the network")
    parser.add_argument("agents", type=Path, nargs="+", help="checkpoints of the agents")
    parser.add_argument("--episodes", type=int, default=100)
    options = parser.parse_args(arguments)
    experts = read_summaries(options.out / f"{HELD_OUT.name}.json", options.episodes)
    results, table = (options.out / f"one-network{suffix}" for suffix in (".json", ".md"))
    own = read_summaries(results, options.episodes)
    games = [load_agent(path).game for path in options.agents]
    if missing := [game for game in games if (game, EPSILONS[0]) not in experts]:
        raise UsageError(
            f"{options.out} has no evaluation of {missing[0]} over {options.episodes} episodes; "
            "run evaluate_levels.py with --held-out first"
        )
    for epsilon, game in product(EPSILONS, games):
        if (game, epsilon) in own:
            continue
        trained = load_agent(options.network, game=game)
        values = evaluate(trained, HELD_OUT, epsilon, options.episodes)
        own[game, epsilon] = EvaluationSummary(**values)
        rows = [_row(own[key]) for key in sorted(own)]
        _write(results, json.dumps(rows, indent=1) + "\n")
        _write(table, format_table(experts, own))
    print(table.read_text(), end="")


if __name__ == "__main__":
    main()
