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

from agents import Agent, AgentConfig, AgentSpec
from mario.config.run_config import agent_class
from mario.emulators.emulator import SCREEN_SHAPE
from mario.errors import UsageError
from mario.games import make_game
from mario.games.registry import ATARI, MARIO, find_game
from mario.system.tuning import tune_process
from mario.vector.base import GameVectorEnv
from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.seeding import episode_seed, stratified_seeds
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


def make_vector_env(
    game: str,
    actions: str | None,
    emulator: str,
    wrappers: WrapperConfig,
    *,
    num_envs: int,
    seed: int,
    even: bool = False,
    report: Callable[[str], None] = print,
) -> GameVectorEnv:
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
    seed_of = stratified_seeds(num_envs, wrappers.noop_max) if even else episode_seed
    if supports_native_mario(game, emulator, wrappers):
        from mario.vector.native_mario import (
            NativeMarioVectorEnv,  # its compiled code need not be there otherwise
        )

        chosen = gym.registry[game].kwargs | {"actions": parse_actions(actions)}
        return NativeMarioVectorEnv(
            num_envs, wrappers=wrappers, seed=seed, seed_of=seed_of, **chosen
        )
    if supports_ale_threads(game, emulator, wrappers):
        from mario.vector.atari import AtariVectorEnv  # ale-py need not be there otherwise

        chosen = find_game(game).kwargs | {"actions": parse_actions(actions)}
        return AtariVectorEnv(num_envs, wrappers=wrappers, seed=seed, seed_of=seed_of, **chosen)
    make = partial(make_env, game, parse_actions(actions), emulator, wrappers)
    return ProcessVectorEnv(make, num_envs, seed=seed, seed_of=seed_of, report=report)


def supports_ale_threads(game: str, emulator: str, wrappers: WrapperConfig) -> bool:
    """Whether ALE's threads can play a game and do what the wrappers do.

    They can play any Atari game, but neither go back in one nor hold on to buttons, nor paint into
    pictures, crop or filter them.

    >>> supports_ale_threads("Tetris-v0", "auto", WrapperConfig())
    False
    """
    view = wrappers
    beyond = (
        view.revisit,
        view.show_action,
        view.repeat_action_probability,
        view.crop_top,
        view.observation == "orange",
    )
    plain = emulator == "auto" and not any(beyond)
    return plain and ":" not in game and find_game(game).entry_point == ATARI


def supports_native_mario(game: str, emulator: str, wrappers: WrapperConfig) -> bool:
    """Whether compiled code can play a game and do what the wrappers do.

    It is for Super Mario Bros. on the native emulator, where that is built, pictures that are no
    larger than the screen, and wrappers that Mario is usually seen through.

    >>> supports_native_mario("Tetris-v0", "auto", WrapperConfig())
    False
    """
    spec = gym.registry.get(game)
    return (
        emulator in ("auto", "native")
        and spec is not None
        and spec.entry_point == MARIO
        and wrappers.size <= SCREEN_SHAPE[0] - wrappers.crop_top
        and not wrappers.only_wrapped
        and find_spec("mario.games._native") is not None
    )


def preferred_num_envs(game: str, emulator: str, wrappers: WrapperConfig) -> int:
    """How many games it pays to play at a time, where nothing is learned meanwhile.

    In compiled code a game costs little, and the network is fastest with many; an Atari game has a
    thread of its own; any other is a process, which takes a second to start.

    >>> preferred_num_envs("Tetris-v0", "auto", WrapperConfig())
    2
    """
    if supports_native_mario(game, emulator, wrappers):
        return 32
    return 8 if supports_ale_threads(game, emulator, wrappers) else 2


def make_agent(
    name: str,
    hyper: AgentConfig,
    games: gym.Env[Any, Any] | GameVectorEnv,
    *,
    device: str = "cpu",
    seed: int = 0,
    folder: Path | None = None,
    training: bool = True,
    threads: int = 1,
) -> Agent:
    """Make an agent for the games that it is to play.

    Args:
        name: see `mario.config.run_config.agent_class`.
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
    if isinstance(games, GameVectorEnv):
        space, actions = games.single_observation_space, games.single_action_space
        num_envs = games.num_envs
    if not isinstance(actions, gym.spaces.Discrete) or space.shape is None:
        raise UsageError(f"an agent chooses among numbered actions; the game has {actions}")
    spec = AgentSpec(
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
        return agent_class(name).build(spec, hyper)
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
