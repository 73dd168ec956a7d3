from __future__ import annotations

from agents.compute.loss_scale import GROWTH_INTERVAL, MIN_SCALE, LossScale


def test_the_scale_is_halved_at_each_overflow_down_to_a_minimum():
    scale = LossScale(dynamic=True)
    values = []
    for _ in range(20):
        scale.update(finite=False)
        values.append(scale.value)
    assert values[:3] == [0.5, 0.25, 0.125]
    assert values[-1] == MIN_SCALE


def test_the_scale_grows_back_after_enough_finite_updates_and_stops_at_1():
    scale = LossScale(dynamic=True)
    scale.update(finite=False)
    for _ in range(GROWTH_INTERVAL - 1):
        scale.update(finite=True)
    assert scale.value == 0.5
    for _ in range(1 + GROWTH_INTERVAL):
        scale.update(finite=True)
    assert scale.value == 1.0


def test_the_scale_never_changes_unless_it_is_dynamic():
    scale = LossScale(dynamic=False)
    scale.update(finite=False)
    assert scale.value == 1.0


def test_a_restored_scale_grows_at_the_same_update():
    scale, restored = LossScale(dynamic=True), LossScale(dynamic=True)
    for finite in (False, False, True):
        scale.update(finite)
    restored.load_state_dict(scale.state_dict())
    for _ in range(GROWTH_INTERVAL - 1):
        for each in (scale, restored):
            each.update(finite=True)
    assert scale.value == restored.value == 0.5
