"""Each level is played by the agent that knows it best."""

from __future__ import annotations

import numpy as np
import pytest
from tape import TapeAgent, spec
from transitions import transitions

from mario.playback.level_router import Expert, LevelRouter


class Always(TapeAgent):
    """Plays its one action, which it prefers by 1."""

    def __init__(self, action, num_actions=3):
        super().__init__(spec())
        self.action, self.num_actions, self.closed = action, num_actions, False

    def act(self, states):
        return np.full(len(states), self.action)

    def action_values(self, states):
        return np.eye(self.num_actions, dtype=np.float32)[[self.action] * len(states)]

    @property
    def action_values_name(self):
        return f"liking for {self.action}"

    def close(self):
        self.closed = True


def member(level, action=0, actions=(0, 1, 2), agent=None):
    name = f"mario-{level}.chkpt"
    return Expert(name, level, agent or Always(action, len(actions)), np.array(actions))


class Trip:
    """A router on its way from level to level."""

    def __init__(self, *members):
        self.level, self.told = "1-1", []
        self.router = LevelRouter(spec(), members, lambda: self.level, self.told.append)

    def to(self, level):
        """What is done in a level."""
        self.level = level
        return int(self.router.act(np.zeros((1, 2, 4, 4), np.uint8))[0])


def test_every_level_is_played_by_its_own_agent():
    trip = Trip(member("1-1", 0), member("1-2", 1), member("4-1", 2))
    assert [trip.to(level) for level in ("1-1", "1-1", "1-2", "4-1", "1-1")] == [0, 0, 1, 2, 0]


@pytest.mark.parametrize(
    ("level", "stands_in"), [("7-2", "1-2"), ("3-4", "2-4"), ("1-3", "1-1"), ("1-4", "2-4")]
)
def test_a_level_without_an_agent_is_played_by_one_of_its_stage_else_the_first(level, stands_in):
    levels = ["1-1", "1-2", "2-4", "3-2"]
    trip = Trip(*(member(each, at, range(4)) for at, each in enumerate(levels)))
    assert levels[trip.to(level)] == stands_in
    assert trip.told == [
        f"{level}: played by mario-{stands_in}.chkpt, since none was trained on it"
    ]


def test_an_agent_of_all_levels_stands_in_before_that():
    trip = Trip(member("1-1", 0), member(None, 1), member("2-2", 2))
    assert [trip.to(level) for level in ("1-2", "1-1", "2-2")] == [1, 0, 2]


def test_who_plays_is_told_when_a_level_is_entered_and_only_then():
    trip = Trip(member("1-1"), member("1-2"))
    for level in ("1-1", "1-1", "1-2", "1-2"):
        trip.to(level)
    assert trip.told == ["1-1: played by mario-1-1.chkpt", "1-2: played by mario-1-2.chkpt"]


def test_an_agents_actions_are_those_of_the_same_buttons():
    trip = Trip(member("1-1", 1, actions=(0, 2)), member("1-2", 1, actions=(2, 1)))
    assert [trip.to("1-1"), trip.to("1-2")] == [2, 1]


def test_preferences_are_told_for_the_actions_that_the_agent_has():
    trip = Trip(member("1-1", 1, actions=(2, 0)))
    rating = trip.router.action_values(np.zeros((1, 2, 4, 4), np.uint8))
    assert rating.dtype == np.float32
    assert np.array_equal(rating, [[1, np.nan, 0]], equal_nan=True)
    assert trip.router.action_values_name == "liking for 1"


def test_an_agent_without_preferences_stays_without():
    trip = Trip(member("1-1", agent=TapeAgent(spec())))
    assert trip.router.action_values(np.zeros((1, 2, 4, 4), np.uint8)) is None


def test_it_only_plays():
    router = Trip(member("1-1")).router
    router.cache(transitions(*[np.zeros(1)] * 6))
    assert router.learn() is None
    with pytest.raises(RuntimeError, match="a router only plays; train its agents one by one"):
        router.recall()


def test_closing_it_closes_its_agents():
    agents = Always(0), Always(1)
    Trip(*(member(f"1-{at}", agent=agent) for at, agent in enumerate(agents, 1))).router.close()
    assert all(agent.closed for agent in agents)


def test_an_agent_with_a_memory_begins_anew_with_its_level_and_with_each_episode():
    class Noting(Always):
        def carry_recurrent_state(self, indices):
            self.tape.append(indices.tolist())

    first, second = Noting(0), Noting(1)
    trip = Trip(member("1-1", agent=first), member("1-2", agent=second))
    for level in ("1-1", "1-1", "1-2", "1-1"):
        trip.to(level)
    assert (first.tape, second.tape) == ([[-1], [-1]], [[-1]])
    trip.router.carry_recurrent_state(np.array([0]))
    assert (first.tape[-1], second.tape[-1]) == ([0], [0])
