"""Periodic evaluation: when an agent is evaluated, and which evaluation is the best."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from doubles import fake_game
from tape import TapeAgent, spec

from mario.config.run_config import EvaluationConfig
from mario.evaluation import evaluator
from mario.evaluation.evaluator import SEED_OFFSET, Evaluator
from mario.vector.process_vector import ProcessVectorEnv


class Setup:
    """An evaluator with one environment; its clock advances by a second at every reading."""

    def __init__(
        self, episodes=2, confirm=0, stop=lambda: False, target=None, epsilon=0.0,
        games=("g",),
    ):  # fmt: skip
        config = EvaluationConfig(100, episodes, confirm, epsilon=epsilon, target_clear_rate=target)
        self.lines, self.vectors, self.seeds, self.clock = [], [], [], 0
        self.games = []
        self.first, self.later = {"length": 3}, None
        self.evaluator = Evaluator(
            config, self.make, games=games, seed=5, emulator="e", elapsed=self.elapsed,
            report=self.lines.append, stop=stop,
        )  # fmt: skip

    def elapsed(self):
        self.clock += 1
        return self.clock

    def make(self, game, seed, episodes):
        self.games.append(game)
        self.seeds.append(seed)
        kwargs = self.first if len(self.seeds) == 1 or self.later is None else self.later
        self.vectors.append(ProcessVectorEnv(fake_game(**kwargs), 1, seed=seed))
        return self.vectors[-1]

    def evaluate(self, steps, length=3, truncates=False, later=None):
        """Evaluate with episodes of a length; ``later`` are the options of confirming episodes."""
        self.seeds = []
        self.first, self.later = {"length": length, "truncates": truncates}, later
        return self.evaluator.evaluate(TapeAgent(spec(1)), steps)

    def resumed(self, **kwargs):
        """A new setup that continues from the state of this one."""
        other = Setup(**kwargs)
        other.evaluator.load_state_dict(self.evaluator.state_dict())
        return other


def test_an_evaluation_is_due_once_per_interval():
    setup = Setup()
    assert not setup.evaluator.due(99)
    assert setup.evaluator.due(103)
    setup.evaluate(103)
    assert not setup.evaluator.due(150)
    assert setup.evaluator.due(200)


def test_zero_episodes_disable_evaluation():
    setup = Setup(episodes=0)
    assert not setup.evaluator.due(1000)
    assert not setup.evaluate(1000)
    assert setup.evaluator.latest is None


def test_evaluation_seeds_differ_from_training_seeds_and_environments_are_closed():
    setup = Setup()
    setup.evaluate(100)
    assert setup.seeds == [5 + SEED_OFFSET]
    assert all(vector.closed for vector in setup.vectors)


def test_a_slow_evaluation_is_announced(monkeypatch):
    monkeypatch.setattr(evaluator, "ANNOUNCED_SECONDS", 0.01)
    setup = Setup(episodes=2)
    setup.evaluate(100)
    assert setup.lines[0] == "evaluating the agent in 2 episodes ..."


def test_random_actions_make_all_episodes_distinct():
    greedy, random = Setup(episodes=8), Setup(episodes=8, epsilon=0.5)
    for setup in (greedy, random):
        setup.evaluate(100, length=20)
    assert greedy.evaluator.latest.distinct_episodes < 8
    assert random.evaluator.latest.distinct_episodes == 8
    assert random.evaluator.latest.epsilon == 0.5


def test_only_an_improvement_is_the_best_evaluation():
    setup = Setup()
    assert setup.evaluate(100, length=4)
    assert not setup.evaluate(200, length=3)
    assert not setup.evaluate(300, length=4)
    assert setup.evaluate(400, length=5)
    assert setup.evaluator.latest.steps_trained == 400
    assert setup.lines[0] == (
        "Evaluation at step 100 - 2 episodes - Clear Rate 1.00 - Mean Return 4.5 - Mean X 4 - "
        "Seconds 2.0 (evaluations: 25% of the run)"
    )


def test_a_score_that_is_not_a_number_is_never_the_best():
    evaluator = Setup().evaluator
    summary = SimpleNamespace(sort_key=(0.0, 0.0, math.nan))
    assert not evaluator._looks_best(summary)
    assert evaluator._looks_best(SimpleNamespace(sort_key=(0.0, 0.0, 1.0)))


def test_the_best_evaluation_survives_a_resume():
    setup = Setup()
    setup.evaluate(100, length=4)
    other = setup.resumed()
    assert other.evaluator.latest == setup.evaluator.latest
    assert not other.evaluate(200, length=3)
    assert not other.evaluate(300, length=9, truncates=True), "farther, but clears no level"
    assert other.evaluate(400, length=5)
    assert not other.resumed().evaluate(500, length=4)


def test_an_agent_that_looks_best_plays_confirming_episodes_with_another_seed():
    setup = Setup(confirm=5)
    assert setup.evaluate(100)
    assert setup.seeds == [5 + SEED_OFFSET, 6 + SEED_OFFSET]
    assert setup.evaluator.latest.episodes == 5


@pytest.mark.parametrize("resumes", [False, True])
def test_a_lucky_agent_fails_confirmation(resumes):
    setup = Setup(confirm=5)
    assert setup.evaluate(100, length=4)
    setup = setup.resumed(confirm=5) if resumes else setup
    assert not setup.evaluate(200, length=5, later={"length": 5, "truncates": True})
    assert setup.evaluator.latest.clear_rate == 0.4
    assert setup.evaluate(300, length=5)


@pytest.mark.parametrize("worse", [{"length": 9, "truncates": True}, {"length": 3}])
def test_an_agent_that_looks_no_better_plays_no_confirming_episodes(worse):
    setup = Setup(confirm=5)
    setup.evaluate(100, length=4)
    assert not setup.evaluate(200, **worse)
    assert len(setup.seeds) == 1


def test_an_agent_that_clears_no_level_needs_no_confirmation():
    setup = Setup(confirm=5)
    assert setup.evaluate(100, truncates=True)
    assert not setup.evaluate(200, truncates=True)
    assert setup.evaluate(300, length=4, truncates=True)
    assert setup.evaluator.latest.episodes == 2


def test_the_run_is_complete_at_a_confirmed_target_clear_rate():
    setup = Setup(confirm=5, target=0.5)
    assert not setup.evaluator.complete
    setup.evaluate(100, length=4, later={"length": 4, "truncates": True})
    assert setup.evaluator.latest.clear_rate == 0.4
    assert not setup.evaluator.complete
    setup.evaluate(200, length=5)
    assert setup.evaluator.complete
    assert setup.resumed(target=1.0).evaluator.complete
    assert not setup.resumed(target=None).evaluator.complete


def test_the_same_step_is_not_evaluated_twice():
    setup = Setup()
    assert setup.evaluate(100)
    assert not setup.evaluate(100)
    assert len(setup.vectors) == 1


@pytest.mark.parametrize("stops_after", [0, 2, 8])
def test_an_aborted_evaluation_is_discarded(stops_after):
    calls = iter(range(100))
    setup = Setup(confirm=5, stop=lambda: next(calls) >= stops_after)
    assert not setup.evaluate(100)
    assert setup.evaluator.latest is None


def test_an_agent_of_several_games_plays_the_same_number_of_episodes_of_each():
    setup = Setup(confirm=3, games=("a", "b"))
    setup.later = {"length": 5, "truncates": True}
    assert setup.evaluate(100, length=3, later=setup.later)
    assert setup.games == ["a", "b", "a", "b"]
    summary = setup.evaluator.latest
    assert (summary.game, summary.episodes) == ("2 games", 6)
    assert summary.clear_rate == pytest.approx(1 / 3), "the mean over both games"
    assert setup.lines[0].startswith("  a - Clear Rate 0.67 - Mean X ")
    assert setup.lines[1].startswith("  b - Clear Rate 0.00 - Mean X ")
    assert setup.lines[2].startswith("Evaluation at step 100 - 6 episodes - Clear Rate 0.33")
