"""Tests of the trainer and the order in which it calls its callbacks, on fake environments."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from doubles import Fault, fake_game
from tape import TapeAgent, spec

from mario.errors import RunError
from mario.training.callbacks import Callback
from mario.training.trainer import Trainer, episode_record
from mario.vector.process_vector import ProcessVectorEnv


class TapeCallback(Callback):
    """Writes down the hooks that are called."""

    complete = False

    def __init__(self, name="tape", tape=None):
        self._name, self.tape, self.state = name, [] if tape is None else tape, {}

    @property
    def name(self):
        return self._name

    def on_update(self, metrics):
        self.tape.append((self.name, "update", metrics))

    def on_episode(self, record):
        self.tape.append((self.name, "episode", record))

    def on_step(self, step):
        self.tape.append((self.name, "step", self.trainer.steps))

    def on_evaluation(self, evaluation, is_best):
        self.tape.append((self.name, "evaluation", evaluation, is_best))

    def on_end(self, error):
        self.tape.append((self.name, "end", error))

    def on_close(self):
        self.tape.append((self.name, "close"))

    def state_dict(self):
        return self.state

    def load_state_dict(self, state):
        self.state = state


@pytest.fixture
def make_trainer():
    """Makes a trainer with one `TapeCallback` unless others are given, and returns its tape too."""
    made = []

    def make_trainer(*, num_envs=1, agent=None, callbacks=None, fault=None, **kwargs):
        game = fake_game(length=3, fault=fault)
        made.append(ProcessVectorEnv(game, num_envs, report=lambda line: None))
        callbacks = [TapeCallback()] if callbacks is None else callbacks
        trainer = Trainer(agent or TapeAgent(spec(num_envs)), made[-1], callbacks, **kwargs)
        return trainer, callbacks[0].tape if callbacks else []

    yield make_trainer
    for envs in made:
        envs.close()


def test_hooks_are_called_in_the_order_update_episode_step_then_end(make_trainer):
    trainer, tape = make_trainer(total_episodes=2)
    trainer.train()
    assert (trainer.episodes, trainer.steps) == (2, 6)
    assert [hook for _, hook, *_ in tape] == [
        "step", "update", "step", "episode", "step",
        "update", "step", "step", "update", "episode", "step", "end",
    ]  # fmt: skip
    records = [entry[2] for entry in tape if entry[1] == "episode"]
    assert [(r.episode, r.step, r.env, r.length, r.best_x) for r in records] == [
        (1, 3, 0, 3, 3),
        (2, 6, 0, 3, 3),
    ]


def test_callbacks_are_called_in_order_and_closed_in_reverse_order(make_trainer):
    tape = []
    trainer, _ = make_trainer(callbacks=[TapeCallback(name, tape) for name in "ab"], total_steps=1)
    trainer.train()
    trainer.report_evaluation("results", True)
    trainer.close()
    assert tape == [
        ("a", "step", 1), ("b", "step", 1), ("a", "end", None), ("b", "end", None),
        ("a", "evaluation", "results", True), ("b", "evaluation", "results", True),
        ("b", "close"), ("a", "close"),
    ]  # fmt: skip


def test_a_callback_that_cannot_be_closed_does_not_keep_the_others_open(make_trainer):
    class Unclosable(TapeCallback):
        def on_close(self):
            raise OSError("cannot close")

    trainer, tape = make_trainer(callbacks=[TapeCallback(), Unclosable("other")])
    with pytest.raises(OSError, match="cannot close"):
        trainer.close()
    assert tape == [("tape", "close")]


def test_two_callbacks_of_one_name_are_refused(make_trainer):
    with pytest.raises(ValueError, match="two callbacks are named 'tape'"):
        make_trainer(callbacks=[TapeCallback(), TapeCallback()])


def test_the_state_of_callbacks_is_saved_under_their_names(make_trainer):
    trainer, _ = make_trainer(total_steps=1)
    trainer.train()
    trainer._callbacks[0].state = {"best": 5}
    state = trainer.state_dict()
    assert state["callbacks"] == {"tape": {"best": 5}}
    other = TapeCallback("new")
    resumed, _ = make_trainer(callbacks=[TapeCallback(), other])
    resumed.load_state_dict(state)
    assert resumed._callbacks[0].state == {"best": 5}
    assert other.state == {}, "a new callback keeps its initial state"


def test_the_default_name_of_a_callback_is_its_module_and_class():
    assert Callback().name == "mario.training.callbacks:Callback"


@pytest.mark.parametrize("start_offset", [30, -30])
def test_records_contain_the_start_offset(start_offset):
    info = {"episode": {"r": 1.0, "l": 2}, "start_offset": np.int64(start_offset)}
    assert episode_record(info, episode=1, step=2, env_index=0).start_offset == start_offset


def test_steps_are_counted_over_all_envs(make_trainer):
    trainer, _ = make_trainer(num_envs=2, total_steps=7)
    trainer.train()
    assert trainer.steps == 8


def test_the_first_total_that_is_reached_ends_the_run(make_trainer):
    trainer, _ = make_trainer(total_episodes=100, total_steps=4)
    trainer.train()
    assert (trainer.steps, trainer.episodes) == (4, 1)


def test_progress_is_the_largest_completed_fraction(make_trainer):
    trainer, _ = make_trainer(total_episodes=8, total_steps=4)
    trainer.steps, trainer.episodes = 1, 4
    assert trainer.progress == 0.5
    assert make_trainer()[0].progress == 0.0


def test_a_complete_run_takes_no_steps(make_trainer):
    trainer, tape = make_trainer(total_episodes=1)
    trainer.train()
    tape.clear()
    trainer.train()
    assert trainer.steps == 3
    assert tape == [("tape", "end", None)]


def test_stopping_ends_training_before_the_run_is_complete(make_trainer):
    polls = itertools.count()
    trainer, tape = make_trainer(total_episodes=9, stop=lambda: next(polls) >= 2)
    trainer.train()
    assert trainer.steps == 2
    assert trainer.stopping
    assert not trainer.complete
    assert tape[-1] == ("tape", "end", None)


def test_a_callback_can_complete_the_run(make_trainer):
    class FourSteps(TapeCallback):
        @property
        def complete(self):
            return self.trainer.steps == 4

    trainer, tape = make_trainer(callbacks=[FourSteps()], total_episodes=9)
    trainer.train()
    assert trainer.steps == 4
    assert trainer.complete
    assert tape[-1] == ("tape", "end", None)


def test_learning_starts_after_the_first_transition_is_cached(make_trainer):
    agent = TapeAgent(spec(1))
    trainer, _ = make_trainer(total_steps=2, agent=agent)
    trainer.train()
    assert [entry[0] for entry in agent.tape] == ["act", "cache", "act", "learn", "cache"]


def test_envs_that_keep_crashing_end_the_run_with_an_error(make_trainer):
    trainer, tape = make_trainer(total_episodes=9, fault=Fault("exit", at=2))
    trainer.envs._restarts_left = 1
    with pytest.raises(RunError, match="no restarts are left") as raised:
        trainer.train()
    assert tape[-1] == ("tape", "end", raised.value)


def test_learning_that_diverges_ends_the_run_without_calling_on_end(make_trainer):
    class Diverged(TapeAgent):
        def learn(self):
            raise FloatingPointError("10 updates in a row were not finite")

    trainer, tape = make_trainer(total_episodes=9, agent=Diverged(spec(1)))
    with pytest.raises(RunError, match="10 updates in a row were not finite; .*resume"):
        trainer.train()
    assert not [entry for entry in tape if entry[1] == "end"]
