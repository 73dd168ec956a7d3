"""What is warned of, what is not, and how often."""

from __future__ import annotations

import re

import numpy as np
import pytest

from mario.config.run_config import DiagnosticsConfig
from mario.errors import UsageError
from mario.metrics.logger import EpisodeRecord
from mario.training.diagnostics import TrainingDiagnostics

EVERY = 100


class Run:
    """A run of ten games that is looked at every hundred decisions; all is well unless said."""

    def __init__(self, gamma=0.9, resumes_at=None, **config):
        self.told, self.steps, self.resumes_at = [], 0, resumes_at
        self.gamma, self.config = gamma, {"every": EVERY, "patience": 300, "again": 10**9} | config
        self.diagnostics = self.make()

    def make(self):
        return TrainingDiagnostics(
            DiagnosticsConfig(**self.config), num_actions=4, gamma=self.gamma,
            warn=lambda step, text: self.told.append((step, text)),
        )  # fmt: skip

    def resume(self):
        state, self.diagnostics = self.diagnostics.state_dict(), self.make()
        self.diagnostics.load_state_dict(state)

    def live(
        self, actions=(0, 1, 2, 3), *, rate=0.1, reward=1.0, end=0.0, q=5.0, x=None,
        share_done=0.1, clear_rate=0.0,
    ):  # fmt: skip
        """Play until the next check, cycling through the actions; -1 is a step that is not valid."""
        chosen = np.resize(np.array(actions), EVERY)
        for step in range(10):
            if self.steps == self.resumes_at:
                self.resume()
            rewards = np.full(10, reward, np.float32)
            rewards[7] = end
            taken = chosen[step * 10 : step * 10 + 10]
            self.diagnostics.see(taken[taken >= 0], rewards, [7], rate)
            self.steps += 10
            self.diagnostics.hear({"q": q, "loss": 1e9})
            way = float(self.steps) if x is None else x
            self.diagnostics.read(EpisodeRecord(1, self.steps, 0, 0.0, 1, way, "death"))
            self.diagnostics.advise(self.steps, share_done=share_done, clear_rate=clear_rate)
        return [text for _, text in self.told]


def test_of_a_run_that_goes_well_nothing_is_said():
    run = Run()
    assert [run.live() for _ in range(9)][-1] == []


def test_one_action_most_of_the_time_is_told():
    (line,) = Run().live(actions=[2], rate=0.0)
    assert line.startswith("action 2 was 100% of the last 100 decisions, random ones left out")


@pytest.mark.parametrize(
    ("others", "rate", "told"),
    [
        (4, 0.0, True),
        (5, 0.0, False),
        (15, 0.2, True),  # 20 % random: a quarter of them are the action itself
        (20, 0.2, False),
        (30, 0.4, True),
        (45, 0.6, False),  # too few decisions are not random
    ],
)
def test_random_actions_do_not_hide_that_the_others_are_all_the_same(others, rate, told):
    run = Run()
    assert bool(run.live(actions=[2] * (EVERY - others) + [0, 1, 3] * others, rate=rate)) is told


def test_steps_lost_in_a_crash_are_no_decisions():
    run = Run()
    assert run.live(actions=[-1, 0, 1, 2]) == []
    run.live()
    assert run.told == []


def test_values_beyond_what_rewards_allow_are_told():
    run = Run(gamma=0.9)
    assert run.live(reward=-2.0, q=-19.9) == []
    (line,) = run.live(reward=1.0, q=20.1)
    assert re.match(
        r"the values learned are 20\.1 on average, where rewards up to 2, 0 at the end, and gamma "
        r"0\.9 allow 20:",
        line,
    )


@pytest.mark.parametrize(("value", "told"), [(14.9, False), (15.1, True)])
def test_the_reward_of_an_end_comes_but_once(value, told):
    assert bool(Run(gamma=0.9).live(reward=1.0, end=-5.0, q=value)) is told


@pytest.mark.parametrize("gamma", [None, 1.0])
def test_without_a_discount_no_value_is_too_great(gamma):
    assert Run(gamma).live(q=1e9) == []


def test_values_that_are_not_finite_are_left_to_others():
    assert Run().live(q=float("nan")) == []


def test_no_progress_for_long_is_told():
    run = Run()
    run.live(x=100.0)
    for x in (99.0, 100.0):
        assert run.live(x=x) == []
    (line,) = run.live(x=50.0)
    assert line.startswith(
        "no progress for 300 decisions: episodes came farthest, 100 on average, about decision 100;"
    )


def test_an_agent_that_clears_its_level_need_not_make_progress():
    run = Run()
    assert [run.live(x=100.0, clear_rate=0.95) for _ in range(9)][-1] == []


@pytest.mark.parametrize(
    ("rate", "share_done", "told"), [(0.6, 0.55, True), (0.6, 0.45, False), (0.4, 0.9, False)]
)
def test_much_exploration_late_is_told(rate, share_done, told):
    run = Run()
    assert bool(run.live(rate=rate, share_done=share_done)) is told
    if told:
        assert "60% of the actions are still random after 55% of the run" in run.told[0][1]


def test_a_warning_is_repeated_only_after_a_while():
    run = Run(again=300)
    for _ in range(8):
        run.live(actions=[2], rate=0.0)
    assert [step for step, _ in run.told] == [100, 400, 700]


@pytest.mark.parametrize("resumes_at", [10, 130, 200, 270, 390, 490])
def test_a_resumed_run_is_warned_of_the_same(resumes_at):
    script = [
        {"x": 100.0, "reward": 2.0}, {"q": 19.0, "x": 90.0}, {"q": 21.0, "x": 80.0},
        {"x": 70.0, "actions": [2], "rate": 0.0}, {"x": 60.0, "q": 30.0},
    ]  # fmt: skip
    whole, part = Run(again=200), Run(again=200, resumes_at=resumes_at)
    for each in script:
        whole.live(**each)
        part.live(**each)
    assert part.told == whole.told
    assert [step for step, _ in whole.told] == [300, 400, 400, 500]


@pytest.mark.parametrize("name", ["every", "patience", "again"])
def test_what_is_looked_at_must_be_something(name):
    with pytest.raises(UsageError, match=f"--diagnostics.{name} must be at least 1, got 0"):
        DiagnosticsConfig(**{name: 0})


def test_episodes_that_go_back_to_a_loss_are_no_progress():
    run = Run()
    run.diagnostics.read(EpisodeRecord(1, 0, 0, 0.0, 1, 1000.0, "flag", start_offset=50))
    run.live(x=100.0)
    assert run.diagnostics.state_dict()["best_mean"] == 100.0
