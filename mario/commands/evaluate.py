"""`mario-eval`: evaluate a trained agent."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from mario.commands import cli
from mario.config.agent_names import check_agent
from mario.config.env_config import NOOP_LIMIT, Device, EmulatorName
from mario.config.validation import require_at_least, require_at_most, require_probability
from mario.errors import UsageError
from mario.games.registry import find_game
from mario.runs.file_kind import check_is_archive
from mario.system.announce import announced, counted, print_to_stderr
from mario.system.signals import StopSignals

if TYPE_CHECKING:
    from mario.evaluation.episodes import EpisodeResult, LevelArea
    from mario.evaluation.level_survey import LevelSurvey
    from mario.evaluation.summary import EvaluationSummary
    from mario.runs.trained_agent import TrainedAgent

    DrawMap = Callable[[EvaluationSummary, list[EpisodeResult]], None]

NAME = "mario-eval"
DESCRIPTION = """Evaluate a trained agent: play episodes with the greedy policy, print statistics.

Each episode starts after another number of no-op frames, because all episodes of a deterministic
game would be the same otherwise.
"""


@dataclass(frozen=True)
class EvalFlags:
    """The flags of ``mario-eval``."""

    checkpoint: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="CHECKPOINT")]
    """Checkpoint of the agent: a .chkpt file of mario-train or of the PyTorch tutorial."""
    episodes: int = 100
    """Number of episodes."""
    noop_max: int = 30
    """Each episode starts with --noop-min to this many no-op frames. The numbers of no-ops are
    spread evenly over the episodes."""
    noop_min: int = 0
    """Minimum number of no-op frames, for starts that training never used. NES games only."""
    epsilon: float | None = None
    """Probability of a random action in each step. Makes the episodes of a deterministic game
    differ. None for the value of the evaluations during training, which is usually 0."""
    json: bool = False
    """Print one JSON object and nothing else."""
    map: Path | None = None
    """Draw a map of the level that shows where Mario died, as this .png file."""
    figures: Path | None = None
    """Write images of observations, first-layer filters and feature maps into this folder."""
    game: str | None = None
    """Game to play; None for the game that the agent was trained on."""
    agent: str | None = None
    """module:Class of the agent. Required for an agent of your own."""
    num_envs: int | None = None
    """Number of environments that run in parallel; None for the number that runs fastest."""
    repeat_action_probability: float = 0.0
    """Probability, in each frame, of repeating the previous frame's action (sticky actions). 0.25
    is common for Atari games."""
    policy: Literal["greedy", "sampled"] | None = None
    """Take the most probable action, or draw one from the probabilities of ppo or reinforce. None
    for the setting of the agent. Drawn actions depend on --num-envs."""
    device: Device = "cpu"
    """Device of the network; auto uses a GPU if there is one. On the CPU, results do not depend on
    the hardware."""
    emulator: EmulatorName = "auto"
    """Emulator of NES games; auto prefers the native one."""
    seed: int = 0
    """Seed of the starts and of the random actions."""
    cluster: str | None = None
    """Spread the episodes over a Ray cluster: auto to start Ray on this machine, or HOST:PORT of
    its head."""
    workers: int | None = None
    """Workers of the cluster; None for as many as it has cores."""

    def __post_init__(self) -> None:
        require_at_least("--episodes", self.episodes, 1)
        require_at_least("--noop-min", self.noop_min, 0)
        require_at_least("--noop-max", self.noop_max, self.noop_min)
        require_at_least("--seed", self.seed, 0)
        require_at_most("--episodes", self.episodes, 1_000_000, "it would never end")
        require_at_most("--noop-max", self.noop_max, *NOOP_LIMIT)
        require_at_most("--seed", self.seed, 2**62, "random generators have 64-bit seeds")
        if self.num_envs is not None:
            require_at_least("--num-envs", self.num_envs, 1)
            require_at_most("--num-envs", self.num_envs, 1024, "more are not faster")
        if self.workers is not None:
            require_at_least("--workers", self.workers, 1)
            if self.cluster is None:
                raise UsageError(f"--workers {self.workers} needs --cluster; add --cluster auto")
        if self.epsilon is not None:
            require_probability("--epsilon", self.epsilon)
        require_probability("--repeat-action-probability", self.repeat_action_probability)
        if self.map is not None:
            _check_map(self.map)
        if self.figures is not None and self.figures.exists() and not self.figures.is_dir():
            raise UsageError(f"--figures {self.figures} is a file; give a folder")


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``mario-eval``."""
    cli.start(NAME, evaluate, arguments)


