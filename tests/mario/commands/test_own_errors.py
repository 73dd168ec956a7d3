"""Errors in code of the user are reported with their place and with what is saved."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from mario.commands.train import main
from mario.errors import similar
from mario.system.plugins import describe_own_error

CALLBACK = """from mario import Callback

class Faulty(Callback):
    def on_step(self, step):
        if self.trainer.steps >= 60:
            step.no_such_field
"""
QUICK = ["--preset", "tutorial", "--evaluation.episodes", "0", "--hyper.replay-capacity", "300"]


def train(*arguments):
    """Call the command and return its exit code."""
    with pytest.raises(SystemExit) as exit_:
        main([*QUICK, "--save-dir", "out", *arguments])
    return exit_.value.code


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, where modules of the user are found."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("save_seconds", "remedy"),
    [
        ("0", "the run stopped, saved up to step 59; continue it with: mario-train --resume {}"),
        ("60", "the run stopped before its first save; start it again"),
    ],
)
def test_an_error_in_a_callback_names_its_place_and_the_last_save(
    folder, capfd, save_seconds, remedy
):
    module = f"faulty_callback_{save_seconds}"  # modules are imported once in this process
    (folder / f"{module}.py").write_text(CALLBACK)
    assert train("--callback", f"{module}:Faulty", "--save-seconds", save_seconds) == 1
    (run,) = (folder / "out").iterdir()
    *trace, line = capfd.readouterr().err.splitlines()
    assert line == (
        f"mario-train: error: {folder / module}.py, line 6: AttributeError: "
        f"'TrainingStep' object has no attribute 'no_such_field'; "
        + remedy.format(f"out/{run.name} --callback {module}:Faulty")
    )
    assert f"{module}.py" in trace[0]
    assert not any("trainer.py" in each for each in trace)


def test_an_agent_that_is_refused_after_its_first_step_leaves_no_run_behind(folder, capfd):
    (folder / "late_agent.py").write_text(
        "from agents import DDQN\nclass Late(DDQN):\n"
        "    def cache(self, transitions):\n        super().cache(transitions)\n"
        "        self.count = 1\n"
    )
    assert train("--agent", "late_agent:Late") == 2
    assert "attribute count of Late does not exist before the first step" in capfd.readouterr().err
    assert list((folder / "out").iterdir()) == []


GAME = """import gymnasium
from mario.games.tetris import Tetris

class Faulty(Tetris):
    def reward(self):
        raise ValueError("no reward today")

gymnasium.register("Faulty-v0", Faulty)
"""


def test_an_error_in_a_game_names_its_place_in_one_line(folder):
    (folder / "faulty_game.py").write_text(GAME)
    command = Path(sys.executable).with_name("mario-train")
    flags = ["--game", "faulty_game:Faulty-v0", "--save-dir", "out", "--steps", "60"]
    process = subprocess.run(
        [command, *QUICK, *flags], cwd=folder, capture_output=True, text=True, check=False
    )
    assert process.returncode == 1
    place = f"raised ValueError: no reward today in {folder / 'faulty_game.py'}, line 6; "
    (crash, *_) = [line for line in process.stdout.splitlines() if "ValueError" in line]
    assert f"{place}restarted, 9 restarts left" in crash
    (line,) = process.stderr.splitlines()
    assert f"{place}no restarts are left; the run stopped, saved up to step" in line
    assert " --game faulty_game:Faulty-v0" in line


def test_a_syntax_error_names_the_line(folder, capsys):
    (folder / "broken_agent.py").write_text("from agents import DDQN\nclass Mine(DDQN:\n")
    assert train("--agent", "broken_agent:Mine") == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{folder / 'broken_agent.py'}, line 2: SyntaxError: " in line


def test_an_error_of_a_library_or_of_this_project_is_not_the_users():
    for call in (lambda: json.loads("{"), lambda: similar(1, [2])):
        with pytest.raises((ValueError, AttributeError)) as error:
            call()
        error.value.__traceback__ = error.tb.tb_next.tb_next  # without the frames of this file
        assert describe_own_error(error.value) is None
