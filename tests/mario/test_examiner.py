"""Evaluations during training: when, of what, and which is the best."""

from __future__ import annotations

import pytest
from doubles import fake_game
from tape import TapeAgent, setting

from mario.config import EvaluationConfig
from mario.examiner import SEED_OFFSET, Examiner
from mario.vector import GameVector


class Setup:
    def __init__(self, episodes=2, stop=lambda: False):
        self.lines, self.vectors, self.length = [], [], 3
        self.examiner = Examiner(
            EvaluationConfig(every=100, episodes=episodes), self.make, game="g", seed=5,
            emulator="e", report=self.lines.append, stop=stop,
        )  # fmt: skip

    def make(self, seed):
        self.seed = seed
        self.vectors.append(GameVector(fake_game(length=self.length), 1, seed=seed))
        return self.vectors[-1]

    def examine(self, steps, length=3):
        self.length = length
        return self.examiner.examine(TapeAgent(setting(1)), steps)


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
    assert setup.seed == 5 + SEED_OFFSET
    assert all(vector.closed for vector in setup.vectors)


def test_only_a_better_agent_is_the_best():
    setup = Setup()
    assert setup.examine(100, length=4)
    assert not setup.examine(200, length=3)
    assert not setup.examine(300, length=4)
    assert setup.examine(400, length=5)
    assert setup.examiner.latest.steps_trained == 400
    assert setup.lines[0] == (
        "Evaluation at step 100 - 2 episodes - Clear Rate 1.00 - Mean Return 4.5 - Mean X 4"
    )


def test_the_best_is_remembered_over_a_resume():
    setup, again = Setup(), Setup()
    setup.examine(100, length=4)
    again.examiner.load_state_dict(setup.examiner.state_dict())
    assert again.examiner.latest == setup.examiner.latest
    assert not again.examine(200, length=3)
    assert again.examine(300, length=5)


def test_the_same_moment_is_not_examined_twice():
    setup = Setup()
    assert setup.examine(100)
    assert not setup.examine(100)
    assert len(setup.vectors) == 1


@pytest.mark.parametrize("stops_after", [0, 2])
def test_an_evaluation_that_was_cut_short_does_not_count(stops_after):
    asked = iter(range(100))
    setup = Setup(stop=lambda: next(asked) >= stops_after)
    assert not setup.examine(100)
    assert setup.examiner.latest is None