def evaluate(arguments: Sequence[str]) -> int:
    """Evaluate an agent and print the statistics.

    Args:
        arguments: the command line without the name of the command.

    Returns:
        The exit code: 0, or 130 / 143 if a signal stopped the evaluation.
    """
    flags = cli.parse(NAME, EvalFlags, arguments, DESCRIPTION)
    if flags.game is not None:
        find_game(flags.game)  # before the slow imports, as the other checks
    if flags.agent is not None:
        check_agent(flags.agent)
    check_is_archive(flags.checkpoint)
    with announced(cli.LOADING):
        # Imported here, because worker processes import the main module and must not import torch.
        from mario.runs.trained_agent import load_agent

    trained = load_agent(
        flags.checkpoint, game=flags.game, agent=flags.agent, device=flags.device
    ).with_options(flags.repeat_action_probability, flags.policy)
    with ExitStack() as stack, StopSignals() as stop:
        draw_map = _prepare_map(flags, trained, stack)
        play = _play_locally if flags.cluster is None else _play_on_cluster
        results, summary = play(flags, trained, stack, lambda: bool(stop))
        if len(results) < flags.episodes:
            print_to_stderr(f"stopped after {len(results)} of {counted(flags.episodes, 'episode')}")
            return stop.exit_code
        print(json.dumps(summary.report()) if flags.json else _table(summary))
        draw_map(summary, results)
        if flags.map is not None and not flags.json:
            print(f"{'map':>22}  {flags.map}")
        if flags.figures is not None:
            _write_figures(flags, trained, flags.figures)
        return 0


def _play_locally(
    flags: EvalFlags, trained: TrainedAgent, stack: ExitStack, stop: Callable[[], bool]
) -> tuple[list[EpisodeResult], EvaluationSummary]:
    """Play the episodes on this machine."""
    from mario.evaluation.evaluate import evaluate_agent

    print_episode = _episode_printer(flags)
    envs = trained.make_vector_env(
        flags.emulator, episodes=flags.episodes, noop_max=flags.noop_max,
        noop_min=flags.noop_min, num_envs=flags.num_envs, seed=flags.seed, report=print_to_stderr,
    )  # fmt: skip
    stack.callback(envs.close)
    return evaluate_agent(
        trained, flags.episodes, envs=envs, epsilon=flags.epsilon, seed=flags.seed,
        on_episode=print_episode, stop=stop,
    )  # fmt: skip


def _play_on_cluster(
    flags: EvalFlags, trained: TrainedAgent, stack: ExitStack, stop: Callable[[], bool]
) -> tuple[list[EpisodeResult], EvaluationSummary]:
    """Play the episodes on the workers of a cluster."""
    from mario.cluster.jobs.evaluation import EvaluationPlan, evaluate_on_fleet
    from mario.cluster.launch import job_fleet

    epsilon = trained.epsilon if flags.epsilon is None else flags.epsilon
    plan = EvaluationPlan(
        flags.episodes,
        flags.noop_max,
        epsilon,
        flags.seed,
        flags.emulator,
        flags.num_envs,
        flags.noop_min,
    )
    assert flags.cluster is not None
    fleet = stack.enter_context(job_fleet(flags.cluster, flags.workers, jobs=flags.episodes))
    return evaluate_on_fleet(
        trained, plan, fleet, on_episode=_episode_printer(flags), report=print_to_stderr, stop=stop,
    )  # fmt: skip


