"""Named sets of defaults: YAML files in this folder, which flags override."""

from __future__ import annotations

import fnmatch
from importlib import resources
from typing import Any

import yaml

from mario.config.run_config import DEFAULT_GAME
from mario.errors import unknown


def preset_names() -> list[str]:
    """The presets that come with the package."""
    folder = resources.files(__name__)
    return sorted(entry.name[:-5] for entry in folder.iterdir() if entry.name.endswith(".yaml"))


def read_preset(name: str, game: str | None = None) -> dict[str, Any]:
    """Read a preset by name.

    Args:
        name: one of `preset_names`.
        game: the game it is for: what stands under ``games`` for a matching pattern is added.
            None for the preset's own game, or the default one.

    Raises:
        UsageError: there is no such preset.
    """
    if name not in preset_names():
        raise unknown("preset", name, preset_names())
    text = (resources.files(__name__) / f"{name}.yaml").read_text(encoding="utf-8")
    values: dict[str, Any] = yaml.safe_load(text)
    chosen: str = game or values.get("game", DEFAULT_GAME)
    for pattern, more in values.pop("games", {}).items():
        if fnmatch.fnmatch(chosen, pattern):
            values = _merged(values, more)
    return values


def _merged(values: dict[str, Any], more: dict[str, Any]) -> dict[str, Any]:
    """The first with what the second says in its place, and so on in what is inside of it."""
    inner = {
        key: _merged(values[key], each)
        for key, each in more.items()
        if isinstance(each, dict) and isinstance(values.get(key), dict)
    }
    return values | more | inner
