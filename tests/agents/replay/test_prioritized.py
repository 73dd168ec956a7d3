from __future__ import annotations

import copy
import tempfile
from pathlib import Path

import numpy as np
import pytest
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

from agents.replay.prioritized import LEAST, PrioritizedFrameReplay

SHARE, ALPHA = 6, 0.5
STEPS = st.lists(
    st.one_of(
        st.text(GO + GO + TERMINATED + TRUNCATED + BOTH + CRASHED, min_size=3, max_size=3),
        st.just(GO * 3),
        st.integers(1, 8),
        st.sampled_from(["save", "die"]),
    ),
    min_size=20,
    max_size=60,
)


class Naive:
    """Games, and the priorities that their transitions should have."""

    def __init__(self, count: int, stack: int) -> None:
        self.lanes = [Lane(stack) for _ in range(count)]
        self.given: dict[tuple[int, int], float] = {}
        self.highest = 1.0

    def greet(self, anchors: list[tuple[int, int]]) -> None:
        """What can be drawn and has no priority has come just now."""
        self.given = {anchor: self.given.get(anchor, self.highest**ALPHA) for anchor in anchors}

    def prioritize(self, anchors: list[tuple[int, int]], errors: np.ndarray) -> None:
        sizes = np.abs(errors.astype(np.float64)) + LEAST
        self.given |= dict(zip(anchors, sizes**ALPHA, strict=True))
        self.highest = max(self.highest, *sizes.tolist())


def known(memory: PrioritizedFrameReplay, lanes: np.ndarray, numbers: np.ndarray) -> list:
    return list(zip(lanes.tolist(), numbers.tolist(), strict=True))


def rows_of(batch, count: int) -> tuple[np.ndarray, list[tuple[int, int]]]:
    rows = batch["row"].numpy()
    numbers, lanes = np.divmod(rows, count)
    return rows, list(zip(lanes.tolist(), numbers.tolist(), strict=True))


def assert_priorities(memory: PrioritizedFrameReplay, naive: Naive) -> None:
    lanes, numbers = memory.anchors()
    anchors = known(memory, lanes, numbers)
    naive.greet(anchors)
    leaves = memory._tree.leaves
    np.testing.assert_allclose(leaves[memory._leaves(lanes, numbers)], list(naive.given.values()))
    assert np.count_nonzero(leaves) == len(anchors)


@settings(max_examples=60, deadline=None)
@given(STEPS, st.integers(1, 3), st.integers(1, 4), st.integers(1, 4))
def test_priorities_are_those_of_a_naive_memory_whatever_happens(steps, count, n_step, stack):
    with tempfile.TemporaryDirectory() as folder:

        def make() -> PrioritizedFrameReplay:
            shape = stack, 2, 2
            return PrioritizedFrameReplay(
                Path(folder), shape, count, SHARE * count, n_step, GAMMA, alpha=ALPHA
            )

        memory, naive = make(), Naive(count, stack)
        saved = save(memory), copy.deepcopy(naive)
        for step in steps:
            if step == "save" or memory.ring.margin_left < 2:
                saved = save(memory), copy.deepcopy(naive)
            if step == "die":
                memory, naive = make(), copy.deepcopy(saved[1])
                memory.load_state_dict(saved[0])
            elif isinstance(step, int) and len(memory):
                rows, anchors = rows_of(memory.sample(step), count)
                errors = np.linspace(-2 * step, step, step, dtype=np.float32)
                memory.prioritize(rows, errors)
                naive.prioritize(anchors, errors)
            elif isinstance(step, str) and step != "save":
                play(memory, naive.lanes, step[:count])
            assert_same(memory, naive.lanes, SHARE, n_step)
            assert_priorities(memory, naive)


@pytest.fixture
def filled(tmp_path):
    """A memory of two games that has gone round several times, and the games."""
    memory = PrioritizedFrameReplay(
        tmp_path, (4, 2, 2), lanes=2, capacity=40, n_step=2, gamma=GAMMA, alpha=ALPHA
    )
    lanes = [Lane(4), Lane(4)]
    for step in range(200):
        ends = TERMINATED if step % 9 == 0 else GO, TRUNCATED if step % 7 == 0 else GO
        play(memory, lanes, "".join(ends))
    yield memory, lanes
    memory.close()


