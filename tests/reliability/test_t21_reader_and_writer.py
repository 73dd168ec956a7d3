"""T21: whoever reads a checkpoint while a run saves always gets a whole one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from short_runs import config, train

from mario.runs.checkpoint import load
from mario.training.callbacks import Callback
from mario.training.session import Session

READER = """
import sys
from pathlib import Path
from mario.runs.checkpoint import load
path, reads, found = Path(sys.argv[1]), 0, []
print("ready", flush=True)
while not (path.parent / "done").exists() or reads < 20:
    found.append(load(path)["steps"])
    reads += 1
assert found == sorted(found), found
print(reads, len(set(found)))
"""


def test_t21_a_reader_never_sees_half_a_checkpoint(tmp_path):
    run = train(config(tmp_path, "ppo", steps=20))
    reader = subprocess.Popen(
        [sys.executable, "-c", READER, run / "last.chkpt"], stdout=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert reader.stdout.readline() == "ready\n"

    class AlwaysSave(Callback):
        def on_step(self, step):
            self.trainer._callbacks[-1].save()

    settings = config(tmp_path, "ppo", steps=300)
    with Session(settings, run, stop=lambda: False, callbacks=[AlwaysSave()]) as session:
        session.train()
    (run / "done").touch()
    output, _ = reader.communicate(timeout=120)
    assert reader.returncode == 0, output
    reads, different = map(int, output.split())
    assert reads >= 20
    assert different >= 3, "it read while the run saved"
    assert load(run / "last.chkpt")["steps"] == 300
