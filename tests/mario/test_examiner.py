"""Evaluations during training: when, of what, and which is the best."""

from __future__ import annotations

import pytest
from doubles import fake_game
from tape import TapeAgent, setting

from mario.config import EvaluationConfig
from mario.examiner import SEED_OFFSET, Examiner
from mario.vector import GameVector


class Setup:
    """An examiner of one game; each look at the clock takes a second."""

    def __init__(self, episodes=2, confirm=0, stop=lambda: False, until=None, epsilon=0.0):
        self.lines, self.vectors, self.seeds, self.clock = [], [], [], 0
        self.examiner = Examiner(
            EvaluationConfig(100, episodes, confirm, epsilon=epsilon, until=until), self.make,
            game="g", seed=5, emulator="e", elapsed=self.elapsed, report=self.lines.append,
            stop=stop,
        )  # fmt: skip

    def elapsed(self):
        self.clock += 1
        return self.clock

    def make(self, seed):
        self.seeds.append(seed)
        kwargs = self.first if len(self.seeds) == 1 or self.more is None else self.more
        self.vectors.append(GameVector(fake_game(**kwargs), 1, seed=seed))
        return self.vectors[-1]

    def examine(self, steps, length=3, truncates=False, more=None):
        """Episodes of a length that end by flag or are cut short; ``more`` for those after."""
        self.seeds = []
        self.first, self.more = {"length": length, "truncates": truncates}, more
        return self.examiner.examine(TapeAgent(setting(1)), steps)

    def resumed(self, **kwargs):
        """Another, that goes on where this one is."""
        again = Setup(**kwargs)
        again.examiner.load_state_dict(self.examiner.state_dict())
        return again


def test_it_is_due_at_every_interval_once():
    setup = Setup()
    assert not setup.examiner.due(99)
    assert setup.examiner.due(103)
    setup.examine(103)
    assert not setup.examiner.due(150)
    assert setup.examiner.due(200)


def test_without_episodes_there_is_no_evaluation():
    setup = Setup(episodes=0)
    assert not setup.examiner.due(1000)
    assert not setup.examine(1000)
    assert setup.examiner.latest is None


def test_its_episodes_are_not_those_of_training_and_its_games_are_closed():
    setup = Setup()
    setup.examine(100)
    assert setup.seeds == [5 + SEED_OFFSET]
    assert all(vector.closed for vector in setup.vectors)


def test_its_episodes_differ_if_some_decisions_are_random():
    greedy, some = Setup(episodes=8), Setup(episodes=8, epsilon=0.5)
    for setup in (greedy, some):
        setup.examine(100, length=20)
    assert greedy.examiner.latest.distinct_episodes < 8
    assert some.examiner.latest.distinct_episodes == 8
    assert some.examiner.latest.epsilon == 0.5


def test_only_a_better_agent_is_the_best():
    setup = Setup()
    assert setup.examine(100, length=4)
    assert not setup.examine(200, length=3)
    assert not setup.examine(300, length=4)
    assert setup.examine(400, length=5)
    assert setup.examiner.latest.steps_trained == 400
    assert setup.lines[0] == (
        "Evaluation at step 100 - 2 episodes - Clear Rate 1.00 - Mean Return 4.5 - Mean X 4 - "
        "Seconds 2.0 (evaluations: 25% of the run)"
    )


def test_the_best_is_remembered_over_a_resume():
    setup = Setup()
    setup.examine(100, length=4)
    again = setup.resumed()
    assert again.examiner.latest == setup.examiner.latest
    assert not again.examine(200, length=3)
    assert not again.examine(300, length=9, truncates=True), "farther, but it clears nothing"
    assert again.examine(400, length=5)
    assert not again.resumed().examine(500, length=4)


def test_what_looks_best_plays_on_from_other_starts():
    setup = Setup(confirm=5)
    assert setup.examine(100)
    assert setup.seeds == [5 + SEED_OFFSET, 6 + SEED_OFFSET]
    assert setup.examiner.latest.episodes == 5


@pytest.mark.parametrize("resumes", [False, True])
def test_luck_in_a_few_episodes_does_not_make_the_best(resumes):
    setup = Setup(confirm=5)
    assert setup.examine(100, length=4)
    setup = setup.resumed(confirm=5) if resumes else setup
    assert not setup.examine(200, length=5, more={"length": 5, "truncates": True})
    assert setup.examiner.latest.clear_rate == 0.4
    assert setup.examine(300, length=5)


@pytest.mark.parametrize("worse", [{"length": 9, "truncates": True}, {"length": 3}])
def test_what_looks_no_better_than_the_best_is_no_further_looked_at(worse):
    setup = Setup(confirm=5)
    setup.examine(100, length=4)
    assert not setup.examine(200, **worse)
    assert len(setup.seeds) == 1


def test_what_clears_nothing_is_judged_by_a_look():
    setup = Setup(confirm=5)
    assert setup.examine(100, truncates=True)
    assert not setup.examine(200, truncates=True)
    assert setup.examine(300, length=4, truncates=True)
    assert setup.examiner.latest.episodes == 2


def test_it_is_satisfied_with_a_clear_rate_that_is_confirmed():
    setup = Setup(confirm=5, until=0.5)
    assert not setup.examiner.satisfied
    setup.examine(100, length=4, more={"length": 4, "truncates": True})
    assert setup.examiner.latest.clear_rate == 0.4
    assert not setup.examiner.satisfied
    setup.examine(200, length=5)
    assert setup.examiner.satisfied
    assert setup.resumed(until=1.0).examiner.satisfied
    assert not setup.resumed(until=None).examiner.satisfied


def test_the_same_moment_is_not_examined_twice():
    setup = Setup()
    assert setup.examine(100)
    assert not setup.examine(100)
    assert len(setup.vectors) == 1


@pytest.mark.parametrize("stops_after", [0, 2, 8])
def test_an_evaluation_that_was_cut_short_does_not_count(stops_after):
    asked = iter(range(100))
    setup = Setup(confirm=5, stop=lambda: next(asked) >= stops_after)
    assert not setup.examine(100)
    assert setup.examiner.latest is None
