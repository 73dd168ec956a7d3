"""Each level is played by the most suitable expert."""

from __future__ import annotations

import numpy as np
import pytest
from tape import TapeAgent, spec

from agents.agent import EPISODE_START
from mario.playback.level_router import Expert, LevelRouter

STATES = np.zeros((1, 2, 4, 4), np.uint8)


class ConstantAgent(TapeAgent):
    """Always takes one action, which has the value 1; the others have 0."""

    def __init__(self, action, num_actions=3):
        super().__init__(spec())
        self.action, self.num_actions, self.closed = action, num_actions, False

    def act(self, states):
        return np.full(len(states), self.action)

    def action_values(self, states):
        return np.eye(self.num_actions, dtype=np.float32)[[self.action] * len(states)]

    @property
    def action_values_name(self):
        return f"score of {self.action}"

    def close(self):
        self.closed = True


def make_expert(level, action=0, action_indices=(0, 1, 2), agent=None):
    agent = agent or ConstantAgent(action, len(action_indices))
    return Expert(f"mario-{level}.chkpt", level, agent, np.array(action_indices))


class Playthrough:
    """A router that is taken from level to level."""

    def __init__(self, *experts):
        self.level, self.messages = "1-1", []
        self.router = LevelRouter(spec(), experts, lambda: self.level, self.messages.append)

    def act_in(self, level):
        """Enter a level and return the router's action."""
        self.level = level
        return int(self.router.act(STATES)[0])


def test_each_level_is_played_by_its_own_expert():
    playthrough = Playthrough(make_expert("1-1", 0), make_expert("1-2", 1), make_expert("4-1", 2))
    levels = ("1-1", "1-1", "1-2", "4-1", "1-1")
    assert [playthrough.act_in(level) for level in levels] == [0, 0, 1, 2, 0]


@pytest.mark.parametrize(
    ("level", "substitute"), [("7-2", "1-2"), ("3-4", "2-4"), ("1-3", "1-1"), ("1-4", "2-4")]
)
def test_a_level_without_an_expert_is_played_by_one_of_the_same_stage_else_the_first(
    level, substitute
):
    levels = ["1-1", "1-2", "2-4", "3-2"]
    experts = [make_expert(trained, index, range(4)) for index, trained in enumerate(levels)]
    playthrough = Playthrough(*experts)
    assert levels[playthrough.act_in(level)] == substitute
    assert playthrough.messages == [
        f"{level}: played by mario-{substitute}.chkpt, no agent was trained on this level"
    ]


def test_an_expert_for_all_levels_precedes_one_for_another_level():
    playthrough = Playthrough(make_expert("1-1", 0), make_expert(None, 1), make_expert("2-2", 2))
    assert [playthrough.act_in(level) for level in ("1-2", "1-1", "2-2")] == [1, 0, 2]


def test_the_expert_is_reported_once_for_each_level_entered():
    playthrough = Playthrough(make_expert("1-1"), make_expert("1-2"))
    for level in ("1-1", "1-1", "1-2", "1-2"):
        playthrough.act_in(level)
    assert playthrough.messages == [
        "1-1: played by mario-1-1.chkpt",
        "1-2: played by mario-1-2.chkpt",
    ]


def test_actions_of_an_expert_are_mapped_to_those_of_the_router():
    playthrough = Playthrough(
        make_expert("1-1", 1, action_indices=(0, 2)), make_expert("1-2", 1, action_indices=(2, 1))
    )
    assert [playthrough.act_in("1-1"), playthrough.act_in("1-2")] == [2, 1]


def test_action_values_are_nan_for_actions_that_the_expert_does_not_have():
    router = Playthrough(make_expert("1-1", 1, action_indices=(2, 0))).router
    action_values = router.action_values(STATES)
    assert action_values.dtype == np.float32
    assert np.array_equal(action_values, [[1, np.nan, 0]], equal_nan=True)
    assert router.action_values_name == "score of 1"


def test_there_are_no_action_values_if_the_expert_has_none():
    router = Playthrough(make_expert("1-1", agent=TapeAgent(spec()))).router
    assert router.action_values(STATES) is None


def test_a_router_does_not_learn():
    router = Playthrough(make_expert("1-1")).router
    router.cache(None)
    assert router.learn() is None
    with pytest.raises(RuntimeError, match="a LevelRouter cannot be trained; train each expert"):
        router.recall()


def test_closing_a_router_closes_all_experts():
    agents = ConstantAgent(0), ConstantAgent(1)
    experts = [make_expert(f"1-{stage}", agent=agent) for stage, agent in enumerate(agents, 1)]
    Playthrough(*experts).router.close()
    assert all(agent.closed for agent in agents)


def test_the_recurrent_state_is_reset_with_each_level_and_each_episode():
    class Recording(ConstantAgent):
        def carry_recurrent_state(self, indices):
            self.tape.append(indices.tolist())

    first, second = Recording(0), Recording(1)
    playthrough = Playthrough(make_expert("1-1", agent=first), make_expert("1-2", agent=second))
    for level in ("1-1", "1-1", "1-2", "1-1"):
        playthrough.act_in(level)
    reset = [EPISODE_START]
    assert (first.tape, second.tape) == ([reset, reset], [reset])
    playthrough.router.carry_recurrent_state(np.array([0]))
    assert (first.tape[-1], second.tape[-1]) == ([0], [0])
