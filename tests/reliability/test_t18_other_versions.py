"""T18: files of other versions, agents, games and machines are resumed or refused in one line."""

from __future__ import annotations

import shutil

import pytest
import torch
from run_comparison import run_differences
from short_runs import config, train

from mario.commands.train import main, read_flags
from mario.errors import UsageError
from mario.runs.checkpoint import load


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    return train(config(tmp_path_factory.mktemp("runs"), steps=60))


@pytest.fixture
def run(saved, tmp_path):
    return shutil.copytree(saved, tmp_path / "run")


def rewrite(run, **changes):
    """Change entries of a checkpoint; a file without a digest is accepted, too."""
    checkpoint = load(run / "last.chkpt")
    torch.save(checkpoint | changes, run / "last.chkpt")


def resume(run, *flags):
    return train(*read_flags(["--resume", str(run), "--steps", "80", *flags]))


def test_t18_another_format_is_refused_and_never_replaced_by_an_older_save(run, capsys):
    (run / "previous.chkpt").unlink(missing_ok=True)
    rewrite(run, format=99)
    content = (run / "last.chkpt").read_bytes()
    with pytest.raises(SystemExit) as exit_:
        main(["--resume", str(run), "--steps", "80"])
    assert exit_.value.code == 2
    assert "has format 99, this version reads 2; install the version" in capsys.readouterr().err
    assert (run / "last.chkpt").read_bytes() == content


@pytest.mark.parametrize("flags", [["--agent", "ppo"], ["--game", "Tetris-v0"]])
def test_t18_another_agent_or_game_is_refused(run, capsys, flags):
    with pytest.raises(SystemExit) as exit_:
        main(["--resume", str(run), "--steps", "80", *flags])
    assert exit_.value.code == 2
    error = capsys.readouterr().err
    assert "which cannot become" in error
    assert error.count("\n") == 1


def test_t18_a_network_of_another_size_is_refused(run):
    content = load(run / "last.chkpt")

    def shorten(state):
        """Remove a column of each matrix."""
        if isinstance(state, dict):
            return {name: shorten(value) for name, value in state.items()}
        is_matrix = isinstance(state, torch.Tensor) and state.ndim == 2
        return state[:, :-1].clone() if is_matrix else state

    rewrite(run, resume=content["resume"] | {"agent": shorten(content["resume"]["agent"])})
    (run / "previous.chkpt").unlink(missing_ok=True)
    with pytest.raises(UsageError, match="cannot be resumed: ") as error:
        resume(run)
    assert "\n" not in str(error.value)


def test_t18_another_version_of_torch_is_said(run, capsys):
    rewrite(run, versions=load(run / "last.chkpt")["versions"] | {"torch": "2.99.0"})
    resume(run)
    output = capsys.readouterr().out
    assert "the run was saved with torch 2.99.0 and continues with torch 2." in output
    assert "its results may differ from those of a run that was never stopped" in output


def test_t18_another_processor_is_said_but_another_number_of_cores_is_not(run, capsys):
    training = load(run / "last.chkpt")["training"]
    cores, _, processor = training["hardware"].partition(" x ")
    for hardware, said in ((f"64 x {processor}", False), (f"{cores} x Another CPU", True)):
        rewrite(run, training=training | {"hardware": hardware})
        capsys.readouterr()
        resume(run)
        assert ("saved with processor Another CPU" in capsys.readouterr().out) == said


def test_t18_another_number_of_threads_is_said(run, tmp_path, capsys):
    """Each thread computes the gradient of a part of the batch, and the parts are added."""
    threads = load(run / "last.chkpt")["training"]["threads"]
    same, other = (shutil.copytree(run, tmp_path / f"{number}") for number in (1, 2))
    resume(same, "--threads", str(threads))
    assert "the run was saved with" not in capsys.readouterr().out
    resume(other, "--threads", str(threads + 1))
    assert f"saved with threads {threads} and continues with threads {threads + 1}" in (
        capsys.readouterr().out
    )
    resume(run)
    assert run_differences(run, same) == []


def test_t18_a_run_continues_with_another_emulator_and_says_so(tmp_path, capsys):
    run = train(config(tmp_path, steps=40, emulator="nes-py"))
    train(config(tmp_path, steps=60, emulator="native"), run)
    assert "saved with emulator nes-py" in capsys.readouterr().out
    assert load(run / "last.chkpt")["steps"] == 60


def test_t18_a_precision_that_the_processor_lacks_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("agents.compute.precision.supports_float16", lambda: False)
    with pytest.raises(UsageError, match="float16, which needs AVX512-FP16.*give auto"):
        train(*read_flags(["--hyper.precision", "float16", "--save-dir", str(tmp_path)]))
    assert list(tmp_path.iterdir()) == []
