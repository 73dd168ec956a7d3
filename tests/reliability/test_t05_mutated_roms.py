"""T5: 10,000 mutated ROMs and save-states, with address and undefined-behavior sanitizers."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import mario.emulators.native
from mario.games.roms import mario_rom

FOLDER = Path(mario.emulators.native.__file__).parent


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("g++") is None, reason="g++ is not installed")
@pytest.mark.parametrize(
    ("rounds", "seed"),
    [(300, 1), *(pytest.param(5000, seed, marks=pytest.mark.long) for seed in (1, 2))],
)
def test_t05_mutated_roms_and_states_are_refused_or_harmless(
    tmp_path: Path, rounds: int, seed: int
) -> None:
    sources = [
        path for path in FOLDER.glob("*.cpp") if path.name not in ("c_api.cpp", "module.cpp")
    ]
    program, driver = tmp_path / "fuzz", Path(__file__).with_name("fuzz_native.cpp")
    sanitizers = [
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover=all",
        "-D_GLIBCXX_ASSERTIONS",
    ]
    options = ["-std=c++17", "-O1", "-g", "-I", str(FOLDER), *sanitizers]
    subprocess.run(["g++", *options, *sources, driver, "-o", program], check=True)
    done = subprocess.run(
        [program, str(rounds), str(seed), mario_rom()], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert all(int(count) > rounds / 50 for count in re.findall(r"\d+", done.stdout))
