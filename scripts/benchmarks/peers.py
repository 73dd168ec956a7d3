"""Trains our agent, the tutorial's and Stable-Baselines3's on World 1-1, each for the same time.

    python scripts/benchmarks/peers.py OUT [--minutes 30] [--seed 0] [--only mario dqn]

One after the other, each with the machine to itself. Each gets a folder in OUT, which `curves.py`
reads; see `train_sb3.py` for what theirs are. ``mario`` and ``tutorial`` are presets of ours.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from environment import other_python

ROOT = Path(__file__).parents[2]
OURS = {"mario": [], "tutorial": ["--evaluation.every", "10000"]}
"""Presets, and flags besides: the tutorial's agent is slow, so it is looked at sooner."""
THEIRS = ("dqn", "ppo")


def train_ours(out: Path, preset: str, minutes: float, seed: int) -> None:
    """Train with a preset, and have the run save itself and end when time is up.

    Raises:
        subprocess.CalledProcessError: it ended by itself.
    """
    command = [str(Path(sys.executable).with_name("mario-train")), "--preset", preset]
    command += ["--seed", str(seed), "--save-dir", str(out), "--no-tensorboard", *OURS[preset]]
    run = subprocess.Popen(command)
    try:
        code = run.wait(minutes * 60)
    except subprocess.TimeoutExpired:
        run.terminate()
        run.wait()
    else:
        raise subprocess.CalledProcessError(code, command)


def train_theirs(out: Path, agent: str, minutes: float, seed: int) -> None:
    """Train one of Stable-Baselines3's agents."""
    script = str(Path(__file__).with_name("train_sb3.py"))
    subprocess.run(
        [str(other_python()), script, str(out), agent, "--minutes", str(minutes), "--seed",
         str(seed)],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip


def main() -> None:
    """Train what is asked for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="folder of the runs")
    parser.add_argument("--minutes", type=float, default=30, help="of each")
    parser.add_argument("--seed", type=int, default=0)
    everyone = (*OURS, *THEIRS)
    parser.add_argument("--only", nargs="+", default=list(everyone), choices=everyone)
    options = parser.parse_args()
    for peer in options.only:
        folder = options.out / peer
        if peer in OURS:
            train_ours(folder, peer, options.minutes, options.seed)
        else:
            train_theirs(folder, peer, options.minutes, options.seed)


if __name__ == "__main__":
    main()
