"""Tests of the means since an earlier moment."""

from __future__ import annotations

import math

from mario.metrics.running_means import RunningMeans


def test_a_scalar_without_a_value_has_no_mean():
    means = RunningMeans()
    means.add({"loss": 1.0})
    assert means.means_since(means.mark()) == {}


def test_values_that_are_not_finite_are_skipped():
    means = RunningMeans()
    start = means.mark()
    for loss in (1.0, math.nan, math.inf, 3.0):
        means.add({"loss": loss})
    assert means.means_since(start) == {"loss": 2.0}


def test_a_mark_is_not_changed_by_later_values():
    means = RunningMeans()
    means.add({"loss": 1.0})
    mark = means.mark()
    means.add({"loss": 5.0})
    assert mark == {"loss": [1.0, 1]}


def test_restoring_a_mark_drops_later_values():
    means = RunningMeans()
    means.add({"loss": 1.0})
    mark = means.mark()
    means.add({"loss": 5.0, "q": 1.0})
    means.restore(mark)
    assert means.mark() == mark
