"""`mario-eval`: measure how well a trained agent plays."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from mario.commands import cli

if TYPE_CHECKING:
    from mario.evaluation.episodes import EpisodeResult, Evaluation, LevelArea
    from mario.evaluation.level_survey import LevelSurvey
    from mario.runs.trained_agent import TrainedAgent

    Draw = Callable[[Evaluation, list[EpisodeResult]], None]

NAME = "mario-eval"
DESCRIPTION = """Measure how well a trained agent plays: greedy episodes, from all starts alike."""


@dataclass(frozen=True)
class EvalFlags:
    """What to measure."""

    checkpoint: Annotated[Path, tyro.conf.Positional]
    """The trained agent: a .chkpt file, of ours or of the tutorial's."""
    episodes: int = 100
    """Episodes to play."""
    noops: int = 30
    """Episodes start with 0 to this many frames without a button, with each number as often."""
    epsilon: float | None = None
    """Share of the decisions that are random; a few make every episode another one. None for as
    many as it was examined with in training, most often none."""
    json: bool = False
    """Print one JSON object and nothing else."""
    map: Path | None = None
    """Draw a map of the level with where Mario dies: OUT.png."""
    game: str | None = None
    """Play this game in place of the one that the agent was trained on."""
    agent: str | None = None
    """module:Class of the agent, if it is one of your own."""
    num_envs: int | None = None
    """Games played at a time; None for as many as is fastest."""
    emulator: str = "auto"
    """Emulator behind NES games: auto, native or nes-py."""
    seed: int = 0
    """Seed of what is drawn at random; also decides which starts come once more than others."""


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
    from mario.config.run_config import at_least, between_0_and_1
    from mario.evaluation.measure import measure
    from mario.runs.trained_agent import open_agent
    from mario.system.signals import StopSignals

    for name, least in (("episodes", 1), ("noops", 0), ("seed", 0), ("num_envs", 1)):
        if (value := getattr(flags, name)) is not None:
            at_least(f"--{name.replace('_', '-')}", value, least)
    if flags.epsilon is not None:
        between_0_and_1("--epsilon", flags.epsilon)
    trained = open_agent(flags.checkpoint, game=flags.game, agent=flags.agent)
    with ExitStack() as stack, StopSignals() as stop:
        draw = _open_map(flags, trained, stack)
        games = trained.make_vector_env(
            flags.emulator, episodes=flags.episodes, noops=flags.noops, num_envs=flags.num_envs,
            seed=flags.seed, report=_warn,
        )  # fmt: skip
        stack.callback(games.close)
        played, figures = measure(
            trained, games, flags.episodes, epsilon=flags.epsilon, seed=flags.seed,
            on_episode=_ignore if flags.json else _show, stop=lambda: bool(stop),
        )  # fmt: skip
        if len(played) < flags.episodes:
            _warn(f"stopped after {len(played)} of {flags.episodes} episodes")
            return stop.exit_code
        print(json.dumps(figures.told()) if flags.json else _table(figures))
        draw(figures, played)
        return 0


def _open_map(flags: EvalFlags, trained: TrainedAgent, stack: ExitStack) -> Draw:
    """What draws the map that was asked for, once there is something to draw.

    Raises:
        UsageError: there is no map of this game, or it cannot be drawn into that file.
    """
    from mario.errors import UsageError
    from mario.evaluation.level_map import draw_map
    from mario.evaluation.level_survey import SurveyRecorder, survey
    from mario.vector.make import make_env, parse_actions

    path = flags.map
    if path is None:
        return lambda figures, played: None
    if path.suffix != ".png":
        raise UsageError(f"--map draws a .png, got {path}; name it {path.with_suffix('.png')}")
    if not path.parent.is_dir():
        raise UsageError(f"--map {path}: there is no folder {path.parent}; make it first")
    surveys: dict[LevelArea, LevelSurvey] = {}
    env = make_env(
        trained.game, parse_actions(trained.actions), flags.emulator,
        trained.wrappers.with_noops(flags.noops), inner=partial(SurveyRecorder, surveys=surveys),
    )  # fmt: skip
    stack.callback(env.close)

    def draw(figures: Evaluation, played: list[EpisodeResult]) -> None:
        """Draw what was played."""
        survey(env, surveys, played)
        draw_map(path, figures, played, surveys)

    return draw


def _ignore(played: EpisodeResult) -> None:
    """Say nothing of an episode."""


def _show(played: EpisodeResult) -> None:
    place = "" if played.best_x is None else f" - Best X {played.best_x}"
    print(f"Reward {played.reward:.0f} - Length {played.length}{place} - Ended by {played.ending}")


def _table(figures: Evaluation) -> str:
    low, high = figures.clear_rate_ci95
    least, most = figures.mean_return_ci95
    rows = {
        "game": figures.game,
        "episodes": figures.episodes,
        "different episodes": figures.distinct_episodes,
        "clear rate": f"{figures.clear_rate:.1%} (95 % interval {low:.1%} to {high:.1%})"
        if figures.has_levels
        else None,
        "mean return": f"{figures.mean_return:.1f} (95 % interval {least:.1f} to {most:.1f})",
        "mean x": figures.mean_x_pos,
        "max x": figures.max_x_pos,
        "median decisions to clear": figures.median_steps_to_clear,
        "deaths": len(figures.deaths) if figures.has_levels else None,
        "decisions trained": f"{figures.steps_trained:,}",
        "emulator": figures.emulator,
        "seed": figures.seed,
        "random decisions": f"{figures.epsilon:.1%}" if figures.epsilon else None,
    }
    return "\n".join(f"{name:>26}  {value}" for name, value in rows.items() if value is not None)


def _warn(line: str) -> None:
    print(line, file=sys.stderr)
