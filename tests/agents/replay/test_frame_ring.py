from __future__ import annotations

import os

import numpy as np
import pytest

from agents.replay.frame_ring import FrameRing

WINDOW, NUM_ROWS = 5, 8


def open_ring(folder, num_envs: int = 2) -> FrameRing:
    return FrameRing(folder, num_envs, WINDOW, NUM_ROWS, frame_size=4)


def write(ring: FrameRing, count: int, envs: tuple[int, ...] = (0, 1)) -> None:
    """Write rows whose reward is their time and whose frame is their environment + 1."""
    envs = np.array(envs)
    for _ in range(count):
        frames = np.repeat(envs + 1, 4).reshape(-1, 4)
        rewards = ring.heads[envs]
        ring.append(envs, frame=frames, reward=rewards, age=3, action=1, terminated=True)


def save(ring: FrameRing) -> dict:
    ring.flush()
    state = ring.state_dict()
    ring.mark_saved()
    return state


def test_each_environment_has_a_ring_of_its_own(tmp_path):
    ring = open_ring(tmp_path)
    write(ring, 7)
    write(ring, 6, envs=(1,))
    assert (ring.heads.tolist(), ring.tails.tolist()) == ([7, 13], [2, 8])
    assert ring.span("reward", 0, 2, 7).tolist() == [2, 3, 4, 5, 6]
    assert ring.span("reward", 1, 8, 13).tolist() == [8, 9, 10, 11, 12]
    slots = ring.slots(np.array([0, 1]), np.array([6, 12]))
    assert ring.take("reward", slots).tolist() == [6, 12]
    assert ring.take("frame", slots).tolist() == [[1, 1, 1, 1], [2, 2, 2, 2]]
    assert ring.span("reward", 1, 9, 9).size == 0


def test_a_reopened_ring_has_the_rows_of_its_state_and_no_others(tmp_path):
    ring = open_ring(tmp_path)
    write(ring, 20)
    reopened = open_ring(tmp_path)
    assert reopened.heads.tolist() == [0, 0]
    reopened.load_state_dict(save(ring))
    assert reopened.missing_rows == 0
    assert reopened.span("reward", 1, 15, 20).tolist() == [15, 16, 17, 18, 19]


