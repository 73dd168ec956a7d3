"""Demonstration files: their content, and damaged or hostile files."""

from __future__ import annotations

import json

import pytest
from demonstrations import make_demonstration as make
from hypothesis import given
from hypothesis import strategies as st

from mario.search import demonstration as files
from mario.search.demonstration import DemonstrationError, dump, load, save


def load_content(tmp_path, content):
    path = tmp_path / "x.demo"
    path.write_bytes(content)
    return load(path)


def forge(**changes):
    """Return a file with other fields and a correct digest."""
    content = json.loads(dump(make())) | changes
    content.pop("digest")
    content["digest"] = files._digest(content)
    return json.dumps(content).encode()


def test_a_demonstration_is_read_as_it_was_written(tmp_path):
    for demonstration in (make(), make(actions=[["right"], ["right", "A", "B"]])):
        save(tmp_path / "x.demo", demonstration)
        assert load(tmp_path / "x.demo") == demonstration


@given(st.binary(min_size=1, max_size=300))
def test_any_play_survives_its_encoding(play):
    runs = json.loads(dump(make(play=play)))["play"]
    assert b"".join(bytes([mask]) * count for mask, count in runs) == play


def test_equal_demonstrations_have_equal_files():
    assert dump(make()) == dump(make())
    assert len(dump(make())) < 500


def test_every_damaged_byte_is_noticed(tmp_path):
    content = dump(make())
    for offset in range(len(content) - 1):
        damaged = bytearray(content)
        damaged[offset] ^= 1
        with pytest.raises(DemonstrationError, match=r"demonstration .*x\.demo is refused"):
            load_content(tmp_path, bytes(damaged))


@pytest.mark.parametrize("length", [0, 1, 100])
def test_a_truncated_file_is_refused(tmp_path, length):
    with pytest.raises(DemonstrationError, match="it is not JSON"):
        load_content(tmp_path, dump(make())[:length])


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"format": 2}, "it has format 2, this version reads 1"),
        ({"format": True}, "it is not a demonstration"),
        ({"code": "x"}, "its fields are not those of a demonstration"),
        ({"game": ["x"]}, "game must be a text of at most 200 characters"),
        ({"ending": "x" * 201}, "ending must be a text of at most 200 characters"),
        ({"noops": 10**9}, "noops must be a number in 0 to 10,000"),
        ({"noops": 1.5}, "noops must be a number in 0 to 10,000"),
        ({"skip": 0}, "skip must be a number in 1 to 60"),
        ({"seed": -1}, "seed must be a number in 0"),
        ({"play": []}, "play must be a list of button masks and numbers of steps"),
        ({"play": "x"}, "play must be a list of button masks and numbers of steps"),
        ({"play": [[128]]}, "play must be a list of button masks and numbers of steps"),
        ({"play": [[256, 1]]}, "play must be a list of button masks and numbers of steps"),
        ({"play": [[128, 10**12]]}, "play must not have more than 1,000,000 steps"),
        ({"play": [[128, 0]]}, "play must not have more than 1,000,000 steps"),
        ({"play": [[128, 600_000], [131, 600_000]]}, "play must not have more than 1,000,000"),
        ({"play": [[64, 1]]}, "it presses buttons that are not in its action set"),
        ({"actions": "nothing"}, "actions must be an action set"),
        ({"actions": [["fire"]]}, "actions must be an action set"),
        ({"actions": [[["A"]]]}, "actions must be an action set"),
        ({"actions": {"a": 1}}, "actions must be an action set"),
    ],
)
def test_a_forged_file_is_refused(tmp_path, changes, problem):
    with pytest.raises(DemonstrationError, match=problem):
        load_content(tmp_path, forge(**changes))


def test_a_huge_file_is_refused_before_it_is_parsed(tmp_path):
    with pytest.raises(DemonstrationError, match="it is larger than 1,048,576 bytes"):
        load_content(tmp_path, b"[" * (files.MAX_BYTES + 2))


def test_deep_nesting_is_refused(tmp_path):
    with pytest.raises(DemonstrationError, match="it is not JSON"):
        load_content(tmp_path, b"[" * 100_000)


def test_a_missing_file_is_one_line(tmp_path):
    with pytest.raises(DemonstrationError, match="cannot be read: No such file or directory"):
        load(tmp_path / "missing.demo")
