"""Tests of the warnings: which ones are given, and how often."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest
from transitions import transitions

from mario.config.run_config import DiagnosticsConfig
from mario.errors import UsageError
from mario.metrics.episode_rows import EpisodeRecord
from mario.training.diagnostics import TrainingDiagnostics
from mario.training.loop import TrainingStep

CHECK_EVERY = 100


def step_of(actions, rewards):
    """Return a step of ten environments, in which an episode of the eighth one ends."""
    states, ended = np.zeros((10, 2, 4, 4), np.uint8), np.arange(10) == 7
    batch = transitions(states, actions, rewards, ended, ~ended, states, valid=actions >= 0)
    return TrainingStep(batch, {7: {}}, None)


class Run:
    """A run of ten environments that is checked every 100 steps; healthy by default."""

    def __init__(self, gamma=0.9, resumes_at=None, **config):
        self.warnings, self.resumes_at, self.gamma = [], resumes_at, gamma
        self.trainer = SimpleNamespace(
            steps=0, progress=0.1, agent=SimpleNamespace(exploration_rate=0.1)
        )
        defaults = {"check_every": CHECK_EVERY, "patience": 300, "repeat_after": 10**9}
        self.config = DiagnosticsConfig(**defaults | config)
        self.diagnostics = self.make()

    def make(self):
        diagnostics = TrainingDiagnostics(
            self.config, num_actions=4, gamma=self.gamma,
            warn=lambda step, text: self.warnings.append((step, text)),
        )  # fmt: skip
        diagnostics.trainer = self.trainer
        return diagnostics

    def resume(self):
        state, self.diagnostics = self.diagnostics.state_dict(), self.make()
        self.diagnostics.load_state_dict(state)

    def play(
        self, actions=(0, 1, 2, 3), *, random=0.1, reward=1.0, final_reward=0.0, q=5.0, x=None,
        progress=0.1, clear_rate=0.0,
    ):  # fmt: skip
        """Play until the next check, cycling through the actions, and return all warnings.

        Action -1 stands for a step that is not valid.
        """
        chosen = np.resize(np.array(actions), CHECK_EVERY)
        self.trainer.progress, self.trainer.agent.exploration_rate = progress, random
        self.diagnostics.on_evaluation(SimpleNamespace(clear_rate=clear_rate), False)
        for index in range(10):
            if self.trainer.steps == self.resumes_at:
                self.resume()
            rewards = np.full(10, reward, np.float32)
            rewards[7] = final_reward
            self.trainer.steps += 10
            self.diagnostics.on_update({"q": q, "loss": 1e9})
            distance = float(self.trainer.steps) if x is None else x
            record = EpisodeRecord(1, self.trainer.steps, 7, 0.0, 1, distance, "death")
            self.diagnostics.on_episode(record)
            step = step_of(chosen[index * 10 : index * 10 + 10], rewards)
            self.diagnostics.on_step(step)
        return [text for _, text in self.warnings]


def test_a_healthy_run_gets_no_warnings():
    run = Run()
    assert [run.play() for _ in range(9)][-1] == []


def test_choosing_nearly_always_the_same_action_gets_a_warning():
    (line,) = Run().play(actions=[2], random=0.0)
    assert line.startswith("action 2 is 100% of the non-random actions in the last 100 steps")


@pytest.mark.parametrize(
    ("others", "random", "warned"),
    [
        (4, 0.0, True),
        (5, 0.0, False),
        (15, 0.2, True),  # 20 % random: a quarter of these are action 2
        (20, 0.2, False),
        (30, 0.4, True),
        (45, 0.6, False),  # too few actions are greedy
    ],
)
def test_random_actions_do_not_hide_that_the_greedy_ones_are_all_the_same(others, random, warned):
    run = Run()
    actions = [2] * (CHECK_EVERY - others) + [0, 1, 3] * others
    assert bool(run.play(actions=actions, random=random)) is warned


def test_steps_lost_in_a_crash_are_not_counted():
    run = Run()
    assert run.play(actions=[-1, 0, 1, 2]) == []
    run.play()
    assert run.warnings == []


def test_values_that_the_rewards_do_not_allow_get_a_warning():
    run = Run(gamma=0.9)
    assert run.play(reward=-2.0, q=-19.9) == []
    (line,) = run.play(reward=1.0, q=20.1)
    assert re.match(
        r"the mean action value is 20\.1, but rewards up to 2, final rewards up to 0 and gamma "
        r"0\.9 allow at most 20:",
        line,
    )


@pytest.mark.parametrize(("value", "warned"), [(14.9, False), (15.1, True)])
def test_the_final_reward_counts_only_once(value, warned):
    assert bool(Run(gamma=0.9).play(reward=1.0, final_reward=-5.0, q=value)) is warned


@pytest.mark.parametrize("gamma", [None, 1.0])
def test_without_a_discount_any_value_is_possible(gamma):
    assert Run(gamma).play(q=1e9) == []


def test_values_that_are_not_finite_get_no_warning():
    assert Run().play(q=float("nan")) == []


def test_no_progress_for_a_long_time_gets_a_warning():
    run = Run()
    run.play(x=100.0)
    for x in (99.0, 100.0):
        assert run.play(x=x) == []
    (line,) = run.play(x=50.0)
    assert line.startswith(
        "no progress for 300 steps: the best mean over episodes was 100 at step 100;"
    )


def test_an_agent_that_clears_its_level_need_not_progress():
    run = Run()
    assert [run.play(x=100.0, clear_rate=0.95) for _ in range(9)][-1] == []


@pytest.mark.parametrize(
    ("random", "progress", "warned"),
    [(0.6, 0.55, True), (0.6, 0.45, False), (0.4, 0.9, False)],
)
def test_much_exploration_late_in_the_run_gets_a_warning(random, progress, warned):
    run = Run()
    assert bool(run.play(random=random, progress=progress)) is warned
    if warned:
        assert "60% of the actions are still random after 55% of the run" in run.warnings[0][1]


def test_a_warning_is_repeated_only_after_an_interval():
    run = Run(repeat_after=300)
    for _ in range(8):
        run.play(actions=[2], random=0.0)
    assert [step for step, _ in run.warnings] == [100, 400, 700]


@pytest.mark.parametrize("resumes_at", [10, 130, 200, 270, 390, 490])
def test_a_resumed_run_gets_the_same_warnings(resumes_at):
    script = [
        {"x": 100.0, "reward": 2.0}, {"q": 19.0, "x": 90.0}, {"q": 21.0, "x": 80.0},
        {"x": 70.0, "actions": [2], "random": 0.0}, {"x": 60.0, "q": 30.0},
    ]  # fmt: skip
    whole, resumed = Run(repeat_after=200), Run(repeat_after=200, resumes_at=resumes_at)
    for part in script:
        whole.play(**part)
        resumed.play(**part)
    assert resumed.warnings == whole.warnings
    assert [step for step, _ in whole.warnings] == [300, 400, 400, 500]


def test_the_clear_rate_is_restored():
    run = Run()
    run.diagnostics.on_evaluation(SimpleNamespace(clear_rate=0.95), True)
    run.resume()
    assert run.diagnostics.state_dict()["clear_rate"] == 0.95


@pytest.mark.parametrize("name", ["check_every", "patience", "repeat_after"])
def test_the_intervals_must_be_positive(name):
    with pytest.raises(UsageError, match=f"diagnostics.{name} must be at least 1, got 0"):
        DiagnosticsConfig(**{name: 0})


def test_episodes_that_do_not_begin_at_the_start_of_the_game_are_no_progress():
    run = Run()
    record = EpisodeRecord(1, 0, 0, 0.0, 1, 1000.0, "flag", start_offset=50)
    run.diagnostics.on_episode(record)
    run.play(x=100.0)
    assert run.diagnostics.state_dict()["best_distance"] == 100.0
