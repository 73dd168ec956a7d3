"""The demonstrations of a run: finds or collects their files, and plays them for the agent.

The files are copied into the run's folder, so that a resumed run has the same demonstrations.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from agents import Transitions
from mario.config.env_config import EnvConfig, StartCurriculumConfig
from mario.config.run_config import TrainConfig
from mario.errors import UsageError
from mario.games.actions import action_masks, parse_actions
from mario.games.endings import SUCCESSES
from mario.games.nes_game import NesGame
from mario.games.starts.demonstration_starts import (
    Demonstration,
    DemonstrationPoint,
    DemonstrationStarts,
)
from mario.runs.run_files import collect_files
from mario.search import SearchOptions, find_demonstration
from mario.search.backend import make_nes_game
from mario.search.demonstration import SUFFIX, load, save
from mario.vector.env import make_bare_game
from mario.vector.make import make_vector_env
from mario.vector.replay_point import ReplayPoint

SEARCH = "search"
"""Stands for demonstrations that a search finds when the run starts."""

FOLDER = "demonstrations"
"""Folder with copies of the demonstrations, in the run's folder."""

NUM_DEMONSTRATIONS = 8
"""Number of demonstrations. Their numbers of no-op frames are spread evenly over those of the run's
episodes."""

MAX_STEPS = 4_000_000
"""Steps after which a search for one demonstration is given up."""

SHORTEN_STEPS = 5_000
"""Steps played to shorten a demonstration. Little is enough, since episodes only start on it."""


def prepare_demonstrations(
    config: TrainConfig[Any], run: Path, report: Callable[[str], None]
) -> list[Demonstration]:
    """Return the demonstrations of a run, which are searched for or copied if it is new.

    Args:
        config: The configuration of the run.
        run: The run's folder.
        report: Receives one line for each demonstration that a search finds.

    Raises:
        UsageError: A file cannot be used, or a search finds nothing.
    """
    if not config.demos:
        return []

    env_config = config.env_config
    search = partial(search_demonstrations, env_config, seed=config.seed, report=report)
    paths = collect_files("demos", config.demos, run / FOLDER, {SEARCH: search})
    return load_demonstrations(paths, env_config)


def search_demonstrations(
    config: EnvConfig, folder: Path, *, seed: int, report: Callable[[str], None]
) -> None:
    """Search for demonstrations with the actions of a run, and write their files.

    Args:
        config: The configuration of the run's environments.
        folder: Folder of the files.
        seed: Seed of the first search.
        report: Receives one line for each demonstration.

    Raises:
        UsageError: The game cannot be searched, or no play that reaches its goal was found.
    """
    with closing(make_nes_game(config.game, config.emulator)) as game:
        actions = parse_actions(config.actions) or game.default_actions
    for number in range(NUM_DEMONSTRATIONS):
        noops = number * config.wrappers.noop_max // (NUM_DEMONSTRATIONS - 1)
        options = SearchOptions(
            actions=(actions,), seed=seed + number, noops=noops, skip=config.wrappers.skip,
            max_steps=MAX_STEPS, shorten_steps=SHORTEN_STEPS, widen_steps=0,
            emulator=config.emulator,
        )  # fmt: skip
        found = find_demonstration(config.game, options)
        if not found.solved:
            raise UsageError(
                f"--demos search found no play of {config.game} that reaches the goal in "
                f"{found.search_steps:,} steps; give another action set with --actions, or files"
            )
        save(folder / f"search-{number:02}{SUFFIX}", found.demonstration)
        report(
            f"demonstration {number + 1} of {NUM_DEMONSTRATIONS}: {found.polished.steps} steps "
            f"after {noops} no-op frames, found in {found.search_steps:,} steps"
        )


