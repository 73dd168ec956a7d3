"""Tests of loading a user's callback."""

from __future__ import annotations

import pytest

from mario.errors import UsageError
from mario.training.callbacks import Callback, load_callback

MODULE = """
from mario.training.callbacks import Callback

class Mine(Callback):
    pass

class Needy(Callback):
    def __init__(self, argument):
        pass

class Stranger:
    pass
"""


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    """Put a module with callbacks in the current folder."""
    (tmp_path / "my_own_callbacks.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)


def test_a_callback_is_made_without_arguments():
    callback = load_callback("my_own_callbacks:Mine")
    assert isinstance(callback, Callback)
    assert callback.name == "my_own_callbacks:Mine"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("my_own_callbacks:Yours", "my_own_callbacks has no 'Yours'"),
        ("my_own_callbacks:Stranger", "is not a subclass of mario.Callback"),
        ("my_own_callbacks:Needy", "'argument'; it is made without arguments"),
        ("nowhere:Mine", "there is no module 'nowhere'"),
        ("Mine", "callback Mine: give it as module:Class"),
    ],
)
def test_a_callback_that_cannot_be_made_is_reported(reference, message):
    with pytest.raises(UsageError, match="callback") as error:
        load_callback(reference)
    assert message in str(error.value)
