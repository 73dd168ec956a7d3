"""An environment for what cannot be installed beside this project, made once on demand."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

FOLDER = Path(sys.prefix) / "bench"
ALONE = ("stable-retro==1.0.1", "farama-notifications", "stable-baselines3>=2.7,<3")
"""Installed without what they ask for, which this project has, in versions they also work with."""
WITH_NEEDS = ("pandas",)


def other_python() -> Path:
    """The Python of that environment, which also sees what is installed in this one.

    Raises:
        subprocess.CalledProcessError: something cannot be installed.
    """
    python, done = FOLDER / "bin" / "python", FOLDER / "installed"
    if not done.exists():
        venv.create(FOLDER, with_pip=True, clear=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        seen = FOLDER / "lib" / version / "site-packages" / "ours.pth"
        seen.write_text(sysconfig.get_path("purelib") + "\n")
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--no-deps", *ALONE], check=True)
        subprocess.run([*install, *WITH_NEEDS], check=True)
        done.touch()
    return python