def load_demonstrations(paths: Sequence[Path], config: EnvConfig) -> list[Demonstration]:
    """Load demonstrations and verify that they fit the environments of a run.

    Raises:
        UsageError: A file is damaged, is of another game or frame skip, presses buttons that no
            action presses, or does not end as it says.
    """
    with closing(make_bare_game(config)) as env:
        game = env.unwrapped
        if not isinstance(game, NesGame):
            raise UsageError(f"{config.game} has no demonstrations; only NES games have")
        return [_load(path, game, config) for path in paths]


def _load(path: Path, game: NesGame, config: EnvConfig) -> Demonstration:
    recorded = load(path)
    for name, actual, expected in (
        ("game", recorded.game, config.game),
        ("frame skip", recorded.skip, config.wrappers.skip),
    ):
        if actual != expected:
            raise UsageError(f"demonstration {path} has {name} {actual}, this run has {expected}")
    if recorded.ending and recorded.ending not in SUCCESSES:
        raise UsageError(
            f"demonstration {path} ends with {recorded.ending!r}; give one that reaches the goal"
        )
    masks = action_masks(parse_actions(config.actions) or game.default_actions)
    if not set(recorded.play) <= set(masks):
        raise UsageError(
            f"demonstration {path} presses buttons that no action of this run presses; "
            f"add --actions {recorded.actions}"
        )
    actions = tuple(map(masks.index, recorded.play))
    rewards, ending = _play(game, recorded.seed, recorded.noops, actions, recorded.skip)
    if (len(rewards), ending) != (len(actions), recorded.ending):
        raise UsageError(
            f"demonstration {path} ends with {ending!r} after {len(rewards)} steps in this run, "
            f"not with {recorded.ending!r} after {len(actions)}; give one of the same ROM"
        )
    return Demonstration(recorded.noops, actions, rewards)


def _play(
    game: NesGame, seed: int, noops: int, actions: Sequence[int], skip: int
) -> tuple[tuple[float, ...], str]:
    """Play a demonstration and return the reward of each step and the ending."""
    game.reset(seed=seed, options={"noops": noops})
    rewards: list[float] = []
    for action in actions:
        total = 0.0
        for _ in range(skip):
            _, reward, _, _, info = game.step(action)
            total += float(reward)
            if info["ending"]:
                return (*rewards, total), str(info["ending"])
        rewards.append(total)
    return tuple(rewards), ""


class DemonstrationTransitions:
    """The transitions of demonstrations, see `agents.agent.Demonstrations`.

    They are played in the environments of the run, so that they have the same observations and
    rewards as the agent's own, but without sticky actions.

    Args:
        config: The configuration of the run's environments.
        demonstrations: The demonstrations.
    """

    def __init__(self, config: EnvConfig, demonstrations: Sequence[Demonstration]) -> None:
        wrappers = replace(config.wrappers, repeat_action_probability=0.0)
        self._config = replace(config, wrappers=wrappers, start_curriculum=StartCurriculumConfig())
        self._demonstrations = tuple(demonstrations)

    def __len__(self) -> int:
        return sum(len(each.actions) for each in self._demonstrations)

    def __iter__(self) -> Iterator[Transitions]:
        starts = DemonstrationStarts(self._demonstrations, self._config.start_curriculum)
        envs = make_vector_env(self._config, num_envs=1, seed=0, starts=starts)
        with closing(envs):
            for index, demonstration in enumerate(self._demonstrations):
                start = DemonstrationPoint(index, position=0)
                states, _ = envs.restore([ReplayPoint.at_reset(index, start=start)])
                last = len(demonstration.actions) - 1
                for position, action in enumerate(demonstration.actions):
                    actions = np.array([action])
                    next_states, rewards, terminated, truncated, infos = envs.step(actions)
                    if terminated[0] or truncated[0]:
                        next_states = np.stack(infos["final_obs"])
                    truncated = truncated | (position == last) & ~terminated
                    yield Transitions(
                        states, actions, rewards, terminated, truncated, next_states,
                        valid=np.ones(1, np.bool_),
                    )  # fmt: skip
                    states = next_states
