"""`mario-train`: train an agent, or resume a run."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mario.commands import cli
from mario.errors import UsageError

if TYPE_CHECKING:
    from mario.config.run_config import TrainConfig

NAME = "mario-train"
DESCRIPTION = """Train an agent to play a game from pixels.

Log, plots, metrics and checkpoints go to a new folder in --save-dir. Ctrl-C saves and exits.
Presets for --preset: {presets}.
"""
EARLY_FLAGS = ("resume", "preset", "agent", "game")
"""Flags that determine the defaults of the other flags and are therefore parsed first."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``mario-train``."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    cli.run(NAME, lambda: train(given))


def train(arguments: Sequence[str]) -> int:
    """Train an agent as the command line specifies.

    Args:
        arguments: the command line without the name of the command.

    Returns:
        The exit code: 0, or 130 / 143 if a signal stopped the run. The run is saved first.
    """
    # Imported here, because worker processes import the main module and must start fast.
    from mario.system.signals import StopSignals
    from mario.training.callbacks import load_callback
    from mario.training.session import Session

    config, resume = read_flags(arguments)
    callbacks = [load_callback(reference) for reference in config.callback]
    with (
        StopSignals() as stop,
        Session(config, resume, stop=lambda: bool(stop), callbacks=callbacks) as session,
    ):
        session.train()
        return stop.exit_code


def read_flags(arguments: Sequence[str]) -> tuple[TrainConfig[Any], Path | None]:
    """Read the configuration of a run from the command line.

    A flag that is not given has the value of the resumed run or, in a new run, of the preset.

    Args:
        arguments: the command line without the name of the command.

    Returns:
        The configuration, and the folder of the run to resume or None for a new run.

    Raises:
        UsageError: a flag is unknown or has an invalid value.
    """
    from mario.config.presets import preset_names
    from mario.config.run_config import TrainConfig, TrainFlags

    early, others = _read_early_flags(arguments)
    if early.resume is None:
        defaults = _preset_config(early.preset, early.agent, early.game)
    else:
        defaults = _saved_config(Path(early.resume), early)
    flags_type: Any = TrainFlags
    flags = cli.parse(
        NAME, flags_type[type(defaults.hyper)], others,
        DESCRIPTION.format(presets=", ".join(preset_names())), TrainFlags(**_fields(defaults)),
    )  # fmt: skip
    config = TrainConfig(**{name: getattr(flags, name) for name in _fields(defaults)})
    if flags.resume is None:
        config = dataclasses.replace(config, hyper=config.hyper.for_run(config.steps))
    else:
        _check_same_run(defaults, config, flags.resume)
    return config, flags.resume


def _read_early_flags(arguments: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
    """Return the flags that determine the defaults, and all arguments with these flags first.

    They come first so that they are not mistaken for values of a flag that takes several values.
    """
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for flag in EARLY_FLAGS:
        parser.add_argument(f"--{flag}")
    parser.add_argument("--callback", action="append", default=[])
    try:
        early, others = parser.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise UsageError(f"{error.argument_name} needs a value; see {NAME} --help") from None
    given = [(flag, getattr(early, flag)) for flag in EARLY_FLAGS]
    given += [("callback", reference) for reference in early.callback]
    front = [word for flag, value in given if value is not None for word in (f"--{flag}", value)]
    return early, front + others


def _preset_config(preset: str | None, agent: str | None, game: str | None) -> TrainConfig[Any]:
    """Return the defaults of a new run."""
    from mario.config.presets import read_preset
    from mario.config.run_config import DEFAULT_PRESETS
    from mario.runs.agent_factory import agent_class

    name = preset or DEFAULT_PRESETS.get(agent or "ddqn")
    values = read_preset(name, game) if name else {}
    if agent is not None and agent != values.get("agent"):
        values.pop("hyper", None)  # the preset's hyperparameters are for its own agent
    values |= {"preset": name, "agent": agent or values.get("agent", "ddqn")}
    return _make_config(values, agent_class(values["agent"]).Config)


def _saved_config(run: Path, early: argparse.Namespace) -> TrainConfig[Any]:
    """Return the configuration of a run to resume, without its callbacks.

    The user must give ``--game``, ``--agent`` and ``--callback`` again for code of their own,
    because a file must not decide which code is run.
    """
    from mario.runs.agent_factory import agent_class
    from mario.runs.run_folder import RunFolder

    values = RunFolder.read_config(run)
    agent, callbacks = str(values.get("agent")), values.pop("callback", [])
    _require_named(run, "game", [values.get("game")], [early.game])
    _require_named(run, "agent", [agent], [early.agent])
    _require_named(run, "callback", callbacks, early.callback)
    return _make_config(values, agent_class(agent).Config)


def _require_named(run: Path, flag: str, saved: Any, given: Sequence[str | None]) -> None:
    """Check that the user named every module that a saved configuration needs.

    Args:
        run: the run.
        flag: name of the flag.
        saved: the saved names, of which those of modules contain a colon.
        given: the names on the command line.

    Raises:
        UsageError: a module was not named.
    """
    names = map(str, saved) if isinstance(saved, list) else [str(saved)]
    missing = [f"--{flag} {name}" for name in names if ":" in name and name not in given]
    if missing:
        kind = {"game": "a game", "agent": "an agent", "callback": "callbacks"}[flag]
        raise UsageError(f"{run} was trained with {kind} of your own; add {' '.join(missing)}")


def _make_config(values: dict[str, Any], hyper: type[Any]) -> TrainConfig[Any]:
    from mario.config.run_config import TrainConfig
    from mario.config.serialization import from_dict

    return from_dict(
        TrainConfig, values | {"hyper": from_dict(hyper, values.get("hyper", {}), "hyper.")}
    )


def _check_same_run(saved: TrainConfig[Any], config: TrainConfig[Any], run: Path) -> None:
    """Check that a resumed run has the same game, agent and other settings that affect learning.

    Raises:
        UsageError: a setting differs.
    """
    from mario.config.run_config import RESUME_OVERRIDES

    for field in dataclasses.fields(saved):
        before, now = getattr(saved, field.name), getattr(config, field.name)
        if field.name not in RESUME_OVERRIDES and before != now:
            flag = field.name.replace("_", "-")
            raise UsageError(
                f"{run} has --{flag} {before}, which cannot become {now}; "
                f"omit --{flag}, or start a new run"
            )


def _fields(config: TrainConfig[Any]) -> dict[str, Any]:
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
