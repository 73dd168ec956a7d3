"""Makes a single environment: a game with its wrappers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym

from mario.config.env_config import EnvConfig
from mario.errors import UsageError
from mario.games import make_game
from mario.games.actions import parse_actions
from mario.games.endings import EndingReward, ending_rewards
from mario.games.starts.start_curriculum import StartCurriculum
from wrappers import wrap


def make_env(
    config: EnvConfig | str, inner: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]] | None = None
) -> gym.Env[Any, Any]:
    """Make a game with its wrappers.

    Args:
        config: The configuration, or the ID of a game for the default wrappers.
        inner: A wrapper to apply to the bare game first, where each emulator frame is one step.

    Raises:
        UsageError: The game is unknown, or does not fit the wrappers.

    >>> env = make_env("SuperMarioBros-1-1-v0")
    >>> observation, info = env.reset(seed=0)
    >>> observation.shape
    (4, 84, 84)
    >>> env.close()
    """
    if isinstance(config, str):
        config = EnvConfig(config)
    game = make_bare_game(config)
    try:
        return wrap_game(inner(game) if inner else game, config)
    except ValueError as error:
        game.close()
        if isinstance(error, UsageError):
            raise
        raise UsageError(f"the wrappers do not fit {config.game}: {error}") from None


def make_bare_game(config: EnvConfig) -> gym.Env[Any, Any]:
    """Make the game of a configuration without wrappers, one frame per step.

    Raises:
        UsageError: The game, the action set or the emulator is unknown.
    """
    options: dict[str, Any] = {}
    if config.actions is not None:
        options["actions"] = parse_actions(config.actions)
    if config.emulator != "auto":
        options["emulator"] = config.emulator
    return make_game(config.game, **options)


def wrap_game(game: gym.Env[Any, Any], config: EnvConfig) -> gym.Env[Any, Any]:
    """Apply all wrappers of a configuration to a game.

    Args:
        game: A game with RGB observations, one frame per step.
        config: The configuration; its game, actions and emulator are ignored.

    Raises:
        ValueError: The game does not fit the wrappers.
    """
    env = wrap(game, config.wrappers, lambda env: StartCurriculum(env, config.start_curriculum))
    return EndingReward(env, config.ending_reward) if ending_rewards(config.ending_reward) else env
