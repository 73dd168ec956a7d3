"""`mario-train`: train an agent, or resume a run."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mario.commands import cli
from mario.commands.train_levels import read_list_flags, train_list
from mario.errors import UsageError
from mario.system.announce import announced
from mario.system.signals import StopSignals
from mario.training.closing import STOP_LINES, closing_lines

if TYPE_CHECKING:
    from mario.config.run_config import TrainConfig
    from mario.training.train import OpenSession

NAME = "mario-train"
DESCRIPTION = """Train an agent to play a game from pixels.

Log, plots, metrics and checkpoints go to a new folder in --save-dir. Ctrl-C saves and exits.
With --levels, several levels are trained, each in a run of its own.
Presets for --preset: {presets}.
"""
EARLY_FLAGS = ("resume", "preset", "agent", "game", "warm-start")
"""Flags that determine the defaults of the other flags and are therefore parsed first."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``mario-train``."""
    cli.start(NAME, train, arguments)


def train(arguments: Sequence[str]) -> int:
    """Train an agent as the command line specifies.

    Args:
        arguments: the command line without the name of the command.

    Returns:
        The exit code: 0, 1 if a level of a list failed, or 130 / 143 if a signal stopped the run.
        The run is saved first.
    """
    if (given := read_list_flags(arguments)) is not None:
        return train_list(*given, read_flags)
    with StopSignals(STOP_LINES) as stop:
        with announced(cli.LOADING):
            config, resume = read_flags(arguments)
            # Imported here, because worker processes import the main module and must start fast.
            from mario.training.train import train as train_agent

            open_session = _session_opener(config)
        result = train_agent(config, resume=resume, stop=stop, open_session=open_session)
        print("\n".join(closing_lines(result, config)))
    return stop.exit_code


def _session_opener(config: TrainConfig[Any]) -> OpenSession:
    """Return what opens the session: on this machine, or on a cluster."""
    if config.cluster is None:
        from mario.training.session import Session

        return Session
    from mario.cluster.launch import cluster_session

    return cluster_session


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
    early, others = _read_early_flags(arguments)
    _check_names(early)
    from mario.config.presets import preset_names
    from mario.config.run_config import TrainConfig, TrainFlags
    from mario.runs.train_config import for_new_run, preset_config, saved_config

    if early.resume is None:
        defaults = preset_config(early.preset, early.agent, early.game)
    else:
        defaults = saved_config(
            Path(early.resume), game=early.game, agent=early.agent, callbacks=early.callback
        )
    flags_type: Any = TrainFlags
    flags = cli.parse(
        NAME, flags_type[type(defaults.hyper)], others,
        DESCRIPTION.format(presets=", ".join(preset_names())), TrainFlags(**_fields(defaults)),
    )  # fmt: skip
    config = TrainConfig(**{name: getattr(flags, name) for name in _fields(defaults)})
    return (for_new_run(config) if flags.resume is None else config), flags.resume


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
    given = [(flag, getattr(early, flag.replace("-", "_"))) for flag in EARLY_FLAGS]
    given += [("callback", reference) for reference in early.callback]
    front = [word for flag, value in given if value is not None for word in (f"--{flag}", value)]
    return early, front + others


def _check_names(early: argparse.Namespace) -> None:
    """Check the names and files before the slow imports.

    Raises:
        UsageError: there is no such game, preset, agent, module of a callback, checkpoint or run.
    """
    from mario.config.agent_names import check_agent
    from mario.config.presets import read_preset
    from mario.games.registry import find_game
    from mario.runs.file_kind import check_is_archive, check_is_run
    from mario.system.plugins import check_module

    if early.agent is not None:
        check_agent(early.agent)
    for reference in early.callback:
        check_module("--callback", reference)
    if early.warm_start is not None:
        check_is_archive(Path(early.warm_start))
    if early.resume is not None:
        check_is_run(Path(early.resume))
    if early.game is not None:
        find_game(early.game)
    if early.preset is not None:
        read_preset(early.preset)


def _fields(config: TrainConfig[Any]) -> dict[str, Any]:
    return {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
