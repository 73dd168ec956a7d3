from __future__ import annotations

import numpy as np
import pytest

from agents.replay.frame_storage import FrameRing

WINDOW, ROWS = 5, 8


def ring_in(folder, lanes: int = 2) -> FrameRing:
    return FrameRing(folder, lanes, WINDOW, ROWS, frame_size=4)


def write(ring: FrameRing, count: int, lanes: tuple[int, ...] = (0, 1)) -> None:
    """Rows whose reward tells their number, and whose frame tells their lane."""
    chosen = np.array(lanes)
    for _ in range(count):
        frames = np.repeat(chosen, 4).reshape(-1, 4)
        ring.append(chosen, frame=frames, reward=ring.heads[chosen], age=0, action=1)


def save(ring: FrameRing) -> dict:
    ring.flush()
    state = ring.state_dict()
    ring.saved()
    return state


def test_each_lane_goes_round_on_its_own(tmp_path):
    ring = ring_in(tmp_path)
    write(ring, 7)
    write(ring, 6, lanes=(1,))
    assert (ring.heads.tolist(), ring.tails.tolist()) == ([7, 13], [2, 8])
    assert ring.span("reward", 0, 2, 7).tolist() == [2, 3, 4, 5, 6]
    assert ring.span("reward", 1, 8, 13).tolist() == [8, 9, 10, 11, 12]
    assert ring.take("reward", np.array([0, 1]), np.array([6, 12])).tolist() == [6, 12]
    assert ring.take("frame", np.array([1]), np.array([9])).tolist() == [[1, 1, 1, 1]]
    assert ring.span("reward", 1, 9, 9).size == 0


def test_a_ring_opened_again_has_its_rows_and_no_others(tmp_path):
    ring = ring_in(tmp_path)
    write(ring, 20)
    again = ring_in(tmp_path)
    assert again.heads.tolist() == [0, 0]
    again.load_state_dict(save(ring))
    assert again.lost_rows == 0
    assert again.span("reward", 1, 15, 20).tolist() == [15, 16, 17, 18, 19]


@pytest.mark.parametrize(("written", "lost"), [(3, 0), (4, 2), (6, 6), (8, 10), (20, 10)])
def test_rows_written_over_since_are_lost_beyond_the_margin(tmp_path, written, lost):
    ring = ring_in(tmp_path)
    write(ring, 11)
    state = save(ring)
    write(ring, written)
    late = ring_in(tmp_path)
    late.load_state_dict(state)
    assert late.lost_rows == lost
    assert all(late.intact(lane).all() for lane in range(2))
    assert late.tails.tolist() == [11 - 5 + lost // 2] * 2


def test_rows_in_the_middle_that_never_reached_the_disk_cost_all_before_them(tmp_path):
    ring = ring_in(tmp_path)
    write(ring, 6)
    state = save(ring)
    ring.table["stamp"][1, 3] = 0
    late = ring_in(tmp_path)
    late.load_state_dict(state)
    assert late.tails.tolist() == [1, 4]
    assert late.lost_rows == 3


def test_what_was_lost_once_stays_lost(tmp_path):
    ring = ring_in(tmp_path)
    write(ring, 11)
    state = save(ring)
    write(ring, 5)
    late, later = ring_in(tmp_path), ring_in(tmp_path)
    late.load_state_dict(state)
    later.load_state_dict(save(late))
    assert later.lost_rows == 0
    assert later.tails.tolist() == late.tails.tolist() == [8, 8]


def test_a_state_without_its_files_is_an_empty_ring_that_goes_on(tmp_path):
    ring = ring_in(tmp_path)
    write(ring, 9)
    other = ring_in(tmp_path / "other")
    other.load_state_dict(save(ring))
    assert other.lost_rows == 2 * WINDOW
    assert other.tails.tolist() == [9, 9]
    write(other, 3)
    assert other.span("reward", 0, 9, 12).tolist() == [9, 10, 11]


def test_the_margin_is_what_may_be_written_before_a_saved_row_is(tmp_path):
    ring = ring_in(tmp_path)
    assert ring.margin_left == ROWS
    write(ring, 10)
    save(ring)
    assert ring.margin_left == ROWS - WINDOW
    write(ring, 2, lanes=(1,))
    assert ring.margin_left == 1
    write(ring, 5)
    assert ring.margin_left == 0


def test_the_older_state_is_kept_until_the_newer_is_on_disk(tmp_path):
    ring = ring_in(tmp_path)
    write(ring, 10)
    save(ring)
    write(ring, 1)
    ring.state_dict()
    write(ring, 1)
    assert ring.margin_left == 1
    ring.saved()
    assert ring.margin_left == 2


def test_a_state_is_of_its_moment(tmp_path):
    ring = ring_in(tmp_path)
    write(ring, 4)
    state = ring.state_dict()
    write(ring, 2)
    assert state["heads"].tolist() == [4, 4]


def test_a_state_of_other_games_is_refused(tmp_path):
    state = ring_in(tmp_path / "two").state_dict()
    with pytest.raises(ValueError, match="state is of 2 games; go on with as many, not with 3"):
        ring_in(tmp_path / "three", lanes=3).load_state_dict(state)