def _check_map(path: Path) -> None:
    if path.suffix != ".png":
        raise UsageError(f"--map {path} must be a .png file; use {path.with_suffix('.png')}")
    if not path.parent.is_dir():
        raise UsageError(f"--map {path}: folder {path.parent} does not exist; create it first")


def _prepare_map(flags: EvalFlags, trained: TrainedAgent, stack: ExitStack) -> DrawMap:
    """Return a function that draws the map, or does nothing without ``--map``.

    Raises:
        UsageError: the game has no maps.
    """
    path = flags.map
    if path is None:
        return lambda summary, results: None
    from mario.evaluation.level_map import draw_map
    from mario.evaluation.level_survey import SurveyRecorder, survey_levels

    surveys: dict[LevelArea, LevelSurvey] = {}
    recorder = partial(SurveyRecorder, surveys=surveys)
    env = trained.make_env(flags.emulator, noop_max=flags.noop_max, inner=recorder)
    stack.callback(env.close)

    def draw(summary: EvaluationSummary, results: list[EpisodeResult]) -> None:
        """Survey the levels of the recorded episodes and write the map."""
        survey_levels(env, surveys, results)
        draw_map(path, summary, results, surveys)

    return draw


def _write_figures(flags: EvalFlags, trained: TrainedAgent, folder: Path) -> None:
    """Play until there are enough observations, and write the images."""
    from mario.evaluation.figures import collect_states, write_figures

    with contextlib.closing(trained.make_env(flags.emulator, noop_max=flags.noop_max)) as env:
        agent = trained.make_agent(env, seed=flags.seed)
        states = collect_states(agent, env, seed=flags.seed)
    write_figures(folder, agent, states, report=print_to_stderr if flags.json else print)


def _episode_printer(flags: EvalFlags) -> Callable[[EpisodeResult], None]:
    """Return a function that prints a line per episode, or nothing with ``--json``."""
    if flags.json:
        return lambda result: None
    numbers = itertools.count(1)
    print(f"playing {counted(flags.episodes, 'episode')} ...", flush=True)

    def print_episode(result: EpisodeResult) -> None:
        """Print the result of an episode."""
        best_x = "" if result.best_x is None else f" - Best X {result.best_x}"
        print(
            f"Episode {next(numbers)} of {flags.episodes} - Reward {result.reward:.0f} - "
            f"Length {result.length}{best_x} - Ended by {result.ending}"
        )

    return print_episode


def _table(summary: EvaluationSummary) -> str:
    clear_rate = f"{summary.clear_rate:.1%}", [f"{x:.1%}" for x in summary.clear_rate_ci95]
    mean_return = f"{summary.mean_return:.1f}", [f"{x:.1f}" for x in summary.mean_return_ci95]
    crashed, median = summary.crashed_episodes, summary.median_steps_to_clear
    sticky = summary.repeat_action_probability
    rows = {
        "game": summary.game,
        "episodes": summary.episodes,
        "distinct episodes": f"{summary.distinct_episodes} (the sample size of the intervals)",
        "crashed episodes": f"{crashed} (not counted)" if crashed else None,
        "clear rate": _with_interval(*clear_rate) if summary.has_levels else None,
        "mean return": _with_interval(*mean_return),
        "mean x": None if summary.mean_x_pos is None else f"{summary.mean_x_pos:.0f}",
        "max x": summary.max_x_pos,
        "median steps to clear": None if median is None else f"{median:.0f}",
        "deaths": len(summary.deaths) if summary.has_levels else None,
        "steps trained": f"{summary.steps_trained:,}",
        "emulator": summary.emulator,
        "seed": summary.seed,
        "random actions": f"{summary.epsilon:.1%}" if summary.epsilon else None,
        "sticky actions": f"{sticky:.1%} of the frames" if sticky else None,
    }
    return "\n".join(f"{name:>22}  {value}" for name, value in rows.items() if value is not None)


def _with_interval(value: str, bounds: Sequence[str]) -> str:
    return f"{value} (95 % interval {' to '.join(bounds)})"
