"""Which levels a list contains, and with which actions they are trained."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from mario.errors import UsageError
from mario.games.registry import find_game
from mario.games.smb_levels import LEVELS
from mario.games.super_mario_bros import SuperMarioBros
from mario.search.demonstration import SUFFIX, load

ALL = "all"
DEMONSTRATIONS = Path(__file__).parents[2] / "checkpoints" / "demonstrations"
"""The demonstrations that come with the source of the project."""


def level_games(names: Sequence[str]) -> list[str]:
    """Return the IDs of the games that ``--levels`` names.

    Args:
        names: ``all`` for the levels of Super Mario Bros., names of levels, or IDs of games.

    Raises:
        UsageError: a game is unknown, or one is named twice.

    >>> level_games(["1-1", "Tetris-v0"])
    ['SuperMarioBros-1-1-v0', 'Tetris-v0']
    >>> len(level_games(["all"]))
    32
    """
    if not names:
        raise UsageError("--levels needs all, or the names of levels such as 1-1 5-3")
    games = []
    for name in names:
        levels = LEVELS if name == ALL else (name,)
        games += [f"SuperMarioBros-{each}-v0" if each in LEVELS else each for each in levels]
    for game in games:
        if games.count(game) > 1:
            raise UsageError(f"--levels names {game} twice; name each level once")
        find_game(game)
    return games


def demonstrated_actions(game: str, folder: Path = DEMONSTRATIONS) -> str | None:
    """Return the actions that a level of Super Mario Bros. needs, or None for the usual ones.

    A search tries the action sets of the game in turn, the smallest first. If the demonstration
    that comes with this project needed a larger set than the first one, training needs it too.

    Args:
        game: ID of the game.
        folder: folder with the demonstrations.

    Returns:
        The value of ``--actions``; None if there is no demonstration of the game.
    """
    match = re.fullmatch(r"SuperMarioBros-(\d-\d)-v\d", game)
    file = folder / f"{match[1]}{SUFFIX}" if match else None
    if file is None or not file.is_file():
        return None
    actions = load(file).actions
    if actions == SuperMarioBros.search_actions[0]:
        return None
    return actions if isinstance(actions, str) else json.dumps(actions)
