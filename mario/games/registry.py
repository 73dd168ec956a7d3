"""The games in Gymnasium's registry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec

from mario.errors import UsageError, unknown
from mario.games.endings import TimeLimitEnding
from mario.games.roms import mario_looks
from mario.games.smb_levels import LEVELS
from mario.system.plugins import load_plugin

MARIO = "mario.games.super_mario_bros:SuperMarioBros"
RANDOM_STAGES = "mario.games.random_stages:RandomStages"
TETRIS = "mario.games.tetris:Tetris"
ATARI = "mario.games.atari:Atari"
ALE = "ale_py.env:AtariEnv"
"""The entry point of the games that ale-py registers; `ATARI` replaces it."""

VARIANT = re.compile(r"(-?ram)?(Deterministic|NoFrameskip)?-v\d+$|^ALE/")
"""What the ids of one Atari game differ in."""


def register_games() -> None:
    """Add the games to Gymnasium's registry. Their modules are imported when a game is made."""
    for game_id, entry_point, kwargs in _games():
        if game_id not in gym.registry:
            gym.register(game_id, entry_point, kwargs=kwargs)
            # v1 to v3 are other looks of the game, not updates of v0. With the version as a part
            # of the name, Gymnasium does not warn that v0 is out of date.
            spec = gym.registry[game_id]
            spec.name, spec.version = game_id, None


def make_game(game_id: str, **kwargs: Any) -> gym.Env[Any, Any]:
    """Make a game.

    Args:
        game_id: Id in Gymnasium's registry, for example ``"SuperMarioBros-1-1-v0"``.
            ``"module:id"`` first imports a module that registers the id. The ids of ale-py work
            too, without their frame skipping, which is left to the wrappers.
        **kwargs: Arguments of the game, for example ``actions`` and ``emulator``.

    Raises:
        UsageError: The game is unknown, or does not accept an argument.

    >>> make_game("Tetris")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: unknown game 'Tetris'; did you mean 'Tetris-v0'...
    """
    spec = find_game(game_id)
    try:
        # The authors of games can call check_env themselves.
        game: gym.Env[Any, Any] = gym.make(spec, disable_env_checker=True, **kwargs)
    except TypeError as error:
        if "unexpected keyword argument" not in str(error):
            raise
        argument = re.findall(r"keyword argument '(\w+)'", str(error))[0]
        raise UsageError(
            f"game {game_id!r} does not accept {argument}; omit --{argument}"
        ) from None
    return game if spec.max_episode_steps is None else TimeLimitEnding(game)


def find_game(game_id: str) -> EnvSpec:
    """Return the specification from which `make_game` makes a game.

    Raises:
        UsageError: The game is unknown.
    """
    module, _, name = game_id.rpartition(":")
    if module:
        _load(game_id, module)
    elif name not in gym.registry:
        _load(game_id, "ale_py")  # takes a moment, so only for unknown ids
    if name not in gym.registry:
        error = unknown("game", game_id, gym.registry, stem=VARIANT.sub("", name))
        if module:
            raise error
        end = "" if str(error).endswith("?") else "."
        raise UsageError(f"{error}{end} For a game of your own give module:{game_id}")
    spec = gym.registry[name]
    return _without_frame_skipping(spec) if spec.entry_point == ALE else spec


def has_extras(spec: EnvSpec) -> bool:
    """Return whether Gymnasium adds wrappers to a game, for example its time limit."""
    return spec.max_episode_steps is not None or bool(spec.additional_wrappers)


def _without_frame_skipping(spec: EnvSpec) -> EnvSpec:
    """Return the specification of one of ale-py's games, with one emulator frame per step."""
    options = {key: spec.kwargs[key] for key in ("game", "repeat_action_probability")}
    limit, skip = spec.max_episode_steps, spec.kwargs["frameskip"]
    if limit is not None:
        limit *= skip if isinstance(skip, int) else max(skip) - 1  # a range without its end
    return EnvSpec(
        spec.id, ATARI, kwargs=options, max_episode_steps=limit,
        additional_wrappers=spec.additional_wrappers,
    )  # fmt: skip


def _load(game_id: str, module: str) -> None:
    """Import a module, which may be in the current folder."""
    try:
        load_plugin(module)
    except ModuleNotFoundError as error:
        raise UsageError(f"game {game_id!r}: {error}; is its folder on PYTHONPATH?") from None


def _games() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the id, the entry point and the arguments of each game."""
    yield "Tetris-v0", TETRIS, {}
    for version, look in mario_looks().items():
        yield f"SuperMarioBros-v{version}", MARIO, {"look": look}
        yield f"SuperMarioBrosRandomStages-v{version}", RANDOM_STAGES, {"look": look}
        for level in LEVELS:
            yield f"SuperMarioBros-{level}-v{version}", MARIO, {"level": level, "look": look}
    for version, look in mario_looks(lost_levels=True).items():
        yield f"SuperMarioBros2-v{version}", MARIO, {"lost_levels": True, "look": look}
