"""Presets: named sets of defaults for ``mario-train``, as YAML files in this folder.

Command-line flags override a preset. Settings under ``games`` apply only to the games whose ID
matches the pattern.
"""

from __future__ import annotations

import fnmatch
from importlib import resources
from typing import Any

import yaml

from mario.config.env_config import DEFAULT_GAME
from mario.errors import unknown


def preset_names() -> list[str]:
    """Return the names of all presets."""
    folder = resources.files(__name__)
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read_preset(name: str, game: str | None = None) -> dict[str, Any]:
    """Return the settings of a preset as nested dicts.

    Args:
        name: name of the preset.
        game: ID of the game; None for the preset's own game, or the default game if it has none.

    Raises:
        UsageError: there is no such preset.
    """
    if name not in preset_names():
        raise unknown("preset", name, preset_names())
    text = (resources.files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")
    values: dict[str, Any] = yaml.safe_load(text)
    game_id: str = game or values.get("game", DEFAULT_GAME)
    for pattern, overrides in values.pop("games", {}).items():
        if fnmatch.fnmatch(game_id, pattern):
            values = merge(values, overrides)
    return values


def merge(values: dict[str, Any], overrides: dict[str, Any]) -> dict[str, Any]:
    """Return the values with overrides applied, also in nested dicts.

    >>> merge({"steps": 9, "hyper": {"gamma": 0.9, "n_step": 1}}, {"hyper": {"n_step": 5}})
    {'steps': 9, 'hyper': {'gamma': 0.9, 'n_step': 5}}
    """
    nested = {
        key: merge(values[key], override)
        for key, override in overrides.items()
        if isinstance(override, dict) and isinstance(values.get(key), dict)
    }
    return values | overrides | nested
