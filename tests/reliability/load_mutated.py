"""Loads mutated copies of a checkpoint, and measures how much memory each of them allocates.

    LD_PRELOAD=allocations.so PYTHONMALLOC=malloc python load_mutated.py CHECKPOINT FOLDER COUNT

Prints a JSON object with the peak of the intact file, and for each mutated file why it is refused
("" if it is read), the peak, and the names of the files in FOLDER.
"""

from __future__ import annotations

import ctypes
import gc
import json
import random
import sys
import zipfile
from pathlib import Path
from unittest import mock

import torch

from mario.errors import UsageError
from mario.runs.archive import add_digest
from mario.runs.trained_agent import load_agent

SEED = 5


def mutate(original: bytes, rng: random.Random) -> bytes:
    """Change a few bytes of an archive's pickle or of the whole file."""
    content = bytearray(original)
    start = max(0, content.find(b"data.pkl")) if rng.random() < 0.8 else 0
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


def measure(path: Path, library: ctypes.CDLL) -> tuple[str, int]:
    """Return why a file is refused, or "" if its agent is loaded, and the peak in bytes."""
    gc.collect()
    library.start_peak()
    reason = ""
    try:
        load_agent(path)
    except UsageError as error:
        reason = str(error)
    return reason, library.peak_bytes()


def main() -> None:
    torch.set_num_threads(1)
    checkpoint, folder, count = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    rng, path = random.Random(SEED), folder / "a.chkpt"
    original = checkpoint.read_bytes()
    library = ctypes.CDLL(None)  # allocations.so, which is loaded before all others
    library.peak_bytes.restype = ctypes.c_longlong
    measure(checkpoint, library)  # imports modules and fills caches
    gc.freeze()
    intact = measure(checkpoint, library)
    results = []
    for number in range(count):
        path.write_bytes(mutate(original, rng))
        if number % 3:
            repair(path)
        if number % 3 == 2:
            seal(path)
        results.append((*measure(path, library), sorted(file.name for file in folder.iterdir())))
    print(json.dumps({"intact": intact, "mutated": results}))


if __name__ == "__main__":
    main()
