"""Points from which environments can be replayed."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mario.games.starts.start_curriculum import CLEARED, REPLACED, UNCHANGED
from mario.vector.replay_point import ActionLog, ReplayPoint

EARLIER = ActionLog(0, [9, 8, 7])
END = ReplayPoint(2, ActionLog(2, [5, 6]), farthest=EARLIER)


@pytest.mark.parametrize(
    ("farthest_update", "farthest"), [(UNCHANGED, EARLIER), (REPLACED, END.log), (CLEARED, None)]
)
def test_an_episode_from_the_start_keeps_the_farthest_trajectory(farthest_update, farthest):
    expected = ReplayPoint(3, ActionLog(3, []), farthest=farthest)
    assert END.next_episode(farthest_update, start_offset=0) == expected


@pytest.mark.parametrize(
    ("farthest_update", "start_offset", "log"),
    [
        (UNCHANGED, 1, ActionLog(2, [5])),
        (UNCHANGED, -2, ActionLog(0, [9, 8])),
        (REPLACED, -1, ActionLog(2, [5])),
    ],
)
def test_an_episode_can_start_on_an_earlier_trajectory(farthest_update, start_offset, log):
    following = END.next_episode(farthest_update, start_offset)
    assert (following.episode, following.log, following.start_offset) == (3, log, start_offset)


@pytest.mark.parametrize("point", [END, replace(END, farthest=None, start_offset=-1)])
def test_a_point_survives_a_file(point):
    assert ReplayPoint.from_dict(json.loads(json.dumps(point.to_dict()))) == point


def test_a_copy_is_independent():
    copy = END.copy()
    copy.log.actions.append(1)
    copy.farthest.actions.append(1)
    assert (END.log.actions, EARLIER.actions) == ([5, 6], [9, 8, 7])
