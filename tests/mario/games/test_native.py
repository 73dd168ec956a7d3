"""What the binding of the native games accepts and rejects."""

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
    "place": (1, 1, 1),
    "stall_frames": -1,
    "masks": bytes([0, 1]),
    "skip": 4,
    "stack": 4,
    "size": 84,
    "crop": 0,
    "grays": bytes(64),
    "square": 0,
    "sticky": 0.0,
    "keeps_farthest": False,
    "count": NUM_ENVS,
    "threads": 1,
}
ARRAYS = {
    "actions": np.int64,
    "noops": np.int64,
    "seeds": np.uint64,
    "backs": np.int64,
    "observations": np.uint8,
    "rewards": np.float64,
    "terminated": np.bool_,
    "truncated": np.bool_,
    "info": np.int64,
    "last_observations": np.uint8,
    "last_info": np.int64,
    "last_endings": np.int64,
    "last_returns": np.float64,
    "last_lengths": np.int64,
}
INPUTS = ("actions", "noops", "seeds", "backs")


def make_games(**options):
    return _native.Games(**{"rom": mario_rom().read_bytes()} | OPTIONS | options)


def shape_of(name):
    if name.endswith("observations"):
        return SHAPE
    return (len(_native.INFO), NUM_ENVS) if name.endswith("info") else (NUM_ENVS,)


def step_arrays():
    return {name: np.zeros(shape_of(name), dtype) for name, dtype in ARRAYS.items()}


def restore(games, actions=((), ()), farthest=((), ()), **changed):
    arrays = {
        "noops": np.zeros(NUM_ENVS, np.int64),
        "seeds": np.zeros(NUM_ENVS, np.uint64),
        "revisited": np.zeros(NUM_ENVS, np.int64),
        "farthest_noops": np.zeros(NUM_ENVS, np.int64),
        "farthest_seeds": np.zeros(NUM_ENVS, np.uint64),
        "observations": np.zeros(SHAPE, np.uint8),
        "info": np.zeros(shape_of("info"), np.int64),
    } | changed
    values = list(arrays.values())
    games.restore([list(a) for a in actions], *values[:3], [list(a) for a in farthest], *values[3:])


@pytest.fixture
def games():
    games = make_games()
    restore(games)
    return games


def test_a_step_fills_every_output(games):
    arrays = step_arrays()
    arrays["rewards"][:] = np.nan
    games.start(tuple(arrays.values()), True)
    games.wait()
    assert not np.isnan(arrays["rewards"]).any()
    assert arrays["info"].any()
    assert games.actions() == [([0], None), ([0], None)]


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_of_another_dtype_is_named(games, name):
    arrays = step_arrays()
    arrays[name] = arrays[name].astype(np.float32)
    expected = f"{name} must be a.* C-contiguous array of {np.dtype(ARRAYS[name])}"
    with pytest.raises(TypeError, match=expected):
        games.start(tuple(arrays.values()), True)


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_of_another_size_is_named(games, name):
    arrays = step_arrays()
    arrays[name] = np.concatenate([arrays[name], arrays[name]])
    size = arrays[name].size
    with pytest.raises(ValueError, match=f"{name} must have {size // 2} elements, got {size}"):
        games.start(tuple(arrays.values()), True)


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_with_gaps_is_named(games, name):
    arrays = step_arrays()
    arrays[name] = np.repeat(arrays[name], 2, axis=-1)[..., ::2]
    with pytest.raises(TypeError, match=f"{name} must be a.* C-contiguous array"):
        games.start(tuple(arrays.values()), True)


def test_only_inputs_may_be_read_only(games):
    arrays = step_arrays()
    for name in INPUTS:
        arrays[name].flags.writeable = False
    games.start(tuple(arrays.values()), True)
    for name in ARRAYS.keys() - set(INPUTS):
        arrays[name].flags.writeable = False
        with pytest.raises(TypeError, match=f"{name} must be a writable"):
            games.start(tuple(arrays.values()), True)
        arrays[name].flags.writeable = True


def test_a_step_takes_all_arrays(games):
    with pytest.raises(ValueError, match="a step has 14 arrays, got 13"):
        games.start(tuple(step_arrays().values())[:-1], True)


@pytest.mark.parametrize("name", ["noops", "seeds", "revisited", "farthest_seeds", "observations"])
def test_restore_names_the_array_that_it_rejects(games, name):
    with pytest.raises(TypeError, match=f"{name} must be a"):
        restore(games, **{name: np.zeros(NUM_ENVS, np.float32)})


def test_restore_returns_to_the_actions(games):
    restore(games, actions=[[0, 1, 1], [1]], farthest=[[], [0, 0]])
    (first, _), (second, _) = games.actions()
    assert (first, second) == ([0, 1, 1], [1])


def test_restore_rejects_actions_that_are_no_integers(games):
    with pytest.raises(TypeError):
        restore(games, actions=[["left"], []])


def test_arrays_live_until_the_step_is_done(games):
    arrays = step_arrays()
    observations = weakref.ref(arrays["observations"])
    games.start(tuple(arrays.values()), False)
    arrays.clear()
    gc.collect()
    assert observations() is not None
    games.wait()
    assert observations() is None


@pytest.mark.parametrize("name", ["skip", "stack", "count", "threads"])
def test_numbers_below_one_are_rejected(name):
    with pytest.raises(ValueError, match="skip, stack, count and threads must be at least 1"):
        make_games(**{name: 0})


def test_action_squares_must_fit():
    make_games(square=42)
    for square in (-1, 43):
        with pytest.raises(ValueError, match="room for a square"):
            make_games(square=square)


def test_games_alive_at_exit_leave_without_a_word():
    program = f"""
from mario.games import _native
from mario.games.roms import mario_rom
games = _native.Games(rom=mario_rom().read_bytes(), **{OPTIONS!r})
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
