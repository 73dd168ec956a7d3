"""Evaluations during training: when, of what, and which is the best."""

from __future__ import annotations

import pytest
from doubles import fake_game
from tape import TapeAgent, spec

from mario.config.run_config import EvaluationConfig
from mario.evaluation.evaluator import SEED_OFFSET, Evaluator
from mario.vector.process_vector import ProcessVectorEnv


class Setup:
    """An evaluator of one game; each look at the clock takes a second."""

    def __init__(self, episodes=2, confirm=0, stop=lambda: False, until=None, epsilon=0.0):
        self.lines, self.vectors, self.seeds, self.clock = [], [], [], 0
        self.evaluator = Evaluator(
            EvaluationConfig(100, episodes, confirm, epsilon=epsilon, target_clear_rate=until), self.make,
            game="g", seed=5, emulator="e", elapsed=self.elapsed, report=self.lines.append,
            stop=stop,
        )  # fmt: skip

    def elapsed(self):
        self.clock += 1
        return self.clock

    def make(self, seed):
        self.seeds.append(seed)
        kwargs = self.first if len(self.seeds) == 1 or self.more is None else self.more
        self.vectors.append(ProcessVectorEnv(fake_game(**kwargs), 1, seed=seed))
        return self.vectors[-1]

    def examine(self, steps, length=3, truncates=False, more=None):
        """Episodes of a length that end by flag or are cut short; ``more`` for those after."""
        self.seeds = []
        self.first, self.more = {"length": length, "truncates": truncates}, more
        return self.evaluator.examine(TapeAgent(spec(1)), steps)

    def resumed(self, **kwargs):
        """Another, that goes on where this one is."""
        again = Setup(**kwargs)
        again.evaluator.load_state_dict(self.evaluator.state_dict())
        return again


def test_it_is_due_at_every_interval_once():
    setup = Setup()
    assert not setup.evaluator.due(99)
    assert setup.evaluator.due(103)
    setup.examine(103)
    assert not setup.evaluator.due(150)
    assert setup.evaluator.due(200)


def test_without_episodes_there_is_no_evaluation():
    setup = Setup(episodes=0)
    assert not setup.evaluator.due(1000)
    assert not setup.examine(1000)
    assert setup.evaluator.latest is None


def test_its_episodes_are_not_those_of_training_and_its_games_are_closed():
    setup = Setup()
    setup.examine(100)
    assert setup.seeds == [5 + SEED_OFFSET]
    assert all(vector.closed for vector in setup.vectors)


def test_its_episodes_differ_if_some_decisions_are_random():
    greedy, some = Setup(episodes=8), Setup(episodes=8, epsilon=0.5)
    for setup in (greedy, some):
        setup.examine(100, length=20)
    assert greedy.evaluator.latest.distinct_episodes < 8
    assert some.evaluator.latest.distinct_episodes == 8
    assert some.evaluator.latest.epsilon == 0.5


def test_only_a_better_agent_is_the_best():
    setup = Setup()
    assert setup.examine(100, length=4)
    assert not setup.examine(200, length=3)
    assert not setup.examine(300, length=4)
    assert setup.examine(400, length=5)
    assert setup.evaluator.latest.steps_trained == 400
    assert setup.lines[0] == (
        "Evaluation at step 100 - 2 episodes - Clear Rate 1.00 - Mean Return 4.5 - Mean X 4 - "
        "Seconds 2.0 (evaluations: 25% of the run)"
    )


def test_the_best_is_remembered_over_a_resume():
    setup = Setup()
    setup.examine(100, length=4)
    again = setup.resumed()
    assert again.evaluator.latest == setup.evaluator.latest
    assert not again.examine(200, length=3)
    assert not again.examine(300, length=9, truncates=True), "farther, but it clears nothing"
    assert again.examine(400, length=5)
    assert not again.resumed().examine(500, length=4)


def test_what_looks_best_plays_on_from_other_starts():
    setup = Setup(confirm=5)
    assert setup.examine(100)
    assert setup.seeds == [5 + SEED_OFFSET, 6 + SEED_OFFSET]
    assert setup.evaluator.latest.episodes == 5


@pytest.mark.parametrize("resumes", [False, True])
def test_luck_in_a_few_episodes_does_not_make_the_best(resumes):
    setup = Setup(confirm=5)
    assert setup.examine(100, length=4)
    setup = setup.resumed(confirm=5) if resumes else setup
    assert not setup.examine(200, length=5, more={"length": 5, "truncates": True})
    assert setup.evaluator.latest.clear_rate == 0.4
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
    assert setup.evaluator.latest.episodes == 2


def test_it_is_satisfied_with_a_clear_rate_that_is_confirmed():
    setup = Setup(confirm=5, until=0.5)
    assert not setup.evaluator.satisfied
    setup.examine(100, length=4, more={"length": 4, "truncates": True})
    assert setup.evaluator.latest.clear_rate == 0.4
    assert not setup.evaluator.satisfied
    setup.examine(200, length=5)
    assert setup.evaluator.satisfied
    assert setup.resumed(until=1.0).evaluator.satisfied
    assert not setup.resumed(until=None).evaluator.satisfied


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
    assert setup.evaluator.latest is None
