"""Tests of corrections and of the environments that apply them, on the real game."""

from __future__ import annotations

import numpy as np
import pytest

from mario.config.correction_config import CorrectionConfig
from mario.config.env_config import EnvConfig
from mario.errors import UsageError
from wrappers import WrapperConfig

pytest.importorskip("mario.games._native", reason="the native extension is not built")

from mario.corrections.correcting_env import (
    CorrectedPoint,
    CorrectingVectorEnv,
    make_correcting_env,
)
from mario.corrections.correction_search import Correction, CorrectionSearch, Failure, most_robust
from mario.corrections.save_states import SaveStateEnvs
from mario.vector.native_mario import NativeMarioVectorEnv

CONFIG = EnvConfig(
    "SuperMarioBros-1-1-v0", actions="right-only", wrappers=WrapperConfig(noop_max=30)
)
RIGHT = 1
QUIET = CorrectionConfig(noise=0.0)


def run_right(states):
    """Run right without jumping, which the first enemy of World 1-1 ends."""
    return np.full(len(states), RIGHT)


def make(num_envs=1, corrections=QUIET, seed=0):
    envs = CorrectingVectorEnv(CONFIG, num_envs, seed=seed, corrections=corrections)
    envs.policy = run_right
    return envs


def play_until_a_correction(envs):
    """Run right until a failure is corrected, and return the steps."""
    envs.reset()
    for _ in range(200):
        step = envs.step(run_right(range(envs.num_envs)))
        if any(point.num_corrections for point in envs.replay_log()):
            return step
    raise AssertionError("no correction")


def test_most_robust_prefers_corrections_with_successful_neighbors():
    lone, margin = Correction(9, (2,) * 3), [Correction(5, (1,) * 3), Correction(6, (1,) * 4)]
    assert most_robust([lone, *margin], []) in margin
    assert most_robust([], [lone]) is None


def test_failed_neighbors_count_against_a_correction():
    good, bad = Correction(9, (2,) * 3), Correction(5, (1,) * 3)
    assert most_robust([good, bad], [Correction(6, (1,) * 3)]) == good


def test_the_search_finds_a_jump_over_the_first_enemy():
    envs = SaveStateEnvs(CONFIG, 1 + QUIET.branches)
    envs.reset(0, noops=0, seed=0)
    history, step = [], envs.observe([0])
    while not step.endings[0]:
        history.append(envs.save_state(0))
        step = envs.step([0], np.array([RIGHT]))
    failure = Failure(history, int(step.column("x_pos")[0]), int(step.column("area")[0]))
    search = CorrectionSearch(envs, range(1, 1 + QUIET.branches), QUIET, run_right)
    correction = search.find(failure, np.random.default_rng(0))
    assert correction is not None
    envs.load_state(0, history[-correction.depth])
    for time in range(correction.depth + QUIET.survive_steps):
        action = correction.actions[time] if time < len(correction.actions) else RIGHT
        step = envs.step([0], np.array([action]))
        assert not step.endings[0]
    assert step.column("x_pos")[0] >= failure.x + QUIET.min_progress


def test_a_policy_that_cannot_be_saved_has_no_correction():
    envs = SaveStateEnvs(CONFIG, 1 + QUIET.branches)
    envs.reset(0, noops=0, seed=0)
    history = [envs.save_state(0)]
    failure = Failure(history, x=10_000, area=int(envs.observe([0]).column("area")[0]))
    search = CorrectionSearch(envs, range(1, 1 + QUIET.branches), QUIET, run_right)
    assert search.find(failure, np.random.default_rng(0)) is None


def test_without_failures_the_environment_equals_the_ordinary_one():
    ours, plain = make(num_envs=2), NativeMarioVectorEnv(CONFIG, 2, seed=0)
    np.testing.assert_array_equal(ours.reset()[0], plain.reset()[0])
    for _ in range(20):
        mine, theirs = ours.step(run_right(range(2))), plain.step(run_right(range(2)))
        np.testing.assert_array_equal(mine[0], theirs[0])
        np.testing.assert_array_equal(mine[1], theirs[1])
        for key in ("x_pos", "flag_get", "status"):
            np.testing.assert_array_equal(mine[4][key], theirs[4][key])


def test_a_failure_ends_the_episode_and_discards_what_led_to_it():
    envs = make()
    _, _, terminated, _, infos = play_until_a_correction(envs)
    assert terminated[0]
    assert infos["guidance"].num_discarded[0] > 0
    assert "episode" not in infos["final_info"]  # the game goes on
    point = envs.replay_log()[0]
    assert isinstance(point, CorrectedPoint)
    assert len(set(point.planned[3:])) == 1


def test_the_environment_executes_the_correction_whatever_the_agent_does():
    envs = make()
    play_until_a_correction(envs)
    planned = envs.replay_log()[0].planned
    executed, weights = [], []
    for _ in planned:
        *_, infos = envs.step(np.array([0]))
        executed.append(int(infos["actions"][0]))
        weights.append(float(infos["guidance"].weights[0]))
    assert tuple(executed) == planned
    assert weights == [0.0] * 3 + [QUIET.weight] * (len(planned) - 3)
    *_, infos = envs.step(np.array([2]))
    assert infos["actions"][0] == 2
    assert infos["guidance"].weights[0] == 1.0


def test_random_actions_are_not_to_be_imitated():
    envs = make(num_envs=16, corrections=CorrectionConfig(noise=1.0))
    envs.reset()
    weights = np.array([
        envs.step(run_right(range(16)))[4]["guidance"].weights for _ in range(12)
    ])  # fmt: skip
    shares = (weights == 0).mean(axis=0)
    assert (shares == 0).any()
    assert (shares == 1).any()


@pytest.mark.parametrize("extra_steps", [0, 2, 7])
def test_a_restored_environment_continues_exactly_like_the_original(extra_steps):
    corrections = CorrectionConfig(noise=0.3)
    envs, other = make(2, corrections), make(2, corrections)
    play_until_a_correction(envs)
    for _ in range(extra_steps):
        envs.step(run_right(range(2)))
    points = [CorrectedPoint.from_dict(point.to_dict()) for point in envs.replay_log()]
    other.restore(points)
    for _ in range(60):
        mine, theirs = envs.step(run_right(range(2))), other.step(run_right(range(2)))
        for left, right in zip(mine[:4], theirs[:4], strict=True):
            np.testing.assert_array_equal(left, right)
        for left, right in zip(mine[4]["guidance"], theirs[4]["guidance"], strict=True):
            np.testing.assert_array_equal(left, right)
    assert envs.replay_log() == other.replay_log()


def test_other_games_are_refused_with_the_reason():
    with pytest.raises(UsageError, match="Tetris-v0 is not a built-in level.*another agent"):
        make_correcting_env(EnvConfig("Tetris-v0"), 1, QUIET, seed=0)


@pytest.mark.parametrize("change", [{"branches": 0}, {"noise": 2.0}, {"depths": ()}])
def test_values_out_of_range_are_refused(change):
    with pytest.raises(UsageError, match=f"corrections.{next(iter(change))}"):
        CorrectionConfig(**change)
