from __future__ import annotations

import copy
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from naive_memory import (
    BOTH,
    CRASHED,
    GAMMA,
    GO,
    TERMINATED,
    TRUNCATED,
    Lane,
    assert_same,
    play,
    save,
)

from agents.replay.frame_replay import FrameReplay

SHARE = 6
STEPS = st.lists(
    st.one_of(
        st.text(GO + GO + TERMINATED + TRUNCATED + BOTH + CRASHED, min_size=3, max_size=3),
        st.just(GO * 3),
        st.sampled_from(["save", "die"]),
    ),
    min_size=20,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
def test_it_is_a_naive_memory_whatever_happens(steps, count, n_step, stack):
    with tempfile.TemporaryDirectory() as folder:

        def make() -> FrameReplay:
            shape = stack, 2, 2
            return FrameReplay(Path(folder), shape, count, SHARE * count, n_step, GAMMA)

        memory, lanes = make(), [Lane(stack) for _ in range(count)]
        saved = save(memory), copy.deepcopy(lanes)
        for step in steps:
            if step == "save" or memory.ring.margin_left < 2:
                saved = save(memory), copy.deepcopy(lanes)
            if step == "die":
                memory, lanes = make(), copy.deepcopy(saved[1])
                memory.load_state_dict(saved[0])
                assert memory.ring.lost_rows == 0
            elif step != "save":
                play(memory, lanes, step[:count])
            assert_same(memory, lanes, SHARE, n_step)


@pytest.fixture
def filled(tmp_path):
    """A memory of two games that has gone round several times, and the games."""
    memory = FrameReplay(tmp_path, (4, 2, 2), lanes=2, capacity=40, gamma=GAMMA)
    lanes = [Lane(4), Lane(4)]
    for step in range(200):
        play(
            memory,
            lanes,
            (TERMINATED if step % 9 == 0 else GO) + (TRUNCATED if step % 7 == 0 else GO),
        )
    yield memory, lanes
    memory.close()


def test_every_transition_is_drawn_as_often_as_any_other(filled):
    memory, _ = filled
    rounds, anchors = 1_000, len(memory)
    drawn = Counter()
    for _ in range(rounds):
        lanes, numbers = memory._draw(anchors)
        drawn.update(zip(lanes.tolist(), numbers.tolist(), strict=True))
    assert len(drawn) == anchors
    # chi-square: its mean is the degrees of freedom, its variance twice that
    surprise = sum((count - rounds) ** 2 / rounds for count in drawn.values())
    assert abs(surprise - anchors) < 5 * (2 * anchors) ** 0.5


def test_a_sample_is_made_of_transitions_and_ready_to_learn_from(filled):
    memory, _ = filled
    batch = memory.sample(16)
    assert batch.batch_size == (16,)
    assert {name: (batch[name].dtype, *batch[name].shape[1:]) for name in sorted(batch.keys())} == {
        "state": (torch.uint8, 4, 2, 2),
        "action": (torch.int64,),
        "reward": (torch.float32,),
        "discount": (torch.float32,),
        "next_state": (torch.uint8, 4, 2, 2),
    }


def test_the_seam_of_the_ring_is_never_crossed(filled):
    memory, lanes = filled
    for _ in range(60):
        play(memory, lanes, GO * 2)
        assert_same(memory, lanes, share=20, n_step=1)


def test_an_episode_longer_than_ages_are_counted_is_one_episode(tmp_path):
    memory, lanes = FrameReplay(tmp_path, (4, 2, 2), 1, 500, gamma=GAMMA), [Lane(4)]
    for _ in range(600):
        play(memory, lanes, GO)
    assert_same(memory, lanes, share=500, n_step=1)


def test_the_same_state_draws_the_same(filled, tmp_path):
    memory, _ = filled
    compute_copy = FrameReplay(tmp_path, (4, 2, 2), lanes=2, capacity=40, gamma=GAMMA, seed=9)
    compute_copy.load_state_dict(save(memory))
    for _ in range(3):
        assert (memory.sample(32) == compute_copy.sample(32)).all()


def test_nothing_to_draw_is_said_and_a_window_of_final_rows_is_searched(tmp_path):
    memory, lanes = FrameReplay(tmp_path, (4, 2, 2), lanes=1, capacity=300), [Lane(4)]
    with pytest.raises(LookupError, match="nothing can be drawn yet; cache more than 1 steps"):
        memory.sample(1)
    for _ in range(250):
        play(memory, lanes, CRASHED)
    with pytest.raises(LookupError, match="nothing can be drawn yet"):
        memory.sample(1)
    play(memory, lanes, GO)
    play(memory, lanes, GO)
    np.testing.assert_array_equal(memory.sample(8)["state"], [lanes[0].rows[250].state] * 8)


@pytest.mark.parametrize("beyond", range(1, 10))
def test_rows_overwritten_since_the_state_was_saved_are_dropped(filled, tmp_path, beyond):
    memory, lanes = filled
    state, then = save(memory), copy.deepcopy(lanes)
    assert memory.ring.margin_left == 8
    for _ in range(8 + beyond):
        play(memory, lanes, GO * 2)
    assert memory.ring.margin_left == 0
    late = FrameReplay(tmp_path, (4, 2, 2), lanes=2, capacity=40, gamma=GAMMA)
    late.load_state_dict(state)
    assert late.ring.lost_rows == 2 * beyond
    assert late.check_valid() == (True, "")
    assert len(memory) > len(late) > 0
    for lane, number, found in zip(*late.anchors(), late.read(*late.anchors()), strict=True):
        np.testing.assert_array_equal(found["state"], then[lane].rows[number].state)
    for _ in range(30):
        play(late, then, GO * 2)
    assert_same(late, then, share=20, n_step=1)


def test_damage_is_found(filled):
    memory, _ = filled
    place = memory.ring.heads[1] - 1, memory.ring.table["age"].shape[1]
    memory.ring.table["age"][1, place[0] % place[1]] += 1
    assert memory.check_valid() == (
        False,
        "lane 1 has ages that do not count up from 0 after each end",
    )
    memory.ring.table["stamp"][0] = 0
    assert memory.check_valid() == (False, "lane 0 has rows that do not belong in its window")


def test_a_transition_takes_no_more_than_its_frame_and_a_margin():
    memory = FrameReplay(None, (4, 84, 84), lanes=8, capacity=4_000)
    blocks = sum(file.stat().st_blocks * 512 for file in memory.folder.iterdir())
    assert memory.bytes_per_transition < 7_300
    assert blocks == pytest.approx(memory.ring.nbytes, abs=4096 * 7)
    memory.close()


def test_a_temporary_folder_goes_with_its_memory_and_another_stays(tmp_path):
    temporary, lasting = FrameReplay(None, (1, 2, 2), 1, 9), FrameReplay(tmp_path, (1, 2, 2), 1, 9)
    for memory in (temporary, lasting):
        memory.close()
        memory.close()
    assert not temporary.folder.exists()
    assert lasting.folder.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state_shape": (84, 84)}, r"state_shape is \(84, 84\); give \(stack, height, width\)"),
        ({"capacity": 0}, "capacity is 0; give 1 or more"),
        ({"lanes": 0}, "lanes is 0; give 1 or more"),
        ({"n_step": -1}, "n_step is -1; give 1 or more"),
    ],
)
def test_a_memory_that_makes_no_sense_is_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        FrameReplay(tmp_path, **{"state_shape": (4, 2, 2), "lanes": 1, "capacity": 5} | change)


def test_as_many_games_as_lanes_are_asked_for(filled, tmp_path):
    memory, _ = filled
    with pytest.raises(ValueError, match="states are of 1 games; give 2"):
        play(memory, [Lane(4)], GO)
    other = FrameReplay(tmp_path / "other", (4, 2, 2), lanes=1, capacity=40)
    with pytest.raises(ValueError, match="state is of 2 games; go on with as many, not with 1"):
        other.load_state_dict(save(memory))
