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

from agents import Setting
from mario.build import make_env, parse_actions
from mario.errors import UsageError
from mario.games.actions import action_masks, action_name
from mario.games.catalog import MARIO, RANDOM_STAGES
from mario.games.super_mario_bros import SuperMarioBros
from mario.places import Places
from mario.router import Member, Router
from mario.trained import Trained, open_trained

UNSEEN = ("noops", "reward", "revisit", "sticky")
"""How settings of the wrappers begin that change nothing of what an agent sees."""


@dataclass(frozen=True)
class Team:
    """Checkpoints that see the game alike, each of another level.

    Attributes:
        members: the checkpoints.
        game: id of the game that they play.
    """

    members: tuple[Trained, ...]
    game: str

    def make_env(
        self,
        emulator: str,
        *,
        noops: int = 0,
        inner: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]] | None = None,
    ) -> Places:
        """Make the game, with every action that one of them knows, see `Trained.make_env`."""
        actions = [action_name(mask).split("+") for mask in self._masks()]
        wrappers = self.members[0].wrappers.with_noops(noops)
        return Places(make_env(self.game, actions, emulator, wrappers, inner))

    def make_agent(self, env: gym.Env[Any, Any], *, seed: int = 0) -> Router:
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
            members.append(Member(trained.path.name, level_of(trained), agent, np.array(own)))
        setting = Setting(self.members[0].state_shape, len(masks), seed=seed, training=False)
        return Router(setting, members, lambda: str(env.get_wrapper_attr("level")))

    def _masks(self) -> list[int]:
        """The buttons of each action that one of them knows."""
        return list(dict.fromkeys(mask for each in self.members for mask in _masks_of(each)))


def open_team(paths: Sequence[Path], *, game: str | None = None, agent: str | None = None) -> Team:
    """Read checkpoints that are to play together.

    Args:
        paths: the files.
        game: what they play; None for the whole game of which they know levels.
        agent: see `mario.trained.open_trained`.

    Raises:
        UsageError: one cannot be used, or two do not go together.
    """
    members = tuple(open_trained(path, agent=agent) for path in paths)
    for pair in combinations(members, 2):
        _check_pair(*pair)
    return Team(members, game or _whole_game(members[0]))


def level_of(trained: Trained) -> str | None:
    """The level that an agent was trained on, None for no particular one.

    Raises:
        UsageError: it was trained on another game than Super Mario Bros.
    """
    level: str | None = _options(trained).get("level")
    return level


def _check_pair(one: Trained, other: Trained) -> None:
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


def _whole_game(trained: Trained) -> str:
    """The game that has no level chosen, and looks as an agent knows it."""
    wanted = {"look": _options(trained)["look"]}
    return next(
        name
        for name, spec in gym.registry.items()
        if spec.entry_point == MARIO and spec.kwargs == wanted
    )


def _options(trained: Trained) -> dict[str, Any]:
    """What an agent's game is made with."""
    spec = gym.registry.get(trained.game)
    if spec is None or spec.entry_point not in (MARIO, RANDOM_STAGES):
        raise UsageError(
            f"{trained.path} was trained on {trained.game}, which has no levels of Super Mario "
            f"Bros.; let it play alone"
        )
    return spec.kwargs


def _masks_of(trained: Trained) -> tuple[int, ...]:
    actions = parse_actions(trained.actions)
    return action_masks(SuperMarioBros.default_actions if actions is None else actions)
