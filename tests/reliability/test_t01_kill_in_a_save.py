"""T1: SIGKILL at every call of a save that changes files; the run folder is never without a run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = """
import datetime, os, pathlib, shutil, signal, sys
import mario.system.files as files
from mario.runs.checkpoint import FORMAT
from mario.runs.run_folder import RunFolder

CALLS = ("open", "fsync", "replace", "rename", "link", "unlink")
folder = pathlib.Path(sys.argv[1])
left = 10**9

def count():
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

def counted(real):
    def call(*arguments, **more):
        count()
        return real(*arguments, **more)
    return call

class InPieces:
    def __init__(self, file):
        self.file = file
    def __enter__(self):
        return self
    def __exit__(self, *_):
        self.file.close()
    def __getattr__(self, name):
        return getattr(self.file, name)
    def write(self, data):
        for start in range(0, len(data), len(data) // 4 + 1):
            self.file.write(data[start : start + len(data) // 4 + 1])
            count()

def example(steps):
    return {
        "format": FORMAT, "model": {}, "exploration_rate": 0.5, "agent": "ddqn", "hyper": {},
        "game": "x", "actions": None, "wrappers": {}, "start_curriculum": {},
        "ending_reward": {}, "emulator": "native", "state_shape": [4], "num_actions": 2,
        "steps": steps, "episodes": 0, "seed": 0, "versions": {}, "resume": {"steps": steps},
    }

def saved(path):
    run = RunFolder.open(path)
    checkpoint, skipped = run.load_last()
    assert skipped == [], skipped
    assert not list(path.glob(".tmp-*"))
    both = path / "last.chkpt", path / "previous.chkpt"
    assert all(file.is_file() for file in both)
    run.close()
    return checkpoint["steps"]

run = RunFolder.create(folder, {"game": "x"}, datetime.datetime(2026, 1, 1))
run.save_last(example(1))
run.save_last(example(2))
run.close()
found = []
for fatal in range(1, 100):
    copy = folder / str(fatal)
    shutil.copytree(run.path, copy)
    pid = os.fork()
    if not pid:
        run = RunFolder.open(copy)
        for name in CALLS:
            setattr(os, name, counted(getattr(os, name)))
        files.open = lambda *arguments: InPieces(open(*arguments))
        left = fatal
        run.save_last(example(3))
        os._exit(0)
    found.append(saved(copy) if os.waitpid(pid, 0)[1] else 0)
    if not found[-1]:
        assert saved(copy) == 3
        break
print(*found)
"""


def test_t01_the_newest_complete_state_is_loaded_after_a_kill_at_any_call(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, tmp_path], capture_output=True, text=True, cwd=ROOT,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *steps, last = map(int, done.stdout.split())
    assert last == 0, "the save without a kill"
    assert len(steps) > 8, "there are kills at many calls"
    assert set(steps) == {2, 3}
    assert steps == sorted(steps), "after the new state has been complete once, it stays"
