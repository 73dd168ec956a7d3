"""`mario-eval`: measure how well a trained agent plays."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from mario.commands import cli

if TYPE_CHECKING:
    from mario.evaluation import Evaluation, Played

NAME = "mario-eval"
DESCRIPTION = """Measure how well a trained agent plays: greedy episodes from random starts."""


@dataclass(frozen=True)
class EvalFlags:
    """What to measure."""

    checkpoint: Annotated[Path, tyro.conf.Positional]
    """The trained agent: a .chkpt file, of ours or of the tutorial's."""
    episodes: int = 100
    """Episodes to play."""
    noops: int = 30
    """Each episode starts with 0 to this many frames without a button, drawn at random."""
    json: bool = False
    """Print one JSON object and nothing else."""
    game: str | None = None
    """Play this game in place of the one that the agent was trained on."""
    agent: str | None = None
    """module:Class of the agent, if it is one of your own."""
    num_envs: int = 2
    """Games played at a time."""
    emulator: str = "auto"
    """Emulator behind NES games: auto, native or nes-py."""
    seed: int = 0
    """Seed of the random starts."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``mario-eval``."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    cli.run(NAME, lambda: evaluate(given))


def evaluate(arguments: Sequence[str]) -> int:
    """Evaluate as the flags say and print the figures.

    Returns:
        The exit code: 0, or 130 / 143 when a signal cut the evaluation short.
    """
    flags = cli.parse(NAME, EvalFlags, arguments, DESCRIPTION)
    # Imported here, so that a game's process, which imports the main program, stays small.
    from mario.build import make_games
    from mario.config import at_least
    from mario.evaluation import play_episodes, summarize
    from mario.signals import StopSignals
    from mario.trained import open_trained

    for name, least in (("episodes", 1), ("noops", 0), ("num_envs", 1), ("seed", 0)):
        at_least(f"--{name.replace('_', '-')}", getattr(flags, name), least)
    trained = open_trained(flags.checkpoint, game=flags.game, agent=flags.agent)
    games = make_games(
        trained.game, trained.actions, flags.emulator, trained.wrappers.with_noops(flags.noops),
        num_envs=min(flags.num_envs, flags.episodes), seed=flags.seed, report=_warn,
    )  # fmt: skip
    with StopSignals() as stop:
        try:
            agent = trained.make_agent(games, seed=flags.seed)
            show = (lambda played: None) if flags.json else _show
            played = play_episodes(
                agent, games, flags.episodes, on_episode=show, stop=lambda: bool(stop)
            )
        finally:
            games.close()
    if len(played) < flags.episodes:
        _warn(f"stopped after {len(played)} of {flags.episodes} episodes")
        return stop.exit_code
    emulator = str(games.metadata.get("emulator", flags.emulator))
    figures = summarize(
        played, game=trained.game, steps_trained=trained.steps, emulator=emulator, seed=flags.seed
    )
    print(json.dumps(figures.to_dict()) if flags.json else _table(figures))
    return 0


def _show(played: Played) -> None:
    place = "" if played.best_x is None else f" - Best X {played.best_x}"
    print(
        f"Reward {played.reward:.0f} - Length {played.length}{place} - Ended by {played.ended_by}"
    )


def _table(figures: Evaluation) -> str:
    low, high = figures.clear_rate_ci95
    rows = {
        "game": figures.game,
        "episodes": figures.episodes,
        "clear rate": f"{figures.clear_rate:.1%} (95 % interval {low:.1%} to {high:.1%})",
        "mean return": f"{figures.mean_return:.1f}",
        "mean x": figures.mean_x_pos,
        "max x": figures.max_x_pos,
        "median decisions to clear": figures.median_steps_to_clear,
        "deaths": len(figures.deaths),
        "decisions trained": f"{figures.steps_trained:,}",
        "emulator": figures.emulator,
        "seed": figures.seed,
    }
    return "\n".join(f"{name:>26}  {value}" for name, value in rows.items() if value is not None)


def _warn(line: str) -> None:
    print(line, file=sys.stderr)
