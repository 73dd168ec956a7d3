"""Steps of a worker are merged where nothing happens in between."""

from __future__ import annotations

import numpy as np
from transitions import transitions

from mario.cluster.workers.recorder import StepRecorder
from mario.training.loop import TrainingStep


def step(number, final_infos=None, metrics=None):
    states = np.zeros((2, 1, 4, 4), np.uint8)
    ended = np.array([bool(final_infos), False])
    rows = transitions(states, [number, number], [1.0, 2.0], ended, [False] * 2, states)
    return TrainingStep(rows, final_infos or {}, metrics)


def test_steps_are_merged_until_an_episode_ends_or_the_agent_learns():
    recorder = StepRecorder(first_env=4, num_envs=2)
    for each in (step(0), step(1, {0: {"episode": 1}}), step(2, metrics={"loss": 1.0}), step(3)):
        recorder.add(each)
    first, second, third = recorder.take()
    assert first.transitions.actions.tolist() == [0, 0, 1, 1]
    assert first.final_infos == {2: {"episode": 1}}
    assert first.env_index(2) == 4
    assert first.num_steps == 4
    assert second.metrics == {"loss": 1.0}
    assert third.transitions.actions.tolist() == [3, 3]
    assert third.metrics is None
    assert all(len(each.transitions.states) == 0 for each in (first, second, third))
    assert recorder.take() == ()
