"""Hyperparameters of one of several workers: together they train as one agent does."""

from __future__ import annotations

import pytest

from agents import AgentConfig, DDQNConfig, PPOConfig, REINFORCEConfig

CONFIGS = [AgentConfig(), DDQNConfig(), PPOConfig(schedule_steps=1000), REINFORCEConfig()]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: type(config).__name__)
def test_the_only_worker_has_the_configuration_of_the_run(config):
    assert config.for_worker(1) == config


def test_batches_and_intervals_are_divided():
    config = DDQNConfig(
        batch_size=64, learn_every=8, burnin=1001, sync_every=8000, replay_capacity=100,
        exploration_decay=0.9, exploration_schedule=((0, 1.0), (100, 0.1)),
    )  # fmt: skip
    worker = config.for_worker(4)
    assert (worker.batch_size, worker.learn_every, worker.replay_capacity) == (16, 2, 25)
    assert (worker.burnin, worker.sync_every) == (251, 2000)
    assert worker.exploration_decay == pytest.approx(0.9**4)
    assert worker.exploration_schedule == ((0, 1.0), (25, 0.1))


@pytest.mark.parametrize(
    ("config", "name"),
    [
        (DDQNConfig(batch_size=32, learn_every=3), "learn_every"),
        (DDQNConfig(batch_size=31, learn_every=4), "batch_size"),
        (REINFORCEConfig(batch_episodes=5), "batch_episodes"),
    ],
)
def test_a_batch_that_cannot_be_divided_is_refused(config, name):
    value = getattr(config, name)
    with pytest.raises(ValueError, match=f"{name} is {value}; give a multiple of the 2 workers"):
        config.for_worker(2)
