"""Honest evaluation: many greedy episodes, from all starts alike, and what came of them.

A deterministic game from one fixed start is one episode counted many times; so every episode begins
with some frames in which no button is pressed, each number of them as often as any other. There are
but few such starts: a small share of random actions makes every episode another one.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from agents import Agent
from agents.agent import EPISODE_START
from mario.vector.base import GameVectorEnv

LevelArea = tuple[int, int, int]

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the standard normal distribution."""

RESAMPLES = 2000
"""Resamples of a bootstrap interval, as rliable draws them."""

LEVEL_FIGURES = (
    "clear_rate", "clear_rate_ci95", "mean_x_pos", "max_x_pos", "median_steps_to_clear", "deaths"
)  # fmt: skip
"""The figures of clearing levels, and of how far one came."""


@dataclass(frozen=True)
class EpisodeResult:
    """How one episode of an evaluation went.

    Attributes:
        reward: sum of the game's own rewards.
        length: decisions.
        x_pos: where it ended, None for a game that has no such place.
        best_x: the farthest place, or None.
        ending: ``"flag"``, ``"death"``, ``"time"``, ``"truncated"``, ...
        y_pos: how high it ended, or None.
        stretch: world, stage and area where it ended, within which x and y count; or None.
        seed: the episode's.
        actions: what was done; with the seed, all that playing it again needs.
    """

    reward: float
    length: int
    x_pos: int | None
    best_x: int | None
    ending: str
    y_pos: int | None = None
    stretch: LevelArea | None = None
    seed: int = 0
    actions: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """The figures of an evaluation, as ``mario-eval --json`` prints them."""

    game: str
    episodes: int
    distinct_episodes: int | None = None
    clear_rate: float
    clear_rate_ci95: list[float]
    mean_return: float
    mean_return_ci95: list[float] = field(default_factory=lambda: [math.nan, math.nan])
    mean_x_pos: float | None
    max_x_pos: int | None
    median_steps_to_clear: float | None
    deaths: list[int]
    steps_trained: int
    emulator: str
    seed: int
    epsilon: float = 0.0

    def to_dict(self) -> dict[str, Any]:
        """The figures by name."""
        return asdict(self)

    @property
    def has_levels(self) -> bool:
        """Whether the game has places to be and levels to clear, or only a score."""
        return self.mean_x_pos is not None or self.clear_rate > 0

    def told(self) -> dict[str, Any]:
        """The figures by name, without those that the game does not have."""
        without = () if self.has_levels else LEVEL_FIGURES
        return {name: value for name, value in self.to_dict().items() if name not in without}

    @property
    def rank(self) -> tuple[float, float, float]:
        """What makes one agent better than another: clear rate, then distance, then reward."""
        return self.clear_rate, self.mean_x_pos or 0.0, self.mean_return


def wilson_interval(successes: int, trials: int) -> list[float]:
    """The 95 % score interval of a success rate (Wilson, 1927).

    Returns:
        The lower and the upper bound, ``[0.0, 1.0]`` without trials.

    >>> [round(bound, 3) for bound in wilson_interval(95, 100)]
    [0.888, 0.978]
    """
    if trials == 0:
        return [0.0, 1.0]
    rate, z2 = successes / trials, Z_95**2
    centre = (rate + z2 / (2 * trials)) / (1 + z2 / trials)
    spread = rate * (1 - rate) / trials + z2 / (4 * trials**2)
    half = Z_95 * math.sqrt(spread) / (1 + z2 / trials)
    return [max(0.0, centre - half), min(1.0, centre + half)]


def bootstrap_interval(numbers: Sequence[float]) -> list[float]:
    """The 95 % interval of a mean by the percentile bootstrap (Efron, 1979).

    It never leaves the range of the numbers, as a normal one would near a game's greatest score. It
    draws the same resamples each time.

    Args:
        numbers: independent of each other; of fewer than some twenty the interval is too narrow.

    Returns:
        The lower and the upper bound, ``[nan, nan]`` without numbers.

    >>> bootstrap_interval([21.0] * 100)
    [21.0, 21.0]
    """
    if not numbers:
        return [math.nan, math.nan]
    random, values = np.random.default_rng(0), np.asarray(numbers, np.float64)
    count = len(values)
    means = [values[random.integers(count, size=count)].mean() for _ in range(RESAMPLES)]
    return [float(bound) for bound in np.quantile(means, (0.025, 0.975))]


