"""The games there are, by their names in Gymnasium's registry."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from typing import Any

import gymnasium as gym

from mario.errors import UsageError, unknown
from mario.games.roms import mario_looks
from mario.games.smb_levels import LEVELS

MARIO = "mario.games.super_mario_bros:SuperMarioBros"
RANDOM_STAGES = "mario.games.random_stages:RandomStages"
TETRIS = "mario.games.tetris:Tetris"


def register_games() -> None:
    """Make the games known to Gymnasium; none is loaded before it is made."""
    for game_id, entry_point, kwargs in _games():
        if game_id not in gym.registry:
            gym.register(game_id, entry_point, kwargs=kwargs)


def make_game(game_id: str, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make a game.

    Args:
        game_id: its id in Gymnasium's registry, e.g. ``"SuperMarioBros-1-1-v0"``; ``"module:id"``
            imports the module first, which is to register the id.
        **kwargs: what the game is to be made with, e.g. ``actions``, ``emulator``.

    Raises:
        UsageError: there is no such game, or it cannot be made so.

    >>> make_game("Tetris")
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: unknown game 'Tetris'; did you mean 'Tetris-v0'?
    """
    module, _, name = game_id.rpartition(":")
    if module:
        _load(game_id, module)
    if name not in gym.registry:
        raise unknown("game", game_id, gym.registry)
    try:
        # Given a spec in place of an id, Gymnasium does not take v3, another look, for an update of
        # v0. What its checker warns of is for a game's author, who has its check_env.
        return gym.make(gym.registry[name], disable_env_checker=True, **kwargs)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        fault = str(error).partition(" was raised from")[0]
        raise UsageError(f"game {game_id!r}: {fault}") from None


def _load(game_id: str, module: str) -> None:
    """Import a user's module, which may lie in the current folder."""
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise UsageError(f"game {game_id!r}: {error}; is its folder on PYTHONPATH?") from None


def _games() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The id, the class and the arguments of each game."""
    yield "Tetris-v0", TETRIS, {}
    for version, look in mario_looks().items():
        yield f"SuperMarioBros-v{version}", MARIO, {"look": look}
        yield f"SuperMarioBrosRandomStages-v{version}", RANDOM_STAGES, {"look": look}
        for level in LEVELS:
            yield f"SuperMarioBros-{level}-v{version}", MARIO, {"level": level, "look": look}
    for version, look in mario_looks(lost_levels=True).items():
        yield f"SuperMarioBros2-v{version}", MARIO, {"lost_levels": True, "look": look}
