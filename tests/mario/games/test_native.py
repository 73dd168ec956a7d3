"""Tests of the bindings of the native environments: which arguments they accept."""

from __future__ import annotations

import gc
import subprocess
import sys
import weakref

import numpy as np
import pytest

from mario.games.roms import mario_rom

_native = pytest.importorskip("mario.games._native", reason="the native extension is not built")

NUM_ENVS = 2
SHAPE = (NUM_ENVS, 4, 84, 84)
OPTIONS = {
    "level": (1, 1, 1),
    "stall_frames": None,
    "button_masks": bytes([0, 1]),
    "skip": 4,
    "stack": 4,
    "size": 84,
    "crop_top": 0,
    "gray_palette": bytes(64),
    "action_marker_size": 0,
    "repeat_action_probability": 0.0,
    "track_farthest": False,
    "demonstrations": [(0, bytes([1, 1, 1]))],
    "demonstration_max_steps": 0,
}
SIZES = {"num_envs": NUM_ENVS, "num_threads": 1}
BUFFERS = {
    "actions": np.int64,
    "noops": np.int64,
    "seeds": np.uint64,
    "steps_before_loss": np.int64,
    "demonstrations": np.int64,
    "positions": np.int64,
    "observations": np.uint8,
    "rewards": np.float64,
    "terminated": np.bool_,
    "truncated": np.bool_,
    "info": np.int64,
    "final_observations": np.uint8,
    "final_info": np.int64,
    "final_endings": np.int64,
    "final_returns": np.float64,
    "final_lengths": np.int64,
}
INPUTS = ("actions", "noops", "seeds", "steps_before_loss", "demonstrations", "positions")


def make_config(**options):
    return _native.EnvConfig(**{"rom": mario_rom().read_bytes()} | OPTIONS | options)


def make_env(*, make=_native.VectorEnv, **options):
    sizes = {name: options.pop(name, value) for name, value in SIZES.items()}
    return make(make_config(**options), **sizes)


def shape_of(name):
    if name.endswith("observations"):
        return SHAPE
    return (len(_native.INFO_KEYS), NUM_ENVS) if name.endswith("info") else (NUM_ENVS,)


def new_buffers():
    buffers = {name: np.zeros(shape_of(name), dtype) for name, dtype in BUFFERS.items()}
    buffers["demonstrations"][:] = -1
    return buffers


def replay_point(*actions, start_offset=0, farthest=None, start=None):
    return (0, 0, start, actions), start_offset, farthest and (0, 0, None, farthest)


def restore(env, *points, observations=None, info=None):
    env.restore(
        points or [replay_point()] * NUM_ENVS,
        np.zeros(SHAPE, np.uint8) if observations is None else observations,
        np.zeros(shape_of("info"), np.int64) if info is None else info,
    )


@pytest.fixture
def env():
    env = make_env()
    restore(env)
    return env


def test_a_step_writes_every_output(env):
    buffers = new_buffers()
    buffers["rewards"][:] = np.nan
    env.start_step(tuple(buffers.values()), True)
    env.wait()
    assert not np.isnan(buffers["rewards"]).any()
    assert buffers["info"].any()
    assert env.action_logs() == [([0], None), ([0], None)]


@pytest.mark.parametrize("name", BUFFERS)
def test_a_wrong_dtype_is_rejected_with_the_name_of_the_buffer(env, name):
    buffers = new_buffers()
    buffers[name] = buffers[name].astype(np.float32)
    expected = f"{name} must be a.* C-contiguous array of {np.dtype(BUFFERS[name])}"
    with pytest.raises(TypeError, match=expected):
        env.start_step(tuple(buffers.values()), True)


@pytest.mark.parametrize("name", BUFFERS)
def test_a_wrong_size_is_rejected_with_the_name_of_the_buffer(env, name):
    buffers = new_buffers()
    buffers[name] = np.concatenate([buffers[name], buffers[name]])
    size = buffers[name].size
    with pytest.raises(ValueError, match=f"{name} must have {size // 2} elements, got {size}"):
        env.start_step(tuple(buffers.values()), True)


@pytest.mark.parametrize("name", BUFFERS)
def test_a_strided_array_is_rejected_with_the_name_of_the_buffer(env, name):
    buffers = new_buffers()
    buffers[name] = np.repeat(buffers[name], 2, axis=-1)[..., ::2]
    with pytest.raises(TypeError, match=f"{name} must be a.* C-contiguous array"):
        env.start_step(tuple(buffers.values()), True)


def test_only_inputs_may_be_read_only(env):
    buffers = new_buffers()
    for name in INPUTS:
        buffers[name].flags.writeable = False
    env.start_step(tuple(buffers.values()), True)
    for name in BUFFERS.keys() - set(INPUTS):
        buffers[name].flags.writeable = False
        with pytest.raises(TypeError, match=f"{name} must be a writable"):
            env.start_step(tuple(buffers.values()), True)
        buffers[name].flags.writeable = True


def test_a_missing_buffer_is_rejected(env):
    with pytest.raises(ValueError, match="a step needs 16 buffers, got 15"):
        env.start_step(tuple(new_buffers().values())[:-1], True)


