"""Workers that join, start, answer and are lost."""

from __future__ import annotations

import pytest
from clock import Clock

from mario.cluster.protocol import Answer, Joined, Lost
from mario.cluster.roster import Roster
from mario.cluster.workers.messages import Start
from mario.errors import RunError


class ScriptedFleet:
    """Returns the given events, one list per call of `wait`; time passes in each."""

    size, address, trouble = 2, "head:6379", None

    def __init__(self, *events):
        self.events, self.calls, self.clock = list(events), [], Clock()

    def submit(self, worker, method, *arguments):
        self.calls.append((worker, method))

    def wait(self, timeout):
        self.clock.now += 1.0
        return self.events.pop(0) if self.events else []


def make(*events):
    lines = []
    fleet = ScriptedFleet(*events)
    roster = Roster(
        fleet, lambda worker, life: Start({}, 0), lines.append,
        join_seconds=10, clock=fleet.clock.monotonic,
    )  # fmt: skip
    return fleet, roster, lines


def test_a_worker_is_ready_once_it_has_started():
    fleet, roster, lines = make(
        [Joined(1, 0)], [Answer(1, None)], [Joined(0, 0)], [Answer(0, None)]
    )
    roster.gather(1)
    assert roster.ready == {1}
    roster.gather(2)
    assert roster.ready == {0, 1}
    assert fleet.calls == [(1, "start"), (0, "start")]
    assert lines == []


def test_training_starts_with_the_workers_that_are_ready_in_time():
    _, roster, lines = make([Joined(1, 0)], [Answer(1, None)])
    roster.gather(2)
    assert lines == ["1 of 2 workers are ready; the others join when there are free cores"]


def test_no_worker_in_time_is_an_error_with_a_remedy():
    _, roster, _ = make()
    with pytest.raises(RunError, match="no worker of head:6379 was ready within 30 s; check"):
        roster.gather(1)


def test_a_stop_ends_the_wait_without_an_error():
    _, roster, _ = make()
    roster.gather(1, stop=lambda: True)
    assert roster.ready == set()


def test_only_losses_of_ready_workers_concern_the_caller():
    _, roster, lines = make(
        [Joined(0, 0), Joined(1, 0)], [Answer(0, None)], [Lost(1, "died")], [Lost(0, "froze")]
    )
    assert [roster.poll() for _ in range(4)] == [[], [], [], [Lost(0, "froze")]]
    assert lines == [
        "worker 1 is lost (died); a replacement is on its way",
        "worker 0 is lost (froze); a replacement is on its way",
    ]


def test_answers_of_lost_workers_are_missing():
    _, roster, _ = make(
        [Joined(0, 0), Joined(1, 0)], [Answer(0, None), Answer(1, None)],
        [Answer(1, "state")], [Lost(0, "died")],
    )  # fmt: skip
    roster.gather(2)
    assert roster.ask({0, 1}, "state_dict") == {1: "state"}
