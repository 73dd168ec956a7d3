"""The compiled layers' own tests, run again with checks of addresses, arithmetic and races."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CHECKS = {
    "address,undefined": (["libasan.so", "libubsan.so"], ["float16", "adam", "bindings"]),
    "thread": (["libtsan.so"], ["adam", "bindings"]),
}
"""The libraries of each kind of check, and the tests to run with them."""


def runtime(library: str) -> str:
    """Where the compiler has a library; just its name if it has not."""
    found = subprocess.run(
        ["g++", f"-print-file-name={library}"], capture_output=True, check=True, text=True
    )
    return found.stdout.strip()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="there is no compiler")
@pytest.mark.parametrize("checks", CHECKS)
def test_the_layers_touch_nothing_but_their_own(tmp_path, checks):
    names, tests = CHECKS[checks]
    libraries = [runtime(each) for each in names]
    if not all(Path(each).is_absolute() for each in libraries):
        pytest.skip("the compiler has not these checks")
    for folder in ("agents", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.so"))
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    library = tmp_path / "agents" / "compute" / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
    options = ["-std=c++17", "-O1", "-g", "-fPIC", "-shared", "-pthread", f"-fsanitize={checks}"]
    sources = sorted((ROOT / "agents" / "compute" / "native").glob("*.cpp"))
    include = sysconfig.get_paths()["include"]
    subprocess.run(["g++", *options, f"-I{include}", *sources, "-o", library], check=True)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-k",
            "not 3136 and not 200 and not 100 and not length",
            *(f"tests/agents/compute/test_{each}.py" for each in tests),
        ],
        cwd=tmp_path,
        env=os.environ
        | {
            "LD_PRELOAD": " ".join(libraries),
            "ASAN_OPTIONS": "detect_leaks=0",  # those of the interpreter
            "UBSAN_OPTIONS": "halt_on_error=1",
            "PYTHONPATH": str(tmp_path),
        },
        capture_output=True,
        text=True,
    )
    told = done.stdout[-2000:] + done.stderr[-4000:]
    assert done.returncode == 0, told
    assert "WARNING: ThreadSanitizer" not in done.stderr, told
