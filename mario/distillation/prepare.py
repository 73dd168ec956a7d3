"""The teachers of a run: checks the flags, and loads the trained agents."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mario.config.run_config import TrainConfig
from mario.errors import UsageError
from mario.runs.agent_factory import agent_class, resolve_device
from mario.runs.run_files import collect_files
from mario.runs.trained_agent import TrainedAgent, load_agent

FOLDER = "teachers"
"""Folder with copies of the teachers, in the run's folder."""


def prepare_teachers(config: TrainConfig[Any], run: Path) -> list[TrainedAgent]:
    """Return the teachers of a run, whose files are copied if it is new.

    Args:
        config: The configuration of the run.
        run: The run's folder.

    Raises:
        UsageError: A file cannot be used, or the agent and the flag do not go together.
    """
    is_taught = agent_class(config.agent).guided_by == "teachers"
    if is_taught and not config.teachers:
        raise UsageError(
            f"--agent {config.agent} imitates trained agents; give them with --teachers"
        )
    if config.teachers and not is_taught:
        raise UsageError(f"--teachers has no effect on --agent {config.agent}; use --agent distill")
    if not is_taught:
        return []
    device = resolve_device(config.device)
    paths = collect_files("teachers", config.teachers, run / FOLDER)
    return [load_agent(path, device=device) for path in paths]
