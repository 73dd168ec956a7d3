"""Train this project's agent, the tutorial's and Stable-Baselines3's on World 1-1 for equal times.

    python scripts/benchmarks/peers.py OUT [--minutes 30] [--seed 0] [--only mario dqn]

They run one after the other, each alone on the machine, and write a folder in OUT each, which
`scripts/figures/curves.py` reads. ``mario`` and ``tutorial`` are presets of this project;
`contenders/train_sb3.py` describes the others.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from peer_environment import peer_python

ROOT = Path(__file__).parents[2]
PRESETS = {"mario": [], "tutorial": ["--evaluation.every", "10000"]}
"""Presets and additional flags: the tutorial's agent is slow, so it is evaluated more often."""
SB3_AGENTS = ("dqn", "ppo")


def train_preset(out: Path, preset: str, minutes: float, seed: int) -> None:
    """Train with a preset and stop the run after the given time; it saves itself.

    Raises:
        subprocess.CalledProcessError: The run ended by itself.
    """
    command = [str(Path(sys.executable).with_name("mario-train")), "--preset", preset]
    command += ["--seed", str(seed), "--save-dir", str(out), "--no-tensorboard", *PRESETS[preset]]
    run = subprocess.Popen(command)
    try:
        code = run.wait(minutes * 60)
    except subprocess.TimeoutExpired:
        run.terminate()
        run.wait()
    else:
        raise subprocess.CalledProcessError(code, command)


def train_sb3(out: Path, agent: str, minutes: float, seed: int) -> None:
    """Train an agent of Stable-Baselines3."""
    script = str(Path(__file__).parent / "contenders" / "train_sb3.py")
    subprocess.run(
        [str(peer_python()), script, str(out), agent, "--minutes", str(minutes), "--seed",
         str(seed)],
        env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True,
    )  # fmt: skip


def main() -> None:
    """Train the selected agents."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("out", type=Path, help="output folder for the runs")
    parser.add_argument("--minutes", type=float, default=30, help="training time of each agent")
    parser.add_argument("--seed", type=int, default=0)
    choices = (*PRESETS, *SB3_AGENTS)
    parser.add_argument("--only", nargs="+", default=list(choices), choices=choices)
    options = parser.parse_args()
    for peer in options.only:
        folder = options.out / peer
        if peer in PRESETS:
            train_preset(folder, peer, options.minutes, options.seed)
        else:
            train_sb3(folder, peer, options.minutes, options.seed)


if __name__ == "__main__":
    main()