def play_episodes(
    agent: Agent,
    games: GameVectorEnv,
    episodes: int,
    *,
    epsilon: float = 0.0,
    seed: int = 0,
    on_episode: Callable[[EpisodeResult], None] = lambda played: None,
    stop: Callable[[], bool] = lambda: False,
) -> list[EpisodeResult]:
    """Play whole episodes, as well as the agent can.

    Each game plays its share of the episodes from the first on, so that short episodes are not
    counted more often than long ones. A game whose share is done is shown to the agent no more.

    Args:
        agent: is left in the mode, training or not, that it was in.
        games: are reset first.
        episodes: how many.
        epsilon: share of the decisions that are random in place of the agent's.
        seed: seeds those.
        on_episode: is told of each episode as it ends.
        stop: asked after each step; True ends the evaluation early.

    Returns:
        What was played, in the order in which the episodes ended.
    """
    shares = [len(range(game, episodes, games.num_envs)) for game in range(games.num_envs)]
    was_training = agent.training
    agent.train(False)
    played: list[EpisodeResult] = []
    episode, taken = [0] * games.num_envs, [list[int]() for _ in shares]
    random = np.random.default_rng(seed)
    states, _ = games.reset()
    agent.carry_recurrent_state(np.full(games.num_envs, EPISODE_START))
    while (busy := np.flatnonzero(shares)).size and not stop():
        actions = np.zeros(games.num_envs, np.int64)
        actions[busy] = agent.act(states[busy])
        if epsilon:
            others = random.integers(agent.spec.num_actions, size=games.num_envs)
            actions = np.where(random.random(games.num_envs) < epsilon, others, actions)
        states, _, terminated, truncated, infos = games.step(actions)
        places = np.arange(len(busy))
        for place, game in enumerate(busy.tolist()):
            taken[game].append(int(actions[game]))
            if terminated[game] or truncated[game]:
                places[place] = EPISODE_START
                seeded = games.episode_seed(game, episode[game])
                played.append(_played(infos, game, seeded, taken[game]))
                shares[game] -= 1
                episode[game] += 1
                taken[game] = []
                on_episode(played[-1])
        agent.carry_recurrent_state(places[np.array(shares)[busy] > 0])
    agent.train(was_training)
    return played


def summarize(
    played: list[EpisodeResult],
    *,
    game: str,
    steps_trained: int,
    emulator: str,
    seed: int,
    epsilon: float = 0.0,
) -> Evaluation:
    """The figures of what was played."""
    clears = [each.length for each in played if each.ending == "flag"]
    places = [each.best_x for each in played if each.best_x is not None]
    returns = [each.reward for each in played]
    lost = [each.x_pos for each in played if each.ending in ("death", "time", "game over")]
    return Evaluation(
        game=game,
        episodes=len(played),
        distinct_episodes=len({(each.actions, each.reward, each.best_x) for each in played}),
        clear_rate=len(clears) / len(played) if played else 0.0,
        clear_rate_ci95=wilson_interval(len(clears), len(played)),
        mean_return=statistics.fmean(returns) if returns else 0.0,
        mean_return_ci95=bootstrap_interval(returns),
        mean_x_pos=statistics.fmean(places) if places else None,
        max_x_pos=max(places, default=None),
        median_steps_to_clear=statistics.median(clears) if clears else None,
        deaths=[x for x in lost if x is not None],
        steps_trained=steps_trained,
        emulator=emulator,
        seed=seed,
        epsilon=epsilon,
    )


def final_info(infos: dict[str, Any], game: int) -> dict[str, Any]:
    """What a game said when its episode ended, out of the infos of the whole vector."""
    found: dict[str, Any] = {}
    for key, value in infos["final_info"].items():
        if key.startswith("_") or not infos["final_info"].get(f"_{key}", [True] * (game + 1))[game]:
            continue
        found[key] = (
            final_info({"final_info": value}, game) if isinstance(value, dict) else value[game]
        )
    return found


def _played(infos: dict[str, Any], game: int, seed: int, actions: list[int]) -> EpisodeResult:
    info = final_info(infos, game)
    episode = info.get("episode", {"r": 0.0, "l": 0})
    x_pos, best_x, y_pos = (
        None if (place := info.get(name)) is None else int(place)
        for name in ("x_pos", "best_x", "y_pos")
    )
    stretch = None
    if "area" in info:
        stretch = int(info["world"]), int(info["stage"]), int(info["area"])
    return EpisodeResult(
        reward=float(episode["r"]),
        length=int(episode["l"]),
        x_pos=x_pos,
        best_x=best_x,
        ending=str(info.get("ending", "")),
        y_pos=y_pos,
        stretch=stretch,
        seed=seed,
        actions=tuple(actions),
    )