def test_a_transition_is_drawn_as_often_as_its_error_to_the_power_of_alpha_says(filled):
    memory, _ = filled
    everything = memory.sample(2_000)
    rows = np.unique(everything["row"].numpy())
    assert len(rows) == len(memory)
    errors = np.arange(len(rows), dtype=np.float32)
    memory.prioritize(rows, errors)
    expected = np.sqrt(errors + LEAST) / np.sqrt(errors + LEAST).sum()
    batch = memory.sample(100_000)
    places = np.searchsorted(rows, batch["row"].numpy())
    np.testing.assert_allclose(np.bincount(places) / 100_000, expected, atol=0.002)
    np.testing.assert_allclose(batch["probability"], expected[places], rtol=1e-6)


def test_each_part_of_the_priorities_gives_one_transition(filled):
    memory, _ = filled
    count = len(memory)
    rows = memory.sample(2 * count)["row"].numpy()  # of equal priorities, so two parts for each
    assert (np.unique(rows, return_counts=True)[1] == 2).all()


def test_what_is_drawn_is_what_its_row_says(filled):
    memory, lanes = filled
    batch = memory.sample(64)
    for (lane, number), found in zip(rows_of(batch, 2)[1], batch, strict=True):
        state, action, reward, *_ = lanes[lane].transition(number, 2)
        np.testing.assert_array_equal(found["state"], state)
        assert (found["action"], found["reward"]) == (action, reward)


def test_errors_that_come_too_late_are_passed_over(filled):
    memory, lanes = filled
    rows = memory.sample(30)["row"].numpy()
    for _ in range(20):  # by then other transitions have the places of these
        play(memory, lanes, GO * 2)
    before = memory._tree.leaves
    memory.prioritize(rows, np.full(30, 100, np.float32))
    np.testing.assert_array_equal(memory._tree.leaves, before)
    assert memory.check_valid() == (True, "")


def test_the_same_state_draws_the_same_and_takes_errors_alike(filled, tmp_path):
    memory, _ = filled
    memory.prioritize(memory.sample(9)["row"].numpy(), np.linspace(0, 7, 9, dtype=np.float32))
    state = save(memory)
    compute_copy = PrioritizedFrameReplay(
        tmp_path, (4, 2, 2), lanes=2, capacity=40, n_step=2, gamma=GAMMA, seed=9, alpha=ALPHA
    )
    memory.prioritize(memory.sample(9)["row"].numpy(), np.full(9, 50, np.float32))
    memory.load_state_dict(state)
    compute_copy.load_state_dict(state)
    for far in range(5):
        batch, other = memory.sample(32), compute_copy.sample(32)
        assert (batch == other).all()
        for each in (memory, compute_copy):
            each.prioritize(batch["row"].numpy(), np.full(32, far, np.float32))
        assert (
            memory.state_dict()["highest_priority"] == compute_copy.state_dict()["highest_priority"]
        )


@pytest.mark.parametrize("beyond", range(1, 10))
def test_rows_lost_since_the_state_was_saved_lose_their_priorities(filled, tmp_path, beyond):
    memory, lanes = filled
    memory.prioritize(memory.sample(30)["row"].numpy(), np.arange(30, dtype=np.float32))
    state, then = save(memory), copy.deepcopy(lanes)
    for _ in range(8 + beyond):
        play(memory, lanes, GO * 2)
    late = PrioritizedFrameReplay(
        tmp_path, (4, 2, 2), lanes=2, capacity=40, n_step=2, gamma=GAMMA, alpha=ALPHA
    )
    late.load_state_dict(state)
    assert late.ring.lost_rows == 2 * beyond
    for _ in range(30):
        assert late.check_valid() == (True, "")
        assert (late.sample(50)["row"].numpy() // 2 >= late._bounds()[0].min()).all()
        play(late, then, GO * 2)
    assert_same(late, then, share=20, n_step=2)


def test_damage_is_found(filled):
    memory, _ = filled
    memory._tree.update(np.flatnonzero(memory._tree.leaves)[:1], np.zeros(1))
    assert memory.check_valid() == (
        False,
        "there are priorities without a transition, or transitions without one",
    )


def test_nothing_to_draw_is_said(tmp_path):
    memory, lanes = PrioritizedFrameReplay(tmp_path, (4, 2, 2), lanes=1, capacity=9), [Lane(4)]
    with pytest.raises(LookupError, match="nothing can be drawn yet; cache more than 1 steps"):
        memory.sample(1)
    play(memory, lanes, CRASHED)
    play(memory, lanes, GO)
    play(memory, lanes, GO)
    np.testing.assert_array_equal(memory.sample(3)["state"], [lanes[0].rows[1].state] * 3)
