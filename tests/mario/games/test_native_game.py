"""Tests of the save-states of native games."""

from __future__ import annotations

import numpy as np
import pytest

from mario.games.roms import mario_rom

_native = pytest.importorskip("mario.games._native", reason="the native extension is not built")

BUTTONS = (0, 128, 129, 130, 131, 64, 32)
TRUNCATED = _native.ENDINGS.index("truncated")


def make_game(level=(1, 1, 1), stall_frames=None, lost_levels=False):
    return _native.MarioGame(mario_rom(lost_levels=lost_levels).read_bytes(), level, stall_frames)


def random_buttons(num_frames, seed):
    held = np.random.default_rng(seed).choice(BUTTONS, num_frames // 10 + 1)
    return np.repeat(held, 10)[:num_frames].tolist()


def play(game, buttons):
    """Return what every frame shows, up to the end of the episode."""
    frames = []
    for mask in buttons:
        result = game.step(mask)
        frames.append((result, game.info(), game.ending(), game.screen().tobytes()))
        if result[1] or result[2]:
            break
    return frames


@pytest.mark.parametrize("level", [(1, 1, 1), (1, 2, 3), None])
def test_frames_after_a_state_are_the_same_in_every_game(level):
    game, other = make_game(level), make_game(level)
    game.reset(7)
    play(game, random_buttons(200, seed=1))
    state, screen, info = game.save_state(), game.screen(), game.info()
    expected = play(game, random_buttons(300, seed=2))
    for restored in (game, other):
        restored.load_state(state)
        assert np.array_equal(restored.screen(), screen)
        assert restored.info() == info
        assert play(restored, random_buttons(300, seed=2)) == expected


def test_a_state_may_be_loaded_after_the_end_of_the_episode():
    game = make_game()
    game.reset(0)
    state = game.save_state()
    right = [130] * 1000
    assert play(game, right)[-1][0][1]
    ending, info = game.ending(), game.info()
    lost = game.save_state()
    game.load_state(state)
    assert game.ending() == 0
    game.load_state(lost)
    assert (game.ending(), game.info()) == (ending, info)


def test_a_state_includes_the_frames_without_progress():
    game = make_game(stall_frames=50)
    game.reset(0)
    play(game, [0] * 40)
    state = game.save_state()
    first = play(game, [0] * 50)
    game.load_state(state)
    assert play(game, [0] * 50) == first
    assert (len(first), game.ending()) == (11, TRUNCATED)


def test_a_state_keeps_what_the_game_wrote_to_ram_after_the_frame():
    # After a death, the whole game writes to RAM to skip the animation.
    game = make_game(None)
    game.reset(0)
    states, lives = [], []
    for _ in range(300):
        game.step(130)
        states.append(game.save_state())
        lives.append(game.info()[_native.INFO_KEYS.index("life")])
    assert lives[0] != lives[-1]
    last = game.info()
    death = next(i for i, life in enumerate(lives) if life != lives[0]) - 1
    game.load_state(states[death])
    game.screen()  # runs the frame before the state again
    play(game, [130] * (299 - death))
    assert game.info() == last


def test_a_state_of_another_rom_is_refused_and_changes_nothing():
    game, other = make_game(), make_game(lost_levels=True)
    play(game, [128] * 20)
    screen, info = game.screen(), game.info()
    with pytest.raises(ValueError, match="the state belongs to another game"):
        game.load_state(other.save_state())
    assert np.array_equal(game.screen(), screen)
    assert game.info() == info
