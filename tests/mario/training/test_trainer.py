"""The loop's order of things, and the trainer around it; the games are doubles."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from doubles import Fault, fake_game
from tape import INVALID, TapeAgent, spec

from mario.config.run_config import DiagnosticsConfig, TrainConfig
from mario.errors import RunError
from mario.training.trainer import Trainer, play, record_of
from mario.vector.process_vector import ProcessVectorEnv
from mario.vector.seeding import episode_seed


@pytest.fixture
def vector():
    made = []

    def make(num_envs=1, **kwargs):
        made.append(ProcessVectorEnv(fake_game(**kwargs), num_envs, report=lambda line: None))
        return made[-1]

    yield make
    for each in made:
        each.close()


def start(game, episode):
    return episode_seed(0, game, episode) % 100


def test_the_agent_acts_learns_while_the_game_runs_and_caches(vector):
    games, agent = vector(length=2), TapeAgent(spec(1))
    steps = list(itertools.islice(play(agent, games, games.reset()[0]), 3))
    a, b = start(0, 0), start(0, 1)
    assert agent.tape == [
        ("act", [a]), ("learn",), ("cache", [a], [1], [a + 1], [False]),
        ("act", [a + 1]), ("learn",), ("cache", [a + 1], [2], [a + 2], [True]),
        ("act", [b]), ("learn",), ("cache", [b], [0], [b + 1], [False]),
    ]  # fmt: skip
    assert [step.decisions for step in steps] == [1, 1, 1]
    assert [step.learned is None for step in steps] == [True, False, True]
    ((game, info),) = steps[1].ended
    assert game == 0
    assert info["episode"] == {"r": 3.0, "l": 2}
    assert info["ending"] == "flag"


def test_a_truncated_episode_ends_in_its_true_last_state_and_does_not_terminate(vector):
    games, agent = vector(length=1, truncates=True), TapeAgent(spec(1))
    next(play(agent, games, games.reset()[0]))
    assert agent.tape[-1] == ("cache", [start(0, 0)], [1], [start(0, 0) + 1], [False])


def test_a_step_lost_in_a_crash_is_cached_as_one_that_never_happened(vector, tmp_path):
    fault = Fault("exit", at=2, once=tmp_path / "struck")
    games, agent = vector(fault=fault), TapeAgent(spec(1))
    steps = list(itertools.islice(play(agent, games, games.reset()[0]), 3))
    seen = start(0, 0) + 1
    assert agent.tape[5] == ("cache", [seen], [INVALID], [seen], [False])
    assert [step.decisions for step in steps] == [1, 0, 1]


class Tape:
    """Stands in for every collaborator of the trainer, and writes down what it is told."""

    latest = None
    disk_has_room = True
    complete = False

    def __init__(self, examine_at=(), save_at=()):
        self.tape, self.examine_at, self.save_at = [], examine_at, save_at

    def log_learning(self, scalars):
        self.tape.append("learned")

    def log_episode(self, record, epsilon):
        self.tape.append(("episode", record))

    def log_warning(self, step, text):
        self.tape.append(("warning", step, text))

    def update(self, steps, episodes):
        self.tape.append(("progress", steps, episodes))

    def due(self, steps):
        return steps in self.save_at

    def save(self, trainer):
        self.tape.append(("save", trainer.steps))
        return self.disk_has_room

    def save_best(self, trainer):
        self.tape.append(("best", trainer.steps))

    def evaluate(self, agent, steps):
        self.tape.append(("examine", steps))
        return True


def trainer(vector, *, num_envs=1, agent=None, stop=lambda: False, fault=None, **totals):
    tape = Tape()
    config = TrainConfig(hyper=None, num_envs=num_envs, **totals)
    games = vector(num_envs, length=3, fault=fault)
    made = Trainer(
        config, agent=agent or TapeAgent(spec(num_envs)), games=games, logger=tape,
        progress=tape, checkpointer=tape, evaluator=Tape(), stop=stop,
    )  # fmt: skip
    made._examiner.tape = tape.tape
    return made, tape


def test_what_goes_wrong_is_warned_of(vector):
    class Stubborn(TapeAgent):
        def act(self, states):
            return np.zeros(len(states), np.int64)

    made, tape = trainer(
        vector,
        num_envs=2,
        agent=Stubborn(spec(2)),
        steps=8,
        warnings=DiagnosticsConfig(check_every=4),
    )
    made.train()
    ((_, step, text),) = [entry for entry in tape.tape if entry[0] == "warning"]
    assert step == 4
    assert text.startswith("action 0 was 100% of the last 4 decisions")


def test_it_trains_the_episodes_it_was_told_then_examines_and_saves(vector):
    made, tape = trainer(vector, episodes=2)
    made.train()
    assert (made.episodes, made.steps) == (2, 6)
    assert tape.tape[-3:] == [("examine", 6), ("best", 6), ("save", 6)]
    records = [entry[1] for entry in tape.tape if entry[0] == "episode"]
    assert [(r.episode, r.step, r.length, r.best_x) for r in records] == [
        (1, 3, 3, 3),
        (2, 6, 3, 3),
    ]


def test_records_say_which_episodes_go_back_to_a_loss():
    info = {"episode": {"r": 1.0, "l": 2}, "start_offset": np.int64(30)}
    assert record_of(info, episode=1, step=2, game=0).start_offset == 30


def test_steps_count_the_decisions_of_all_games(vector):
    made, _ = trainer(vector, num_envs=2, steps=7)
    made.train()
    assert made.steps == 8


def test_whichever_total_comes_first_ends_the_run(vector):
    made, _ = trainer(vector, episodes=100, steps=4)
    made.train()
    assert (made.steps, made.episodes) == (4, 1)


def test_a_run_that_is_complete_plays_no_more(vector):
    made, tape = trainer(vector, episodes=1)
    made.train()
    del tape.tape[:]
    made.train()
    assert made.steps == 3
    assert not [entry for entry in tape.tape if entry[0] == "progress"]


def test_told_to_stop_it_saves_and_does_not_examine(vector):
    asked = itertools.count()
    made, tape = trainer(vector, episodes=9, stop=lambda: next(asked) >= 1)
    made.train()
    assert made.steps == 2
    assert tape.tape[-1] == ("save", 2)
    assert not [entry for entry in tape.tape if entry[0] == "examine"]


def test_saves_and_examinations_happen_when_they_are_due(vector):
    made, tape = trainer(vector, steps=5)
    made._saver.save_at = (2, 4)
    made._examiner.due = lambda steps: steps == 3
    made.train()
    told = [entry for entry in tape.tape if entry[0] in ("save", "examine")]
    assert told == [("save", 2), ("examine", 3), ("save", 4), ("examine", 5), ("save", 5)]


def test_an_agent_that_is_good_enough_ends_the_run(vector):
    made, tape = trainer(vector, episodes=9)
    made._examiner.due = lambda steps: steps == 4
    examine = made._examiner.evaluate

    def found_good(agent, steps):
        made._examiner.complete = True
        return examine(agent, steps)

    made._examiner.evaluate = found_good
    made.train()
    assert made.steps == 4
    assert made.complete
    assert tape.tape[-1] == ("save", 4)


def test_an_end_that_cannot_be_saved_is_no_good_end(vector):
    made, tape = trainer(vector, episodes=1)
    tape.disk_has_room = False
    with pytest.raises(RunError, match="make room, and go on with --resume"):
        made.train()


def test_games_that_keep_dying_stop_the_run_after_it_is_saved(vector):
    made, tape = trainer(vector, episodes=9, fault=Fault("exit", at=2))
    made._games._restarts_left = 1
    with pytest.raises(RunError, match="no restarts are left"):
        made.train()
    assert tape.tape[-1][0] == "save"


def test_learning_that_is_not_finite_stops_the_run(vector):
    class Diverged(TapeAgent):
        def learn(self):
            raise FloatingPointError("10 updates in a row were not finite")

    made, tape = trainer(vector, episodes=9, agent=Diverged(spec(1)))
    with pytest.raises(RunError, match="10 updates in a row were not finite; .*--resume"):
        made.train()
    assert not [entry for entry in tape.tape if entry[0] == "save"]
