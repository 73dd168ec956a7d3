"""A virtual environment for packages that conflict with this project, created on demand."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

FOLDER = Path(sys.prefix) / "bench"
WITHOUT_DEPENDENCIES = ("stable-retro==1.0.1", "farama-notifications", "stable-baselines3>=2.7,<3")
"""Installed without dependencies: this project provides them in versions that work."""
WITH_DEPENDENCIES = ("pandas",)


def peer_python() -> Path:
    """Return the interpreter of that environment, which also sees this environment's packages.

    Raises:
        subprocess.CalledProcessError: A package cannot be installed.
    """
    python, done = FOLDER / "bin" / "python", FOLDER / "installed"
    if not done.exists():
        venv.create(FOLDER, with_pip=True, clear=True)
        version = f"python{sys.version_info.major}.{sys.version_info.minor}"
        path_file = FOLDER / "lib" / version / "site-packages" / "project.pth"
        path_file.write_text(sysconfig.get_path("purelib") + "\n")
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*install, "--no-deps", *WITHOUT_DEPENDENCIES], check=True)
        subprocess.run([*install, *WITH_DEPENDENCIES], check=True)
        done.touch()
    return python
