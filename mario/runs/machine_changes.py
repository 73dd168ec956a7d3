"""What differs between the machine that saved a run and the one that resumes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def describe_changes(saved: Mapping[str, Any], current: Mapping[str, Any]) -> str:
    """Return one line about changes after which results may differ in the last bits, or ``""``.

    Args:
        saved: the checkpoint of the run, with ``versions``, ``emulator`` and ``training``.
        current: the same entries for this machine.

    >>> saved = {"versions": {"torch": "2.14.0"}, "emulator": "native", "training": {}}
    >>> describe_changes(saved, saved)
    ''
    >>> describe_changes(saved, saved | {"emulator": "nes-py"})
    'the run was saved with emulator native and continues with emulator nes-py: its results may differ from those of a run that was never stopped'
    """  # noqa: E501
    before, now = _properties(saved), _properties(current)
    changed = [name for name in before if name in now and before[name] != now[name]]
    if not changed:
        return ""
    old, new = (", ".join(f"{name} {each[name]}" for name in changed) for each in (before, now))
    return (
        f"the run was saved with {old} and continues with {new}: its results may differ from "
        "those of a run that was never stopped"
    )


def _properties(checkpoint: Mapping[str, Any]) -> dict[str, str]:
    versions, training = checkpoint["versions"], checkpoint["training"]
    properties = {name: str(versions[name]) for name in ("torch", "numpy") if name in versions}
    properties["emulator"] = str(checkpoint["emulator"])
    if "threads" in training:  # each computes the gradient of a part of the batch
        properties["threads"] = str(training["threads"])
    if "hardware" in training:  # the number of cores itself does not matter
        properties["processor"] = str(training["hardware"]).partition(" x ")[2]
    return properties
