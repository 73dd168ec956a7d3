"""Demonstration files: the buttons of a play, and what is needed to replay it.

A file is JSON with the fields of `Demonstration`; the play is run-length encoded as pairs of a
button mask and a number of steps, and a digest covers everything else. Equal demonstrations have
equal files. Loading executes nothing: the size of the file and of every field is bounded and
checked first, and a game in a module of the user's is only imported if the user names it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from itertools import groupby
from pathlib import Path
from typing import Any

from mario.errors import UsageError
from mario.games.actions import action_masks
from mario.search.interface import Play
from mario.system.files import write_atomically

FORMAT = 1
SUFFIX = ".demo"
MAX_BYTES = 1 << 20
MAX_STEPS = 1_000_000
MAX_NOOPS = 10_000
MAX_SKIP = 60
MAX_TEXT = 200
MAX_ACTIONS = 256


class DemonstrationError(UsageError):
    """Raised when a file cannot be used as a demonstration; the message names the file."""


@dataclass(frozen=True)
class Demonstration:
    """A play of a game from the start of an episode.

    Attributes:
        game: Id of the game in Gymnasium's registry.
        rom_sha256: SHA-256 of the game's ROM file, hexadecimal.
        emulator: Name of the emulator on which it was found.
        seed: Seed of the game's reset.
        noops: Number of no-op frames before the first step.
        reward_version: Name of the game's reward.
        actions: The action set to which the buttons of all steps belong: a name, or the buttons of
            each action.
        skip: Frames per step.
        ending: How the episode ends, see `mario.games.endings.Ending`; ``""`` if it goes on.
        play: The buttons of each step, one mask per byte.
    """

    game: str
    rom_sha256: str
    emulator: str
    seed: int
    noops: int
    reward_version: str
    actions: str | list[list[str]]
    skip: int
    ending: str
    play: Play


def dump(demonstration: Demonstration) -> bytes:
    """Return the content of the file of a demonstration."""
    runs = [[mask, len(list(group))] for mask, group in groupby(demonstration.play)]
    content = asdict(demonstration) | {"format": FORMAT, "play": runs}
    content["digest"] = _digest(content)
    return (_encode(content) + "\n").encode()


def save(path: Path, demonstration: Demonstration) -> None:
    """Write a demonstration atomically.

    Raises:
        OSError: The disk is full, read-only or missing; an existing file is left unchanged.
    """
    content = dump(demonstration)
    write_atomically(path, lambda file: file.write(content))


def load(path: Path) -> Demonstration:
    """Verify and read a demonstration.

    Raises:
        DemonstrationError: The file is missing, too large, damaged, or not a demonstration.
    """
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise DemonstrationError(
            f"demonstration {path} cannot be read: {error.strerror}; give the path of a file"
        ) from None
    for problem in _problems(data):
        raise DemonstrationError(f"demonstration {path} is refused: {problem}")
    content = json.loads(data)
    play = b"".join(bytes([mask]) * count for mask, count in content["play"])
    names = [field.name for field in fields(Demonstration)]
    return Demonstration(**{name: content[name] for name in names} | {"play": play})


def _problems(data: bytes) -> Iterator[str]:
    """Yield what is wrong with the content of a file; later checks rely on the earlier ones."""
    if len(data) > MAX_BYTES:
        yield f"it is larger than {MAX_BYTES:,} bytes"
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        yield "it is not JSON"
    if not isinstance(content, dict) or type(content.get("format")) is not int:
        yield "it is not a demonstration"
    if content["format"] != FORMAT:
        yield f"it has format {content['format']}, this version reads {FORMAT}"
    if content.pop("digest", None) != _digest(content):
        yield "it differs from its digest"
    if content.keys() != {"format", *(field.name for field in fields(Demonstration))}:
        yield "its fields are not those of a demonstration"
    yield from _wrong_values(content)


def _wrong_values(content: dict[str, Any]) -> Iterator[str]:
    for name in ("game", "rom_sha256", "emulator", "reward_version", "ending"):
        if not isinstance(content[name], str) or len(content[name]) > MAX_TEXT:
            yield f"{name} must be a text of at most {MAX_TEXT} characters"
    for name, low, high in (
        ("seed", 0, 2**63), ("noops", 0, MAX_NOOPS), ("skip", 1, MAX_SKIP),
    ):  # fmt: skip
        if not _is_int(content[name], low, high):
            yield f"{name} must be a number in {low} to {high:,}"
    yield from _wrong_play(content["play"])
    if not isinstance(content["actions"], str | list) or len(content["actions"]) > MAX_ACTIONS:
        yield "actions must be an action set"
    try:
        masks = action_masks(content["actions"])
    except (UsageError, TypeError):
        yield "actions must be an action set"
    if any(mask not in masks for mask, _ in content["play"]):
        yield "it presses buttons that are not in its action set"


def _wrong_play(play: object) -> Iterator[str]:
    if not isinstance(play, list) or not play:
        yield "play must be a list of button masks and numbers of steps"
    assert isinstance(play, list)
    for run in play:
        if not isinstance(run, list) or len(run) != 2 or not _is_int(run[0], 0, 255):
            yield "play must be a list of button masks and numbers of steps"
        if not _is_int(run[1], 1, MAX_STEPS):
            yield f"play must not have more than {MAX_STEPS:,} steps"
    if sum(run[1] for run in play) > MAX_STEPS:
        yield f"play must not have more than {MAX_STEPS:,} steps"


def _is_int(value: object, low: int, high: int) -> bool:
    return type(value) is int and low <= value <= high


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(_encode(content).encode()).hexdigest()


def _encode(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
