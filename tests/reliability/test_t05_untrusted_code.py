"""T5: files of a run never decide which code is run."""

from __future__ import annotations

import sys

import pytest
import yaml

from mario.commands import evaluate, play, train
from mario.runs.checkpoint import FORMAT, save

EVIL = "from pathlib import Path\nPath(__file__).with_name('canary').touch()\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a module that leaves a trace when it is imported."""
    (tmp_path / "evilmod.py").write_text(EVIL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    yield tmp_path
    sys.modules.pop("evilmod", None)


def refusal(main, *arguments):
    """Return the message of a command that exits with 2."""
    with pytest.raises(SystemExit) as exit_:
        main([str(argument) for argument in arguments])
    assert exit_.value.code == 2


CONFIG = {"agent": "ddqn", "game": "Tetris-v0", "steps": 10}
OTHER_NAMES = (
    ["--game", "Tetris-v0"],
    ["--agent", "ddqn"],
    ["--callback", "mario.training.callbacks:Callback"],
)


@pytest.mark.parametrize("flags", [[], *OTHER_NAMES])
@pytest.mark.parametrize(
    ("key", "value"),
    [("game", "evilmod:X"), ("agent", "evilmod:X"), ("callback", ["evilmod:X"])],
)
def test_resuming_imports_only_modules_that_the_user_named(folder, capsys, key, value, flags):
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG | {key: value}))
    refusal(train.main, "--resume", folder, *flags)
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert f"add --{key} evilmod:X" in message
    assert not (folder / "canary").exists()


@pytest.mark.parametrize("main", [play.main, evaluate.main])
@pytest.mark.parametrize("key", ["game", "agent"])
def test_a_checkpoint_imports_only_modules_that_the_user_named(folder, capsys, main, key):
    checkpoint = {
        "format": FORMAT, "model": {}, "exploration_rate": 0.0, "hyper": {}, "actions": None,
        "wrappers": {}, "start_curriculum": {}, "ending_reward": {}, "emulator": "native",
        "state_shape": [4, 84, 84], "num_actions": 2, "steps": 1, "episodes": 1, "seed": 0,
        "versions": {}, "agent": "ddqn", "game": "Tetris-v0",
    }  # fmt: skip
    save(folder / "a.chkpt", checkpoint | {key: "evilmod:X"})
    refusal(main, folder / "a.chkpt")
    assert f"add --{key} evilmod:X if you trust it" in capsys.readouterr().err
    assert not (folder / "canary").exists()


def test_a_module_that_the_user_names_is_imported(folder, capsys):
    """Otherwise the tests above would prove nothing."""
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG | {"game": "evilmod:X"}))
    refusal(train.main, "--resume", folder, "--game", "evilmod:X", "--save-dir", folder / "runs")
    assert (folder / "canary").exists()
