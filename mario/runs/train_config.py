"""Makes the configuration of a run: from a preset, or from the folder of an earlier run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from agents import Agent, AgentConfig
from mario.config.presets import merge, read_preset
from mario.config.run_config import DEFAULT_PRESETS, RESUME_OVERRIDES, TrainConfig
from mario.config.serialization import from_dict, to_dict
from mario.errors import UsageError
from mario.games.registry import find_game
from mario.runs.agent_factory import agent_class, agent_reference, is_kind_of
from mario.runs.file_kind import CONFIG
from mario.runs.run_folder import RunFolder


def train_config(
    *,
    game: str | None = None,
    agent: str | type[Agent] | None = None,
    preset: str | None = None,
    **settings: Any,
) -> TrainConfig[Any]:
    """Return the configuration of a new run, as ``mario-train`` makes it from its flags.

    Args:
        game: ID of the game; None for that of the preset.
        agent: name or class of the agent; None for that of the preset.
        preset: name of a preset; None for the default preset of the agent.
        **settings: values for fields of `mario.config.run_config.TrainConfig`. They override the
            preset. Nested configurations are dicts, of which only the given fields change.

    Raises:
        UsageError: a name is unknown, or a value has the wrong type or is out of range.

    >>> config = train_config(preset="tutorial", steps=5000, hyper={"gamma": 0.95})
    >>> config.game, config.hyper.gamma, config.hyper.batch_size
    ('SuperMarioBros-1-1-v0', 0.95, 32)
    >>> train_config(hyper={"gama": 0.95})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    mario.errors.UsageError: unknown setting 'hyper.gama'; did you mean 'hyper.gamma'...?
    """
    if game is not None:
        find_game(game)
    name = None if agent is None else agent_reference(agent)
    values = to_dict(preset_config(preset, name, game))
    if game is not None:
        values["game"] = game
    return for_new_run(_make_config(merge(values, settings)))


def preset_config(preset: str | None, agent: str | None, game: str | None) -> TrainConfig[Any]:
    """Return the defaults of a new run.

    Args:
        preset: name of a preset; None for the default preset of the agent.
        agent: name of the agent, see `mario.runs.agent_factory.agent_class`; None for that of the
            preset.
        game: ID of the game for which to read the preset; None for that of the preset.

    Raises:
        UsageError: the preset or the agent is unknown.
    """
    kind = agent_class(agent or "ddqn")
    # one of the built-in agents can be a subclass of another
    built_in = [each for each in DEFAULT_PRESETS if is_kind_of(kind, each)]
    nearest = min(built_in, key=lambda each: kind.mro().index(agent_class(each)), default=None)
    name = preset or DEFAULT_PRESETS.get(nearest or "")
    values = read_preset(name, game) if name else {}
    if agent is not None and not is_kind_of(kind, values.get("agent", "ddqn")):
        values.pop("hyper", None)  # the preset's hyperparameters are for its own agent
    return _make_config(values | {"preset": name, "agent": agent or values.get("agent", "ddqn")})


def saved_config(
    run: Path | str,
    *,
    game: str | None = None,
    agent: str | type[Agent] | None = None,
    callbacks: Sequence[str] = (),
) -> TrainConfig[Any]:
    """Return the configuration of an earlier run, without its callbacks.

    The caller must name a game, an agent and callbacks of the user again, because a file must not
    decide which code is run.

    Args:
        run: folder of the run, or a checkpoint in it.
        game: ID of the game. Required for a game of your own, ``module:ID``.
        agent: name or class of the agent. Required for an agent of your own.
        callbacks: the callbacks of your own that the run was started with, as ``module:Class``.

    Raises:
        UsageError: the folder is not a run, or a game, agent or callback is missing.
    """
    run = Path(run)
    values = RunFolder.read_config(run)
    name = None if agent is None else agent_reference(agent)
    _require_named(run, "game", [values.get("game")], [game])
    _require_named(run, "agent", [values.get("agent")], [name])
    _require_named(run, "callback", values.pop("callback", []), callbacks)
    try:
        return _make_config(values)
    except ValueError as error:
        raise UsageError(f"{CONFIG} of {run}: {error}") from None


def for_new_run(config: TrainConfig[Any]) -> TrainConfig[Any]:
    """Return a configuration with hyperparameters that are adapted to the length of the run."""
    return dataclasses.replace(config, hyper=config.hyper.for_run(config.steps))


def check_same_run(config: TrainConfig[Any], run: Path) -> None:
    """Check that a resumed run has the same game, agent and other settings that affect learning.

    Args:
        config: the configuration with which to resume.
        run: folder of the run.

    Raises:
        UsageError: a setting differs.
    """
    saved = saved_config(run, game=config.game, agent=config.agent, callbacks=config.callback)
    for field in dataclasses.fields(saved):
        before, now = getattr(saved, field.name), getattr(config, field.name)
        if field.name not in RESUME_OVERRIDES and before != now:
            flag = field.name.replace("_", "-")
            raise UsageError(
                f"{run} has --{flag} {before}, which cannot become {now}; "
                f"omit --{flag}, or start a new run"
            )


def _require_named(run: Path, flag: str, saved: Any, given: Sequence[str | None]) -> None:
    """Check that the user named every module that a saved configuration needs.

    Args:
        run: the run.
        flag: name of the flag.
        saved: the saved names, of which those of modules contain a colon.
        given: the names that the user gave.

    Raises:
        UsageError: a module was not named.
    """
    names = map(str, saved) if isinstance(saved, list) else [str(saved)]
    missing = [f"--{flag} {name}" for name in names if ":" in name and name not in given]
    if missing:
        kind = {"game": "a game", "agent": "an agent", "callback": "callbacks"}[flag]
        raise UsageError(f"{run} was trained with {kind} of your own; add {' '.join(missing)}")


def _make_config(values: Mapping[str, Any]) -> TrainConfig[Any]:
    hyper = values.get("hyper", {})
    if not isinstance(hyper, AgentConfig):
        hyper = from_dict(agent_class(str(values.get("agent"))).Config, hyper, "hyper.")
    return from_dict(TrainConfig, {**values, "hyper": hyper})
