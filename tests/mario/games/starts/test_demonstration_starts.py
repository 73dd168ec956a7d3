from __future__ import annotations

from collections import Counter

import pytest

from mario.config.env_config import StartCurriculumConfig
from mario.games.starts.demonstration_starts import (
    BIN_STEPS,
    Demonstration,
    DemonstrationPoint,
    DemonstrationStarts,
)

LENGTHS = 20, 3


def make_starts(probability=0.5, lengths=LENGTHS):
    demonstrations = [Demonstration(0, (1,) * n, (2.0,) * n) for n in lengths]
    config = StartCurriculumConfig(demonstration_probability=probability)
    return DemonstrationStarts(demonstrations, config)


def draw_many(starts, count=2000):
    return Counter(starts.draw(seed) for seed in range(count))


def record(starts, point, ending, times, episode_return=0.0, length=10):
    for _ in range(times):
        starts.record(point, ending, episode_return, length)


def test_a_share_of_the_episodes_starts_at_the_beginning_of_the_game():
    assert draw_many(make_starts(0.75))[None] == pytest.approx(500, abs=60)
    assert set(draw_many(make_starts(0.0), 100)) == {None}


def test_every_step_of_every_demonstration_is_a_start():
    expected = {DemonstrationPoint(i, p) for i, n in enumerate(LENGTHS) for p in range(n)}
    assert set(draw_many(make_starts(0.99))) == expected | {None}


def test_a_draw_depends_only_on_the_seed_and_on_what_was_recorded():
    one, other = make_starts(), make_starts()
    assert [one.draw(seed) for seed in range(50)] == [other.draw(seed) for seed in range(50)]


def test_starts_that_succeed_are_drawn_less_often():
    starts = make_starts(0.99)
    record(starts, DemonstrationPoint(0, 9), "flag", times=60)
    counts = draw_many(starts)
    mastered = sum(counts[DemonstrationPoint(0, p)] for p in range(BIN_STEPS, 2 * BIN_STEPS))
    others = sum(counts[DemonstrationPoint(0, p)] for p in range(BIN_STEPS))
    assert 0 < mastered < 0.15 * others


def test_failures_raise_the_rate_again():
    starts = make_starts()
    record(starts, DemonstrationPoint(1, 2), "flag", times=60)
    assert starts.failure_rates.tolist() == pytest.approx([1, 1, 1, 0], abs=0.01)
    record(starts, DemonstrationPoint(1, 0), "death", times=60)
    assert starts.failure_rates.tolist() == pytest.approx([1, 1, 1, 1], abs=0.01)


@pytest.mark.parametrize(("episode_return", "rate"), [(9.0, 1.0), (10.0, 0.0)])
def test_a_truncated_episode_is_judged_by_the_return_of_the_demonstration(episode_return, rate):
    starts = make_starts()
    record(starts, DemonstrationPoint(0, 0), "truncated", 100, episode_return, length=10)
    assert starts.failure_rates[0] == pytest.approx(rate, abs=0.01)


def test_a_crash_changes_nothing():
    starts = make_starts()
    record(starts, DemonstrationPoint(0, 0), "flag", times=3)
    before = starts.failure_rates.tolist()
    record(starts, DemonstrationPoint(0, 0), "crash", times=3)
    assert starts.failure_rates.tolist() == before


def test_the_state_restores_the_draws():
    starts, restored = make_starts(), make_starts()
    record(starts, DemonstrationPoint(0, 0), "flag", times=30)
    restored.load_state_dict(starts.state_dict())
    assert draw_many(restored, 200) == draw_many(starts, 200)


def test_the_state_of_other_demonstrations_is_refused():
    with pytest.raises(ValueError, match="failure rates of 4 starts, the demonstrations have 1"):
        make_starts(lengths=[8]).load_state_dict(make_starts().state_dict())
