"""Makes games and agents from a configuration: one function for each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium as gym
import torch
import yaml

from agents import Agent, AgentConfig, Setting
from mario.config import agent_class
from mario.emulators.emulator import SCREEN_SHAPE
from mario.errors import UsageError
from mario.games import make_game
from mario.games.catalog import ATARI, MARIO, find_game
from mario.seeds import episode_seed, even_seeds
from mario.tuning import tune_process
from mario.vector import GameVector
from mario.vector_games import VectorGames
from wrappers import WrapperConfig, wrap

Actions = str | list[list[str]] | None


def parse_actions(text: str | None) -> Actions:
    """An action set as the command line gives it: a name, or lists of buttons as JSON.

    >>> parse_actions('[["right"], ["right", "A"]]')
    [['right'], ['right', 'A']]
    """
    if text is None or not text.lstrip().startswith("["):
        return text
    try:
        actions: list[list[str]] = yaml.safe_load(text)
    except yaml.YAMLError:
        raise UsageError(
            f'--actions {text} cannot be read; write it like [["right"], ["right", "A"]]'
        ) from None
    return actions


def make_env(
    game: str,
    actions: Actions,
    emulator: str,
    wrappers: WrapperConfig,
    inner: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]] | None = None,
) -> gym.Env[Any, Any]:
    """Make one game as an agent sees it.

    Args:
        game: an id of Gymnasium's registry.
        actions: an action set; None for the game's own.
        emulator: name of the emulator, for the games that let one choose.
        wrappers: what the agent sees.
        inner: wraps the bare game first, to look at each of its frames.

    Raises:
        UsageError: there is no such game, or the wrappers do not fit it.
    """
    options = {key: value for key, value in {"actions": actions}.items() if value is not None}
    if emulator != "auto":
        options["emulator"] = emulator
    env = make_game(game, **options)
    try:
        return wrap(inner(env) if inner else env, wrappers)
    except ValueError as error:
        env.close()
        raise UsageError(f"{game} cannot be seen as --wrappers asks for: {error}") from None


def make_games(
    game: str,
    actions: str | None,
    emulator: str,
    wrappers: WrapperConfig,
    *,
    num_envs: int,
    seed: int,
    even: bool = False,
    report: Callable[[str], None] = print,
) -> VectorGames:
    """Make several games that are played at a time.

    Args:
        game: see `make_env`.
        actions: see `parse_actions`.
        emulator: see `make_env`.
        wrappers: what the agent sees.
        num_envs: how many games.
        seed: seeds every episode of every game.
        even: play the same episodes however many games there are, and each random start as often
            as every other; ALE's threads draw how many frames go by themselves.
        report: is told of each game that dies, in one line.
    """
    seed_of = even_seeds(num_envs, wrappers.noops) if even else episode_seed
    if can_be_fused(game, emulator, wrappers):
        from mario.fused import FusedVector  # its compiled code need not be there otherwise

        chosen = gym.registry[game].kwargs | {"actions": parse_actions(actions)}
        return FusedVector(num_envs, wrappers=wrappers, seed=seed, seed_of=seed_of, **chosen)
    if can_be_threaded(game, emulator, wrappers):
        from mario.atari_vector import AtariVector  # ale-py need not be there otherwise

        chosen = find_game(game).kwargs | {"actions": parse_actions(actions)}
        return AtariVector(num_envs, wrappers=wrappers, seed=seed, seed_of=seed_of, **chosen)
    make = partial(make_env, game, parse_actions(actions), emulator, wrappers)
    return GameVector(make, num_envs, seed=seed, seed_of=seed_of, report=report)


def can_be_threaded(game: str, emulator: str, wrappers: WrapperConfig) -> bool:
    """Whether ALE's threads can play a game and do what the wrappers do.

    They can play any Atari game, but neither go back in one nor hold on to buttons, nor paint into
    pictures, crop or filter them.

    >>> can_be_threaded("Tetris-v0", "auto", WrapperConfig())
    False
    """
    view = wrappers
    beyond = view.revisit, view.show_action, view.sticky, view.crop, view.picture == "orange"
    plain = emulator == "auto" and not any(beyond)
    return plain and ":" not in game and find_game(game).entry_point == ATARI


def can_be_fused(game: str, emulator: str, wrappers: WrapperConfig) -> bool:
    """Whether compiled code can play a game and do what the wrappers do.

    It is for Super Mario Bros. on the native emulator, where that is built, pictures that are no
    larger than the screen, and wrappers that Mario is usually seen through.

    >>> can_be_fused("Tetris-v0", "auto", WrapperConfig())
    False
    """
    spec = gym.registry.get(game)
    return (
        emulator in ("auto", "native")
        and spec is not None
        and spec.entry_point == MARIO
        and wrappers.size <= SCREEN_SHAPE[0] - wrappers.crop
        and not wrappers.only_wrapped
        and find_spec("mario.games._native") is not None
    )


def games_at_a_time(game: str, emulator: str, wrappers: WrapperConfig) -> int:
    """How many games it pays to play at a time, where nothing is learned meanwhile.

    In compiled code a game costs little, and the network is fastest with many; an Atari game has a
    thread of its own; any other is a process, which takes a second to start.

    >>> games_at_a_time("Tetris-v0", "auto", WrapperConfig())
    2
    """
    if can_be_fused(game, emulator, wrappers):
        return 32
    return 8 if can_be_threaded(game, emulator, wrappers) else 2


def make_agent(
    name: str,
    hyper: AgentConfig,
    games: gym.Env[Any, Any] | VectorGames,
    *,
    device: str = "cpu",
    seed: int = 0,
    folder: Path | None = None,
    training: bool = True,
    threads: int = 1,
) -> Agent:
    """Make an agent for the games that it is to play.

    Args:
        name: see `mario.config.agent_class`.
        hyper: an instance of that class's ``Config``.
        games: one game, or several.
        device: ``"cpu"``, ``"cuda"`` or ``"auto"``.
        seed: seeds everything that the agent draws.
        folder: where its memory is kept.
        training: False for an agent that only plays.
        threads: how many it may compute with at a time. Torch's own are set to one: they wait for
            each other so often that games on the same cores slow them down many times.

    Raises:
        UsageError: the agent cannot play these games, or the device is missing.
    """
    space, actions, num_envs = games.observation_space, games.action_space, 1
    if isinstance(games, VectorGames):
        space, actions = games.single_observation_space, games.single_action_space
        num_envs = games.num_envs
    if not isinstance(actions, gym.spaces.Discrete) or space.shape is None:
        raise UsageError(f"an agent chooses among numbered actions; the game has {actions}")
    setting = Setting(
        state_shape=space.shape,
        num_actions=int(actions.n),
        num_envs=num_envs,
        device=resolve_device(device),
        seed=seed,
        folder=folder,
        training=training,
        threads=threads,
    )
    tune_process()
    try:
        return agent_class(name).build(setting, hyper)
    except ValueError as error:
        raise UsageError(str(error)) from None


def resolve_device(name: str) -> str:
    """The torch device of a name; ``"auto"`` is a GPU if there is one.

    Raises:
        UsageError: a GPU is asked for and there is none.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: torch finds no GPU; use --device cpu")
    return name
