"""A stand-in for the process that trains a level, which starts in a fraction of a second."""

from __future__ import annotations

FAKE_MAIN = """
import os, signal, sys, time
from pathlib import Path
from mario.system.parent import stop_with_parent
stop_with_parent()
run = Path(sys.argv[2])
game = (run / "config.yaml").read_text().split()[-1]
def save(number, frame):
    (run / "saved").touch()
    sys.exit(128 + number)
signal.signal(signal.SIGTERM, save)
with open(run / "started", "a") as file:
    file.write(" ".join(sys.argv[3:]) + "\\n")
(run / "last.chkpt").write_text(str(len((run / "started").read_text().splitlines())))
if game == "fails":
    sys.exit("mario-train: error: the disk is full")
if game == "dies":
    os.kill(os.getpid(), signal.SIGKILL)
while game == "waits" and not (run / "go").exists():
    time.sleep(0.02)
(run / "memory").mkdir(exist_ok=True)
(run / "evaluations.csv").write_text(
    "steps_trained,seconds,episodes,clear_rate,mean_return,mean_x_pos\\n"
    "100,60.0,31,0.5,9.0,500.0\\n200,120.0,31,0.25,9.0,400.0\\n"
)
"""
"""Program that behaves as its run's game says: succeeds, fails, dies, or waits for the file go."""


def starts(run):
    """Return the flags of each process that was started for a run."""
    file = run.path / "started"
    return file.read_text().splitlines() if file.exists() else []
