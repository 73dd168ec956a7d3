"""Training with teachers, on the real game."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agents import DAggerConfig
from mario.config.run_config import EvaluationConfig, TrainConfig
from mario.distillation.prepare import FOLDER, prepare_teachers
from mario.errors import UsageError
from mario.runs.checkpoint import load
from mario.runs.trained_agent import load_agent
from mario.training.session import Session
from wrappers import WrapperConfig

CHECKPOINTS = Path(__file__).parents[3] / "checkpoints"
TEACHERS = tuple(str(CHECKPOINTS / f"mario-{level}.chkpt") for level in ("1-1", "1-4"))
HYPER = DAggerConfig(
    replay_capacity=2_000, burnin=200, batch_size=32, samples_per_step=8, label_smoothing=0.0,
    recent_fraction=0.0, hidden_size=64, weight_average_updates=20, learning_rate=1e-3,
)  # fmt: skip


def config(folder, **changes):
    return TrainConfig(**{
        "hyper": HYPER, "agent": "distill", "game": "SuperMarioBros-v0", "actions": "simple",
        "teachers": TEACHERS, "num_envs": 6, "steps": 600, "save_dir": folder, "seed": 2,
        "noise": (0.0, 0.1), "tensorboard": False, "save_seconds": 3600,
        "evaluation": EvaluationConfig(episodes=0),
        "wrappers": WrapperConfig(observation="orange", crop_top=32, show_action=True),
    } | changes)  # fmt: skip


def train(config, resume=None):
    with Session(config, resume, stop=lambda: False) as session:
        session.train()
        return session.run.path


def test_agreement_with_the_teachers_rises(tmp_path):
    agreement = []
    with Session(config(tmp_path, steps=900), None, stop=lambda: False) as session:
        learn = session.trainer.agent.learn

        def recorded():
            metrics = learn()
            if metrics:
                agreement.append(metrics["agreement"])
            return metrics

        session.trainer.agent.learn = recorded
        session.train()
    start, end = agreement[:20], agreement[-20:]
    assert sum(end) / 20 > sum(start) / 20 + 0.1


@pytest.mark.slow
def test_a_stopped_and_resumed_run_ends_as_if_it_had_never_stopped(tmp_path):
    whole = train(config(tmp_path / "whole"))
    part = train(config(tmp_path / "part", steps=330))
    resumed = train(config(tmp_path / "part"), part)
    expected, got = (load(path / "last.chkpt")["resume"] for path in (whole, resumed))
    assert expected["envs"] == got["envs"]
    assert expected["agent"]["network"].keys() == got["agent"]["network"].keys()
    for name, tensor in expected["agent"]["network"].items():
        assert tensor.equal(got["agent"]["network"][name]), name
    assert expected["agent"]["targets"]["targets"].equal(got["agent"]["targets"]["targets"])


def test_the_agent_is_evaluated_in_the_game_of_each_teacher(tmp_path, capfd):
    evaluation = EvaluationConfig(episodes=1, confirm_episodes=1)
    run = train(config(tmp_path, steps=30, evaluation=evaluation))
    out = capfd.readouterr().out
    for level in ("1-1", "1-4"):
        assert f"  SuperMarioBros-{level}-v0 - Clear Rate 0.00 - Mean X" in out
    assert load(run / "best.chkpt")["evaluation"]["game"] == "2 games"
    trained = load_agent(run / "best.chkpt")
    assert (trained.game, trained.num_actions) == ("SuperMarioBros-v0", 7)
    assert load_agent(run / "best.chkpt", game="SuperMarioBros-1-4-v0").game.endswith("1-4-v0")


def test_the_teachers_are_copied_into_the_run_and_loaded_from_there(tmp_path):
    source = tmp_path / "mine.chkpt"
    source.write_bytes(Path(TEACHERS[0]).read_bytes())
    given = config(tmp_path, teachers=(str(source),))
    assert [each.game for each in prepare_teachers(given, tmp_path)] == ["SuperMarioBros-1-1-v0"]
    source.unlink()
    (trained,) = prepare_teachers(given, tmp_path)
    assert trained.path.parent == tmp_path / FOLDER


def test_flags_that_do_not_go_together_are_refused(tmp_path):
    with pytest.raises(UsageError, match="agent distill imitates trained agents; give them"):
        prepare_teachers(config(tmp_path, teachers=()), tmp_path)
    other = replace(config(tmp_path), agent="dagger")
    with pytest.raises(UsageError, match="no effect on agent dagger; use agent distill"):
        prepare_teachers(other, tmp_path)
