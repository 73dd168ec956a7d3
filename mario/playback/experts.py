"""Several checkpoints that play one game together, each the level that it was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import TransformAction

from agents import AgentSpec
from mario.errors import UsageError
from mario.games.actions import action_masks, action_name
from mario.games.registry import MARIO, RANDOM_STAGES
from mario.games.super_mario_bros import SuperMarioBros
from mario.playback.level_router import Expert, LevelRouter
from mario.playback.level_starts import LevelStarts
from mario.runs.trained_agent import TrainedAgent, open_agent
from mario.vector.make import make_env, parse_actions

UNSEEN = ("noops", "reward", "revisit", "sticky")
"""How settings of the wrappers begin that change nothing of what an agent sees."""


@dataclass(frozen=True)
class ExpertTeam:
    """Checkpoints that see the game alike, each of another level.

    Attributes:
        members: the checkpoints.
        game: id of the game that they play.
    """

    members: tuple[TrainedAgent, ...]
    game: str

    def make_env(
        self,
        emulator: str,
        *,
        noops: int = 0,
        inner: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]] | None = None,
    ) -> LevelStarts:
        """Make the game, with every action that one of them knows, see `TrainedAgent.make_env`."""
        actions = [action_name(mask).split("+") for mask in self._masks()]
        wrappers = self.members[0].wrappers.with_noops(noops)
        return LevelStarts(make_env(self.game, actions, emulator, wrappers, inner))

    def make_agent(self, env: gym.Env[Any, Any], *, seed: int = 0) -> LevelRouter:
        """Make the agents, and one of all of them.

        Args:
            env: of `make_env`.
            seed: seeds whatever they draw.

        Raises:
            UsageError: the game does not fit what one of them was trained on.
        """
        masks = self._masks()
        members = []
        for trained in self.members:
            own = [masks.index(mask) for mask in _masks_of(trained)]
            theirs = TransformAction(env, own.__getitem__, gym.spaces.Discrete(len(own)))
            agent = trained.make_agent(theirs, seed=seed)
            members.append(Expert(trained.path.name, level_of(trained), agent, np.array(own)))
        setting = AgentSpec(self.members[0].state_shape, len(masks), seed=seed, training=False)
        return LevelRouter(setting, members, lambda: str(env.get_wrapper_attr("level")))

    def _masks(self) -> list[int]:
        """The buttons of each action that one of them knows."""
        return list(dict.fromkeys(mask for each in self.members for mask in _masks_of(each)))


def open_team(
    paths: Sequence[Path], *, game: str | None = None, agent: str | None = None
) -> ExpertTeam:
    """Read checkpoints that are to play together.

    Args:
        paths: the files.
        game: what they play; None for the whole game of which they know levels.
        agent: see `mario.runs.trained_agent.open_agent`.

    Raises:
        UsageError: one cannot be used, or two do not go together.
    """
    members = tuple(open_agent(path, agent=agent) for path in paths)
    for pair in combinations(members, 2):
        _check_pair(*pair)
    return ExpertTeam(members, game or _whole_game(members[0]))


def level_of(trained: TrainedAgent) -> str | None:
    """The level that an agent was trained on, None for no particular one.

    Raises:
        UsageError: it was trained on another game than Super Mario Bros.
    """
    level: str | None = _options(trained).get("level")
    return level


def _check_pair(one: TrainedAgent, other: TrainedAgent) -> None:
    if level_of(one) == level_of(other):
        raise UsageError(
            f"{one.path} and {other.path} were trained on the same, {other.game}; give one of them"
        )
    views = [{"look": _options(each)["look"], **asdict(each.wrappers)} for each in (one, other)]
    for name, value in views[0].items():
        if value != views[1][name] and not name.startswith(UNSEEN):
            raise UsageError(
                f"{one.path} was trained with {name} {value}, {other.path} with {views[1][name]}; "
                f"agents that play together must see the same"
            )


def _whole_game(trained: TrainedAgent) -> str:
    """The game that has no level chosen, and looks as an agent knows it."""
    wanted = {"look": _options(trained)["look"]}
    return next(
        name
        for name, spec in gym.registry.items()
        if spec.entry_point == MARIO and spec.kwargs == wanted
    )


def _options(trained: TrainedAgent) -> dict[str, Any]:
    """What an agent's game is made with."""
    spec = gym.registry.get(trained.game)
    if spec is None or spec.entry_point not in (MARIO, RANDOM_STAGES):
        raise UsageError(
            f"{trained.path} was trained on {trained.game}, which has no levels of Super Mario "
            f"Bros.; let it play alone"
        )
    return spec.kwargs


def _masks_of(trained: TrainedAgent) -> tuple[int, ...]:
    actions = parse_actions(trained.actions)
    return action_masks(SuperMarioBros.default_actions if actions is None else actions)
