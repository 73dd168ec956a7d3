"""Shared gradients with workers in this process: the same numbers, faults, stop and resume."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from cluster_runs import HYPER, config, episodes, learned, open_session, same, train_locally
from cluster_runs import train_in_process as train

from mario.cluster.gradients import combined
from mario.cluster.workers.gradient_worker import GradientWorker
from mario.cluster.workers.messages import Gradients
from mario.errors import RunError, UsageError
from mario.runs.agent_factory import agent_class
from mario.training.callbacks import Callback

LAYOUT = (((3,), (1,)),)


def gradients(*values, means=None, layout=LAYOUT):
    return Gradients(0, np.array(values, np.float32), layout, means or {}, 0.1)


AGENTS = pytest.mark.parametrize(
    ("agent", "noise"), [*((agent, ()) for agent in sorted(HYPER)), ("ppo", (0.0, 0.5))]
)


@AGENTS
def test_one_worker_learns_the_same_numbers_as_a_run_without_a_cluster(tmp_path, agent, noise):
    local = train_locally(config(tmp_path / "local", agent, noise=noise))
    cluster = train(config(tmp_path / "cluster", agent, workers=1, noise=noise))
    assert same(learned(local), learned(cluster))
    assert episodes(local) == episodes(cluster)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return a function that returns the folder of a run of two workers that was never stopped."""
    runs = {}

    def run(agent, noise=()):
        if (agent, noise) not in runs:
            folder = tmp_path_factory.mktemp(f"whole-{agent}")
            runs[agent, noise] = train(config(folder, agent, workers=2, noise=noise))
        return runs[agent, noise]

    return run


@AGENTS
def test_stopping_and_resuming_changes_nothing(tmp_path, agent, noise, whole):
    sessions = []
    stopped = config(tmp_path, agent, workers=2, noise=noise)
    with open_session(stopped, stop=lambda: sessions[0].trainer.steps > 100) as session:
        sessions.append(session)
        session.train()
        assert 100 < session.trainer.steps < stopped.steps
    resumed = train(stopped, session.run.path)
    assert same(learned(whole(agent, noise)), learned(resumed))
    assert episodes(whole(agent, noise)) == episodes(resumed)


class Breaker(GradientWorker):
    """Fails once, in the call of `advance` with a number."""

    calls = 0

    def advance(self, *arguments):
        type(self).calls += 1
        if type(self).calls == 12:
            raise RuntimeError("the game broke")
        return super().advance(*arguments)


def test_training_goes_on_after_a_worker_fails_and_reports_it_in_one_line(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(Breaker, "calls", 0)
    run = train(config(tmp_path, "ddqn", workers=2, steps=160), make_worker=Breaker)
    assert len(learned(run)) > 0
    assert "is lost (RuntimeError: the game broke); a replacement is on its way" in (
        capsys.readouterr().out
    )


class NaNWorker(GradientWorker):
    """The second worker returns gradients that are not finite."""

    def advance(self, *arguments):
        report = super().advance(*arguments)
        if self._setup.worker == 1 and self._setup.life == 0 and report.gradients is not None:
            values = np.full_like(report.gradients.values, np.nan)
            return replace(report, gradients=replace(report.gradients, values=values))
        return report


def test_gradients_that_are_not_finite_are_ignored_and_their_worker_is_replaced(tmp_path, capsys):
    run = train(config(tmp_path, workers=2), make_worker=NaNWorker)
    assert all(np.isfinite(tensor.numpy()).all() for tensor in learned(run))
    output = capsys.readouterr().out
    assert output.count("worker 1 returned a gradient that is not finite; ignored") == 3
    assert "worker 1 is lost (3 gradients were not finite)" in output
    assert output.count("is lost") == 1


class LonelyNaNWorker(NaNWorker):
    """As the second worker returns NaN, the first one fails."""

    def advance(self, *arguments):
        if self._setup.worker == 0 and self._setup.life == 0:
            raise RuntimeError("the game broke")
        return super().advance(*arguments)


def test_a_worker_whose_gradients_are_not_finite_is_replaced_also_if_no_other_is_left(
    tmp_path, capsys
):
    hyper = replace(HYPER["ppo"], epochs=6)  # more than 10 updates until the next worker joins
    run = train(config(tmp_path, workers=2, hyper=hyper), make_worker=LonelyNaNWorker)
    assert all(np.isfinite(tensor.numpy()).all() for tensor in learned(run))
    assert "worker 1 is lost (3 gradients were not finite)" in capsys.readouterr().out


class LastWords(Callback):
    """Notes the error with which the run ends."""

    def on_end(self, error):
        self.error = error


def test_trouble_in_the_cluster_saves_the_run_and_stops_it(tmp_path, whole):
    last_words = LastWords()
    with open_session(config(tmp_path, workers=2), callbacks=[last_words]) as session:
        trouble = RunError("the head of the cluster is gone")
        original = session.trainer._process

        def process(step):
            original(step)
            if session.trainer.steps > 100:
                session._fleet.trouble = trouble

        session.trainer._process = process
        with pytest.raises(RunError, match="the head of the cluster is gone"):
            session.train()
    assert last_words.error is trouble
    resumed = train(config(tmp_path, workers=2), session.run.path)
    assert same(learned(resumed), learned(whole("ppo")))


def test_the_run_can_be_resumed_only_with_the_same_number_of_workers(tmp_path):
    run = train(config(tmp_path, workers=2, steps=40))
    with pytest.raises(UsageError, match="it has 2 workers; add workers 2"):
        train(config(tmp_path, workers=1), run)


def test_environments_and_batches_must_be_multiples_of_the_workers(tmp_path):
    with pytest.raises(UsageError, match=r"num_envs 4 cannot be divided among 3 .* num_envs 6"):
        train(config(tmp_path, workers=3))
    hyper = replace(HYPER["reinforce"], batch_episodes=3)
    with pytest.raises(UsageError, match=r"hyper.batch_episodes is 3; give a multiple of the 2"):
        train(config(tmp_path, "reinforce", workers=2, hyper=hyper))


def test_an_agent_that_learns_from_corrections_is_refused(tmp_path):
    hyper = agent_class("dagger").Config()
    small = replace(config(tmp_path, workers=2), agent="dagger", hyper=hyper)
    with pytest.raises(UsageError, match="agent dagger learns from corrections"):
        open_session(small)


def test_means_are_averaged_and_sums_are_scaled_to_all_workers():
    both = [gradients(1, 2, 3), gradients(3, 4, 5)]
    assert combined(both, 2, "mean")[0].tolist() == [2, 3, 4]
    assert combined(both, 2, "sum")[0].tolist() == [4, 6, 8]
    assert combined(both, 4, "sum")[0].tolist() == [8, 12, 16], "two of four did not answer"


def test_gradients_in_another_memory_format_are_added_by_element():
    rows = gradients(0, 1, 2, 3, 4, 5, layout=(((2, 3), (3, 1)),))
    columns = gradients(0, 3, 1, 4, 2, 5, layout=(((2, 3), (1, 2)),))
    total, layout = combined([rows, columns], 2, "sum")
    assert total.tolist() == [0, 2, 4, 6, 8, 10]
    assert layout == rows.layout


def test_a_user_agent_without_a_learner_is_refused(tmp_path, monkeypatch):
    from mario.cluster.workers.building import find_learner

    with pytest.raises(UsageError, match="cluster needs an agent that learns with agents.Learn"):
        find_learner(SimpleNamespace(network=None))
