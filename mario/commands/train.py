"""`mario-train`: train an agent, or go on with a run."""

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

The run's folder is made in --save-dir: log, plots, metrics and checkpoints. Ctrl-C saves and ends.
--preset takes: {presets}.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of ``mario-train``."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    cli.run(NAME, lambda: train(given))


def train(arguments: Sequence[str]) -> int:
    """Train as the flags say.

    Returns:
        The exit code: 0, or 130 / 143 when a signal ended the run after it was saved.
    """
    # Imported here, so that a game's process, which imports the main program, stays small.
    from mario.system.signals import StopSignals
    from mario.training.session import Session

    config, resume = read_flags(arguments)
    with StopSignals() as stop, Session(config, resume, stop=lambda: bool(stop)) as session:
        session.train()
        return stop.exit_code


def read_flags(arguments: Sequence[str]) -> tuple[TrainConfig[Any], Path | None]:
    """The configuration that the flags ask for, and the folder of the run to go on with.

    What is not on the command line comes from the run that is resumed, else from the preset.

    Raises:
        UsageError: the flags make no sense.
    """
    from mario.config.presets import preset_names
    from mario.config.run_config import TrainConfig, TrainFlags

    early = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for flag in ("--resume", "--preset", "--agent", "--game"):
        early.add_argument(flag)
    try:
        known, others = early.parse_known_args(arguments)
    except argparse.ArgumentError as error:
        raise UsageError(f"{error.argument_name} needs a value; see {NAME} --help") from None
    defaults = (
        _of_preset(known.preset, known.agent, known.game)
        if known.resume is None
        else _of_run(Path(known.resume), known.agent)
    )
    kind: Any = TrainFlags
    flags = [
        word
        for flag in ("resume", "preset", "agent", "game")
        if (value := getattr(known, flag)) is not None
        for word in (f"--{flag}", value)
    ]
    text = DESCRIPTION.format(presets=", ".join(preset_names()))
    asked = cli.parse(
        NAME, kind[type(defaults.hyper)], flags + others, text, TrainFlags(**_fields(defaults))
    )
    config = TrainConfig(**{name: getattr(asked, name) for name in _fields(defaults)})
    if asked.resume is None:
        config = dataclasses.replace(config, hyper=config.hyper.for_run(config.steps))
    else:
        _check_same_run(defaults, config, asked.resume)
    return config, asked.resume


def _of_preset(preset: str | None, agent: str | None, game: str | None) -> TrainConfig[Any]:
    """The defaults of a new run."""
    from mario.config.presets import read_preset
    from mario.config.run_config import DEFAULT_PRESETS
    from mario.runs.agent_factory import agent_class

    named = preset or DEFAULT_PRESETS.get(agent or "ddqn")
    values = read_preset(named, game) if named else {}
    if agent is not None and agent != values.get("agent"):
        values.pop("hyper", None)  # a preset's hyper-parameters are its own agent's
    values |= {"preset": named, "agent": agent or values.get("agent", "ddqn")}
    return _config(values, agent_class(values["agent"]).Config)


def _of_run(run: Path, agent: str | None) -> TrainConfig[Any]:
    """The configuration of the run that is resumed.

    A user's own agent must be named again: no file decides which code is run.
    """
    from mario.runs.agent_factory import agent_class
    from mario.runs.run_folder import RunFolder

    values = RunFolder.read_config(run)
    name = str(values.get("agent"))
    if ":" in name and agent is None:
        raise UsageError(f"{run} was trained with an agent of your own; add --agent {name}")
    return _config(values, agent_class(name).Config)


def _config(values: dict[str, Any], hyper: type[Any]) -> TrainConfig[Any]:
    from mario.config.run_config import TrainConfig
    from mario.config.serialization import from_dict

    return from_dict(
        TrainConfig, values | {"hyper": from_dict(hyper, values.get("hyper", {}), "hyper.")}
    )


def _check_same_run(saved: TrainConfig[Any], asked: TrainConfig[Any], run: Path) -> None:
    """Refuse to resume a run as something that it is not."""
    from mario.config.run_config import RESUME_OVERRIDES

    for item in dataclasses.fields(saved):
        before, now = getattr(saved, item.name), getattr(asked, item.name)
        if item.name not in RESUME_OVERRIDES and before != now:
            flag = item.name.replace("_", "-")
            raise UsageError(
                f"{run} has --{flag} {before}, which cannot become {now}; "
                f"leave --{flag} out, or start a new run"
            )


def _fields(config: TrainConfig[Any]) -> dict[str, Any]:
    return {item.name: getattr(config, item.name) for item in dataclasses.fields(config)}
