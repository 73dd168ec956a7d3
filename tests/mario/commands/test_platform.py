"""An unsupported platform is one line, not a traceback."""

from __future__ import annotations

import pytest

from mario.commands import cli


def test_windows_is_refused_in_one_line(monkeypatch, capsys):
    monkeypatch.setattr(cli.os, "name", "nt")
    with pytest.raises(SystemExit) as exit_:
        cli.run("mario-train", lambda: 0)
    monkeypatch.undo()
    assert exit_.value.code == 2
    assert "is not supported; use Linux, macOS or WSL 2 on Windows" in capsys.readouterr().err
