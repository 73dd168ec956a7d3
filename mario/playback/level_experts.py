"""Let several checkpoints play one game, each in the level that it was trained on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any, Self

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import TransformAction

from agents import AgentSpec
from mario.errors import UsageError
from mario.games.actions import action_masks, action_name, parse_actions
from mario.games.registry import MARIO, RANDOM_STAGES
from mario.games.super_mario_bros import SuperMarioBros
from mario.playback.level_router import Expert, LevelRouter
from mario.playback.level_stack import ResetStackOnNewLevel
from mario.runs.trained_agent import Policy, TrainedAgent, load_agent
from mario.vector.make import make_env

NOT_OBSERVED = ("noop_max", "repeat_action_probability", "reward_scale", "reward_clip")
"""Wrapper settings that may differ between experts, because observations do not depend on them."""


@dataclass(frozen=True)
class LevelExperts:
    """Checkpoints with the same observations, each trained on another level.

    Attributes:
        checkpoints: The checkpoints.
        game: Id of the game that they play.
    """

    checkpoints: tuple[TrainedAgent, ...]
    game: str

    def make_env(
        self,
        emulator: str = "auto",
        *,
        noop_max: int = 0,
        inner: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]] | None = None,
    ) -> ResetStackOnNewLevel:
        """Make the game with the union of all action sets, see `TrainedAgent.make_env`."""
        actions = [action_name(mask).split("+") for mask in self._action_masks()]
        env_config = self.checkpoints[0].evaluation_config(emulator, noop_max)
        env_config = replace(env_config, game=self.game, actions=actions)
        return ResetStackOnNewLevel(make_env(env_config, inner))

    def make_agent(self, env: gym.Env[Any, Any], *, seed: int = 0) -> LevelRouter:
        """Make one agent that delegates to the experts.

        Args:
            env: Environment from `make_env`.
            seed: Seed of the agents' random generators.

        Raises:
            UsageError: The game does not fit one of the checkpoints.
        """
        masks = self._action_masks()
        experts = []
        for checkpoint in self.checkpoints:
            indices = [masks.index(mask) for mask in _action_masks(checkpoint)]
            expert_env = TransformAction(
                env, indices.__getitem__, gym.spaces.Discrete(len(indices))
            )
            agent = checkpoint.make_agent(expert_env, seed=seed)
            level = trained_level(checkpoint)
            experts.append(Expert(checkpoint.path.name, level, agent, np.array(indices)))
        spec = AgentSpec(self.checkpoints[0].state_shape, len(masks), seed=seed, training=False)
        return LevelRouter(spec, experts, lambda: str(env.get_wrapper_attr("level")))

    def with_options(self, repeat_action_probability: float, policy: Policy | None) -> Self:
        """Return the experts with other options, see `TrainedAgent.with_options`."""
        checkpoints = tuple(
            checkpoint.with_options(repeat_action_probability, policy)
            for checkpoint in self.checkpoints
        )
        return replace(self, checkpoints=checkpoints)

    def _action_masks(self) -> list[int]:
        """Return the button mask of every action in any of the action sets."""
        masks = (mask for checkpoint in self.checkpoints for mask in _action_masks(checkpoint))
        return list(dict.fromkeys(masks))


def open_experts(
    paths: Sequence[Path],
    *,
    game: str | None = None,
    agent: str | None = None,
    device: str = "cpu",
) -> LevelExperts:
    """Read several checkpoints that play one game.

    Args:
        paths: Checkpoint files.
        game: Id of the game to play; None for the full game that contains the levels.
        agent: ``module:Class`` of a user's agent, see `mario.runs.trained_agent.load_agent`.
        device: Device of the networks, see `mario.runs.agent_factory.resolve_device`.

    Raises:
        UsageError: A checkpoint cannot be used, or two of them do not fit together.
    """
    checkpoints = tuple(load_agent(path, agent=agent, device=device) for path in paths)
    for first, second in combinations(checkpoints, 2):
        _check_pair(first, second)
    return LevelExperts(checkpoints, game or _full_game(checkpoints[0]))


def trained_level(checkpoint: TrainedAgent) -> str | None:
    """Return the level that an agent was trained on, None if it was trained on several.

    Raises:
        UsageError: It was trained on another game than Super Mario Bros.
    """
    level: str | None = _game_options(checkpoint).get("level")
    return level


def _check_pair(first: TrainedAgent, second: TrainedAgent) -> None:
    if trained_level(first) == trained_level(second):
        raise UsageError(
            f"{first.path} and {second.path} were both trained on {first.game}; give one of them"
        )
    expected, received = (
        {"look": _game_options(checkpoint)["look"], **asdict(checkpoint.env_config.wrappers)}
        for checkpoint in (first, second)
    )
    for name, value in expected.items():
        if value != received[name] and name not in NOT_OBSERVED:
            raise UsageError(
                f"{first.path} was trained with {name} {value}, {second.path} with "
                f"{received[name]}; give checkpoints with the same observations"
            )


def _full_game(checkpoint: TrainedAgent) -> str:
    """Return the game with all levels, in the graphics that an agent was trained on."""
    options = {"look": _game_options(checkpoint)["look"]}
    return next(
        name
        for name, spec in gym.registry.items()
        if spec.entry_point == MARIO and spec.kwargs == options
    )


def _game_options(checkpoint: TrainedAgent) -> dict[str, Any]:
    """Return the keyword arguments in the registration of an agent's game."""
    spec = gym.registry.get(checkpoint.game)
    if spec is None or spec.entry_point not in (MARIO, RANDOM_STAGES):
        raise UsageError(
            f"{checkpoint.path} was trained on {checkpoint.game}, which has no levels of Super "
            f"Mario Bros.; give it as the only checkpoint"
        )
    return spec.kwargs


def _action_masks(checkpoint: TrainedAgent) -> tuple[int, ...]:
    actions = parse_actions(checkpoint.env_config.actions)
    return action_masks(SuperMarioBros.default_actions if actions is None else actions)
