"""T5: mutated checkpoints are read or refused in one line, with no more memory than intact ones."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from short_runs import config, train

from mario.errors import UsageError
from mario.runs.trained_agent import load_agent

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
COUNTS = [300, pytest.param(10_000, marks=pytest.mark.long)]


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The compiled ``allocations.c``."""
    if shutil.which("gcc") is None or sys.platform != "linux":
        pytest.skip("needs gcc and Linux")
    path = tmp_path_factory.mktemp("library") / "allocations.so"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O1", HERE / "allocations.c", "-o", path], check=True
    )
    return path


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A real checkpoint of a small agent, without the state for resuming."""
    run = train(config(tmp_path_factory.mktemp("runs"), "ppo", steps=20))
    load_agent(run / "mario_net_0.chkpt")
    return run / "mario_net_0.chkpt"


@pytest.fixture(scope="module")
def legacy(tmp_path_factory):
    """A file of torch before version 1.6, whose reader allocates what the file asks for."""
    path = tmp_path_factory.mktemp("legacy") / "legacy.chkpt"
    content = {"model": {"weight": torch.rand(300, 600)}, "exploration_rate": 0.5}
    torch.save(content, path, _use_new_zipfile_serialization=False)
    with pytest.raises(UsageError, match="names from the tutorial"):
        load_agent(path)
    return path


def load_mutated(library, checkpoint, folder, count):
    """Run the script in a process whose allocations are measured; return what it prints."""
    script = HERE / "load_mutated.py"
    done = subprocess.run(
        [sys.executable, script, checkpoint, folder, str(count)],
        capture_output=True, text=True, check=False,
        env=os.environ | {
            "LD_PRELOAD": str(library), "PYTHONMALLOC": "malloc", "PYTHONPATH": str(ROOT),
        },
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("kind", ["checkpoint", "legacy"])
def test_t05_mutated_checkpoints_are_read_or_refused(tmp_path, library, kind, count, request):
    original = request.getfixturevalue(kind)
    size = original.stat().st_size
    found = load_mutated(library, original, tmp_path, count)
    _, need = found["intact"]
    assert size < need < 3 * size
    assert len(found["mutated"]) == count
    for reason, peak, files in found["mutated"]:
        assert "\n" not in reason
        assert peak <= 2 * need, (reason, peak, need)
        assert files == ["a.chkpt"]
    refused = sum(bool(reason) for reason, *_ in found["mutated"])
    assert refused > count / 2
    most = max(peak for _, peak, _ in found["mutated"])
    print(
        f"{count} files of {size:,} bytes: {refused} refused, at most {most / need:.3f} x {need:,}"
    )


def test_t05_failed_and_unused_allocations_are_measured(library):
    code = (
        "import ctypes, mmap, torch\n"
        "library = ctypes.CDLL(None)\n"
        "library.peak_bytes.restype = ctypes.c_longlong\n"
        "def failing():\n"
        "    try: torch.empty(2**55)\n"
        "    except RuntimeError: pass\n"
        "for allocate in (failing, lambda: torch.empty(2**20), lambda: bytes(2**21)):\n"
        "    library.start_peak()\n"
        "    allocate()\n"
        "    print(library.peak_bytes())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env=os.environ | {"LD_PRELOAD": str(library), "PYTHONMALLOC": "malloc"},
    )  # fmt: skip
    failed, tensor, number = map(int, done.stdout.split())
    assert failed > 2**57
    assert abs(tensor - 2**22) < 10_000
    assert abs(number - 2**21) < 10_000