def test_restore_replays_the_actions(env):
    restore(env, replay_point(0, 1, 1, start_offset=2, farthest=[0, 0]), replay_point(1))
    (first, _), (second, _) = env.action_logs()
    assert (first, second) == ([0, 1, 1], [1])


@pytest.mark.parametrize("name", ["observations", "info"])
def test_restore_rejects_a_wrong_array_with_its_name(env, name):
    with pytest.raises(TypeError, match=f"{name} must be a writable"):
        restore(env, **{name: np.zeros(NUM_ENVS, np.float32)})


def test_restore_rejects_actions_that_are_not_integers(env):
    with pytest.raises(TypeError):
        restore(env, replay_point("left"), replay_point())


def test_arrays_stay_alive_until_the_step_is_done(env):
    buffers = new_buffers()
    observations = weakref.ref(buffers["observations"])
    env.start_step(tuple(buffers.values()), False)
    buffers.clear()
    gc.collect()
    assert observations() is not None
    env.wait()
    assert observations() is None


@pytest.mark.parametrize("name", ["skip", "stack", "num_envs", "num_threads"])
def test_numbers_below_one_are_rejected(name):
    with pytest.raises(ValueError, match=f"{name}.* must be at least 1"):
        make_env(**{name: 0})


def test_action_markers_must_fit_into_the_image():
    make_env(action_marker_size=42)
    for size in (-1, 43):
        expected = f"action_marker_size must be in 0 to 42, got {size}"
        with pytest.raises(ValueError, match=expected):
            make_env(action_marker_size=size)


def test_no_warning_is_printed_if_an_env_is_alive_at_exit():
    program = f"""
from mario.games import _native
from mario.games.roms import mario_rom
config = _native.EnvConfig(rom=mario_rom().read_bytes(), **{OPTIONS!r})
env = _native.VectorEnv(config, **{SIZES!r})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


class SlotBuffers:
    """The outputs of `SaveStateEnv` for a number of environments."""

    def __init__(self, count):
        self.observations = np.zeros((count, *SHAPE[1:]), np.uint8)
        self.rewards = np.zeros(count)
        self.endings = np.zeros(count, np.int64)
        self.info = np.zeros((count, len(_native.INFO_KEYS) - 2), np.int64)

    def step(self, env, envs, actions):
        env.step(
            envs, np.array(actions, np.int64),
            self.observations, self.rewards, self.endings, self.info,
        )  # fmt: skip
        return self.observations.copy(), self.info.copy(), self.endings.copy()


def test_a_loaded_state_continues_exactly_like_the_saved_environment():
    env, rng = make_env(make=_native.SaveStateEnv), np.random.default_rng(0)
    env.reset(0, noops=7, seed=1)
    one, actions = SlotBuffers(1), rng.integers(0, 2, 60)
    for action in actions[:30]:
        one.step(env, [0], [action])
    state = env.save_state(0)
    expected = [one.step(env, [0], [action]) for action in actions[30:]]
    env.load_state(1, state)
    repeated = [one.step(env, [1], [action]) for action in actions[30:]]
    for before, after in zip(expected, repeated, strict=True):
        for left, right in zip(before, after, strict=True):
            np.testing.assert_array_equal(left, right)


def test_an_observed_environment_is_unchanged():
    env, one = make_env(make=_native.SaveStateEnv), SlotBuffers(1)
    env.reset(0, noops=0, seed=0)
    stepped, info, _ = one.step(env, [0], [1])
    env.observe([0], one.observations, one.info)
    np.testing.assert_array_equal(one.observations, stepped)
    np.testing.assert_array_equal(one.info, info)


def test_environments_with_save_states_reject_what_would_be_unsafe():
    env, two = make_env(make=_native.SaveStateEnv), SlotBuffers(2)
    for envs, actions, expected in (
        ([0, 0], [0, 0], "environment 0 is given twice"),
        ([0, NUM_ENVS], [0, 0], f"environment must be in 0 to .*, got {NUM_ENVS}"),
        ([0, 1], [0, 99], "actions must be in 0 to"),
        ([0], [0], "observations must have"),
    ):
        with pytest.raises(ValueError, match=expected):
            two.step(env, envs, actions)


def test_an_unknown_point_of_a_demonstration_is_rejected(env):
    for demonstration, position, expected in (
        (1, 0, "demonstration must be below 1, got 1"),
        (0, 3, "the position on a demonstration must be in 0 to 2, got 3"),
        (0, -1, "the position on a demonstration must be in 0 to 2, got -1"),
    ):
        buffers = new_buffers()
        buffers["demonstrations"][1], buffers["positions"][1] = demonstration, position
        with pytest.raises(ValueError, match=expected):
            env.start_step(tuple(buffers.values()), True)
        with pytest.raises(ValueError, match=expected):
            restore(env, replay_point(), replay_point(start=(demonstration, position)))


def test_a_demonstration_must_not_go_on_after_the_end_of_the_game():
    with pytest.raises(ValueError, match=r"the game ends in step \d+ of a demonstration with 500"):
        make_env(demonstrations=[(0, bytes([128] * 500))])
