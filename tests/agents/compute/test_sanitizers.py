"""Runs the tests of the compiled code again under address, UB and thread sanitizers."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SANITIZERS = {
    "address,undefined": (["libasan.so", "libubsan.so"], ["float16", "adam", "bindings"]),
    "thread": (["libtsan.so"], ["adam", "bindings"]),
}
"""Runtime libraries of each kind of sanitizer, and the tests to run with it."""


def library_path(name: str) -> str:
    """Return the path of a compiler library, or just its name if the compiler does not have it."""
    result = subprocess.run(
        ["g++", f"-print-file-name={name}"], capture_output=True, check=True, text=True
    )
    return result.stdout.strip()


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
@pytest.mark.parametrize("sanitizer", SANITIZERS)
def test_the_compiled_code_passes_its_tests_under_sanitizers(tmp_path, sanitizer):
    names, tests = SANITIZERS[sanitizer]
    libraries = [library_path(name) for name in names]
    if not all(Path(library).is_absolute() for library in libraries):
        pytest.skip("the compiler does not have this sanitizer")
    for folder in ("agents", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.so"))
    shutil.copy(ROOT / "setup.cfg", tmp_path)
    library = tmp_path / "agents" / "compute" / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
    options = [
        "-std=c++17", "-O1", "-g", "-fPIC", "-shared", "-pthread", f"-fsanitize={sanitizer}",
    ]  # fmt: skip
    sources = sorted((ROOT / "agents" / "compute" / "native").glob("*.cpp"))
    include = sysconfig.get_paths()["include"]
    subprocess.run(["g++", *options, f"-I{include}", *sources, "-o", library], check=True)
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-k",
            "not 3136 and not 200 and not 100 and not total_norm and not non_finite "
            "and not without_memory",  # sanitizers end the process instead
            *(f"tests/agents/compute/test_{test}.py" for test in tests),
        ],
        cwd=tmp_path,
        env=os.environ
        | {
            "LD_PRELOAD": " ".join(libraries),
            "ASAN_OPTIONS": "detect_leaks=0",  # the Python interpreter leaks
            "UBSAN_OPTIONS": "halt_on_error=1",
            "PYTHONPATH": str(tmp_path),
        },
        capture_output=True,
        text=True,
    )
    output = result.stdout[-2000:] + result.stderr[-4000:]
    assert result.returncode == 0, output
    assert "WARNING: ThreadSanitizer" not in result.stderr, output