@pytest.mark.parametrize(("written", "lost"), [(3, 0), (4, 2), (6, 6), (8, 10), (20, 10)])
def test_rows_overwritten_beyond_the_margin_are_lost(tmp_path, written, lost):
    ring = open_ring(tmp_path)
    write(ring, 11)
    state = save(ring)
    write(ring, written)
    late = open_ring(tmp_path)
    late.load_state_dict(state)
    assert late.missing_rows == lost
    assert all(late.intact(env).all() for env in range(2))
    assert late.tails.tolist() == [11 - 5 + lost // 2] * 2


COLUMNS = ("stamp", "reward", "action", "age", "terminated", "checksum", "frame")


@pytest.mark.parametrize("name", COLUMNS)
def test_a_damaged_row_is_found_and_erased(tmp_path, name):
    ring = open_ring(tmp_path)
    write(ring, 6)
    state = save(ring)
    flip(tmp_path / f"{name}.memmap", row=NUM_ROWS + 3)
    late = open_ring(tmp_path)
    late.load_state_dict(state)
    assert [rows.tolist() for rows in late.damaged_rows] == [[], [3]]
    assert (late.tails.tolist(), late.missing_rows) == ([1, 1], 0)
    assert late.span("reward", 1, 1, 6).tolist() == [1, 2, 0, 4, 5]
    assert late.span("frame", 1, 2, 4).tolist() == [[2] * 4, [0] * 4]
    later = open_ring(tmp_path)
    later.load_state_dict(save(late))
    assert [rows.tolist() for rows in later.damaged_rows] == [[], [3]], "it stays damaged"


def test_rows_up_to_the_last_damaged_one_are_dropped_if_most_are_damaged(tmp_path):
    ring = open_ring(tmp_path)
    write(ring, 6)
    state = save(ring)
    for row in (2, 3, 4):
        flip(tmp_path / "frame.memmap", row)
    late = open_ring(tmp_path)
    late.load_state_dict(state)
    assert late.tails.tolist() == [5, 1]
    assert late.missing_rows == 4


@pytest.mark.parametrize("name", COLUMNS)
def test_a_removed_file_costs_all_rows(tmp_path, name):
    ring = open_ring(tmp_path)
    write(ring, 6)
    state = save(ring)
    (tmp_path / f"{name}.memmap").unlink()
    late = open_ring(tmp_path)
    late.load_state_dict(state)
    assert late.tails.tolist() == [6, 6]
    assert late.missing_rows == 10


@pytest.mark.parametrize("name", COLUMNS)
def test_a_truncated_file_costs_only_its_missing_rows(tmp_path, name):
    ring = open_ring(tmp_path)
    write(ring, 7)
    state = save(ring)
    file = tmp_path / f"{name}.memmap"
    os.truncate(file, file.stat().st_size * 13 // 16)  # rows 13 to 15, of which 14 is in use
    late = open_ring(tmp_path)
    late.load_state_dict(state)
    assert [rows.tolist() for rows in late.damaged_rows] == [[], [5, 6]]


def flip(path, row):
    """Flip a bit of a row, where all rows of all environments are counted."""
    content = bytearray(path.read_bytes())
    content[row * len(content) // (2 * NUM_ROWS)] ^= 1
    path.write_bytes(content)


def test_missing_rows_stay_lost(tmp_path):
    ring = open_ring(tmp_path)
    write(ring, 11)
    state = save(ring)
    write(ring, 5)
    late, later = open_ring(tmp_path), open_ring(tmp_path)
    late.load_state_dict(state)
    later.load_state_dict(save(late))
    assert later.missing_rows == 0
    assert later.tails.tolist() == late.tails.tolist() == [8, 8]


def test_a_state_without_its_files_gives_an_empty_ring_that_can_be_written(tmp_path):
    ring = open_ring(tmp_path)
    write(ring, 9)
    other = open_ring(tmp_path / "other")
    other.load_state_dict(save(ring))
    assert other.missing_rows == 2 * WINDOW
    assert other.tails.tolist() == [9, 9]
    write(other, 3)
    assert other.span("reward", 0, 9, 12).tolist() == [9, 10, 11]


def test_it_counts_the_rows_until_a_saved_row_is_overwritten(tmp_path):
    ring = open_ring(tmp_path)
    assert ring.rows_until_overwrite == NUM_ROWS
    write(ring, 10)
    save(ring)
    assert ring.rows_until_overwrite == NUM_ROWS - WINDOW
    write(ring, 2, envs=(1,))
    assert ring.rows_until_overwrite == 1
    write(ring, 5)
    assert ring.rows_until_overwrite == 0


def test_the_older_state_is_protected_until_the_newer_is_on_disk(tmp_path):
    ring = open_ring(tmp_path)
    write(ring, 10)
    save(ring)
    write(ring, 1)
    ring.state_dict()
    write(ring, 1)
    assert ring.rows_until_overwrite == 1
    ring.mark_saved()
    assert ring.rows_until_overwrite == 2


def test_a_state_does_not_change_with_later_rows(tmp_path):
    ring = open_ring(tmp_path)
    write(ring, 4)
    state = ring.state_dict()
    write(ring, 2)
    assert state["heads"].tolist() == [4, 4]


def test_a_cleared_ring_starts_over(tmp_path):
    ring = open_ring(tmp_path)
    write(ring, 20)
    save(ring)
    ring.clear()
    assert ring.heads.tolist() == ring.tails.tolist() == [0, 0]
    assert ring.rows_until_overwrite == NUM_ROWS
    write(ring, 3)
    assert ring.span("reward", 1, 0, 3).tolist() == [0, 1, 2]
    assert ring.intact(1).all()


def test_a_state_of_another_number_of_environments_is_refused(tmp_path):
    state = open_ring(tmp_path / "two").state_dict()
    with pytest.raises(ValueError, match="has 2 environments; resume with as many, not with 3"):
        open_ring(tmp_path / "three", num_envs=3).load_state_dict(state)
