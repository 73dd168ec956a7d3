"""T5: mutated checkpoints are read or refused in one line, with little memory."""

from __future__ import annotations

import random
import resource
import zipfile
from pathlib import Path
from unittest import mock

import pytest
from limit_memory import limit_memory
from short_runs import config, train

from mario.errors import UsageError
from mario.runs.archive import add_digest
from mario.runs.trained_agent import load_agent

LIMIT = 64 * 2**20
"""Bytes that may be allocated in addition; the checkpoint has a fraction of it."""


def mutate(original: bytes, rng: random.Random) -> bytes:
    """Change a few bytes of an archive's pickle or of the whole file."""
    content = bytearray(original)
    start = content.find(b"data.pkl") if rng.random() < 0.8 else 0
    for _ in range(rng.choice((1, 1, 2, 5, 20))):
        position = rng.randrange(start, min(len(content), start + 4_000))
        kind = rng.randrange(3)
        if kind == 0:
            content[position] = rng.randrange(256)
        elif kind == 1:
            del content[position : position + rng.randrange(1, 9)]
        else:
            content[position:position] = bytes(rng.choices(range(256), k=rng.randrange(1, 9)))
    return bytes(content)


def repair(path: Path) -> None:
    """Give a mutated archive correct CRCs where it can still be opened."""
    try:
        with mock.patch("zipfile.ZipExtFile._update_crc"), zipfile.ZipFile(path) as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError, RuntimeError):
        return
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)


def seal(path: Path) -> None:
    """Give a mutated archive the digest that files of this program have."""
    content = path.read_bytes()
    if content[-2:] == b"\0\0":  # it has no comment
        path.write_bytes(add_digest(content))


def refusal(path: Path) -> str:
    """Return why a file is refused, or "" if its agent is loaded."""
    try:
        load_agent(path)
    except UsageError as error:
        return str(error)
    return ""


@pytest.fixture
def limited_memory():
    """Let allocations of much more than the file needs fail."""
    yield from limit_memory(LIMIT)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A real checkpoint of a small agent, without the state for resuming."""
    run = train(config(tmp_path_factory.mktemp("runs"), "ppo", steps=20))
    content = (run / "mario_net_0.chkpt").read_bytes()
    assert refusal(run / "mario_net_0.chkpt") == ""
    return content


@pytest.mark.parametrize("count", [300, pytest.param(10_000, marks=pytest.mark.long)])
def test_t05_mutated_checkpoints_are_read_or_refused(tmp_path, checkpoint, limited_memory, count):
    rng, path = random.Random(5), tmp_path / "a.chkpt"
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    refused = 0
    for number in range(count):
        path.write_bytes(mutate(checkpoint, rng))
        if number % 3:
            repair(path)
        if number % 3 == 2:
            seal(path)
        reason = refusal(path)
        refused += bool(reason)
        assert "\n" not in reason
        assert [file.name for file in tmp_path.iterdir()] == ["a.chkpt"]
    assert refused > count / 2
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak) / 1e3
    print(
        f"{count} files of {len(checkpoint) / 1e6:.2f} MB: {refused} refused, {grown:.0f} MB more"
    )
