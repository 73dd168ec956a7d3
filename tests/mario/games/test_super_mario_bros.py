"""Super Mario Bros. on a real emulator, against recordings of gym-super-mario-bros 7.4.0."""

from __future__ import annotations

import hashlib
import json
import random
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from mario.errors import UsageError
from mario.games import nes_game
from mario.games.smb_ram import LIVES, MODE, PLAYER_STATE, STAGE, TIME_DIGITS, WORLD
from mario.games.super_mario_bros import SuperMarioBros

PLAYS = json.loads((Path(__file__).parents[2] / "fixtures" / "mario_plays.json").read_text())
RUN = 130
NOOP = 0


@pytest.fixture
def game() -> Iterator[SuperMarioBros]:
    game = SuperMarioBros(level="1-1", actions="buttons")
    game.reset()
    yield game
    game.close()


def poke_time(game: SuperMarioBros, time: int) -> None:
    for address, digit in zip(TIME_DIGITS, f"{time:03}", strict=True):
        game.ram[address] = int(digit)


def play_until_over(game: SuperMarioBros, mask: int = NOOP, limit: int = 3000) -> dict[str, Any]:
    for _ in range(limit):
        *_, terminated, truncated, info = game.step(mask)
        if terminated or truncated:
            return info
    raise AssertionError(f"not over after {limit} frames: {info}")


def trace(game: SuperMarioBros, frames: int = 200) -> tuple[str, list[Any]]:
    """Play at random from a fixed seed; return a hash of all screens and RAM, and all results."""
    rng = random.Random(0)
    screen, info = game.reset()
    digest, results = hashlib.sha1(screen), [info]
    for _ in range(frames):
        screen, *result = game.step(rng.choice([RUN, 131, 128, 1, 64]))
        digest.update(screen)
        digest.update(game.ram)
        results.append(result)
    return digest.hexdigest(), results


@pytest.mark.parametrize("play", PLAYS, ids=lambda play: play["name"])
def test_rewards_screens_and_infos_of_recorded_plays_are_those_of_7_4_0(
    play: dict[str, Any],
) -> None:
    game = SuperMarioBros(
        level=play["level"], lost_levels=play["lost_levels"], actions="buttons", stall_frames=None
    )
    game.reset()
    rewards, screens, done_at, infos = [], [], [], iter(play["infos"])
    masks = (mask for mask, frames in play["buttons"] for _ in range(frames))
    for frame, mask in enumerate(masks):
        screen, reward, done, _, info = game.step(mask)
        rewards.append(int(reward))
        if frame % 100 == 0 or done:
            screens.append(zlib.crc32(screen))
            recorded_frame, recorded_info = next(infos)
            assert recorded_frame == frame
            assert recorded_info == {key: info[key] for key in recorded_info}
        if done:
            done_at.append(frame)
            assert info["ending"] in (play["ends"] or ["death"])
            game.reset()
    assert (sum(rewards), done_at) == (play["reward"], play["done_at"])
    assert zlib.crc32(json.dumps(rewards).encode()) == play["rewards_crc"]
    assert zlib.crc32(json.dumps(screens).encode()) == play["screens_crc"]


@pytest.mark.parametrize("level", ["1-1", "2-2", None])
def test_a_reset_restores_the_start_of_the_game_exactly(level: str | None) -> None:
    game = SuperMarioBros(level=level, actions="buttons")
    fresh = trace(game)
    game.reset()
    rng = random.Random(1)
    for _ in range(333):
        *_, terminated, _, _ = game.step(rng.randrange(256) & ~8)
        if terminated:
            break
    assert trace(game) == fresh
    assert trace(SuperMarioBros(level=level, actions="buttons")) == fresh


def test_numbers_in_infos_are_python_ints(game: SuperMarioBros) -> None:
    *_, info = game.step(RUN)
    assert {key: type(value) for key, value in info.items()} == {
        **dict.fromkeys(["coins", "life", "score", "stage", "time", "world"], int),
        **dict.fromkeys(["x_pos", "y_pos", "area", "best_x"], int),
        "flag_get": bool,
        "status": str,
        "ending": str,
    }


def test_best_x_is_the_greatest_x_of_the_episode(game: SuperMarioBros) -> None:
    infos = [game.step(mask)[-1] for mask in [RUN] * 90 + [64] * 60]
    assert infos[-1]["x_pos"] < infos[-1]["best_x"] == max(info["x_pos"] for info in infos)
    assert game.reset()[1]["best_x"] == 40


def test_best_x_ignores_positions_below_zero(game: SuperMarioBros) -> None:
    game.reset()
    game.ram[0x006D], game.ram[0x0086] = 0xFF, 0xF0  # -16, as in the maze of World 4-4
    game.reward()
    info = game.info()
    assert (info["x_pos"], info["best_x"]) == (0xFFF0, 40)


def test_in_the_whole_game_best_x_restarts_with_each_life() -> None:
    game = SuperMarioBros(actions="buttons")
    game.reset()
    best_x_by_life = {}
    for _ in range(2000):
        *_, terminated, _, info = game.step(RUN)
        best_x_by_life.setdefault(info["life"], []).append(info["best_x"])
        if terminated:
            break
    assert info["ending"] == "game over"
    assert [values[0] for values in best_x_by_life.values()][:3] == [40, 40, 40]
    assert all(values == sorted(values) for values in best_x_by_life.values())


def test_running_out_of_time_is_distinguished_from_other_deaths(game: SuperMarioBros) -> None:
    assert play_until_over(game, RUN)["ending"] == "death"
    game.reset()
    poke_time(game, 1)
    info = play_until_over(game)
    assert (info["ending"], info["time"], info["flag_get"]) == ("time", 0, False)


def test_an_episode_without_progress_is_truncated() -> None:
    game = SuperMarioBros(level="1-1", actions="simple", stall_frames=50)
    game.reset()
    steps = [game.step(0) for _ in range(51)]
    assert [step[3] for step in steps] == [False] * 50 + [True]
    assert steps[-1][2] is False
    assert steps[-1][4]["ending"] == "truncated"


def test_the_end_of_the_last_world_ends_the_episode_with_the_flag(monkeypatch) -> None:
    monkeypatch.setattr(nes_game, "MAX_WAIT_FRAMES", 400)
    game = SuperMarioBros(actions="buttons")
    game.reset()
    game.step(RUN)
    game.ram[WORLD], game.ram[STAGE], game.ram[MODE] = 7, 3, 2
    assert play_until_over(game, limit=2)["ending"] == "flag"


def test_an_episode_in_which_mario_stays_busy_is_truncated(monkeypatch, game) -> None:
    monkeypatch.setattr(nes_game, "MAX_WAIT_FRAMES", 30)
    advance = game.emulator.advance

    def stay_busy(buttons: int) -> None:
        advance(buttons)
        game.ram[PLAYER_STATE] = 4

    monkeypatch.setattr(game.emulator, "advance", stay_busy)
    info = play_until_over(game, limit=2)
    assert info["ending"] == "truncated"


def test_a_rom_of_another_game_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(nes_game, "MAX_WAIT_FRAMES", 5)
    with pytest.raises(UsageError, match=r"does not start like Super Mario Bros\."):
        SuperMarioBros(level="1-1")


@pytest.mark.parametrize("lost", [False, True])
def test_a_level_starts_in_its_world_and_stage(lost: bool) -> None:
    game = SuperMarioBros(level="4-2", lost_levels=lost)
    _, info = game.reset()
    assert (info["world"], info["stage"], info["life"], info["ending"]) == (4, 2, 2, "")


def test_looks_differ_only_in_their_graphics() -> None:
    try:
        looks = [SuperMarioBros(level="1-1", look=look) for look in ("vanilla", "rectangle")]
    except UsageError as error:
        pytest.skip(str(error))
    (plain, info), (rectangles, same_info) = (game.reset() for game in looks)
    assert info == same_info
    assert not np.array_equal(plain, rectangles)


def test_gymnasiums_environment_checker_accepts_the_game(recwarn) -> None:
    check_env(SuperMarioBros(level="1-1", render_mode="rgb_array"), skip_render_check=True)


def test_no_op_frames_are_played_like_steps(game) -> None:
    game.reset()
    for _ in range(17):
        screen, *_, info = game.step(NOOP)
    later, later_info = game.reset(options={"noops": 17})
    np.testing.assert_array_equal(later, screen)
    assert later_info == info
    assert game.step(RUN)[1] == 0.0


def test_a_new_life_in_the_whole_game_counts_as_progress() -> None:
    game = SuperMarioBros(actions="buttons", stall_frames=100)
    game.reset()
    game.step(RUN)
    before = game.progress()
    game.ram[LIVES] = 1
    game.step(NOOP)
    assert game.progress() > before + 1000


def test_unknown_levels_and_looks_are_reported() -> None:
    with pytest.raises(UsageError, match="level must be one of 1-1 to 8-4, got '9-1'"):
        SuperMarioBros(level="9-1")
    with pytest.raises(UsageError, match="level must be one of 1-1 to 4-4, got '5-1'"):
        SuperMarioBros(level="5-1", lost_levels=True)
    with pytest.raises(UsageError, match="unknown look 'pixels'; did you mean 'pixel'"):
        SuperMarioBros(look="pixels")


def test_a_tree_search_sees_the_same_future_each_time(game: SuperMarioBros) -> None:
    """Also if it returns from after the end of the episode, and from a greater `best_x`."""
    for _ in range(60):
        game.step(RUN)
    state = game.save_state()

    def future() -> list[Any]:
        results = []
        for _ in range(300):
            screen, *result = game.step(RUN)
            results.append((zlib.crc32(screen), *result))
            if result[1]:
                break
        return results

    first = future()
    assert first[-1][2], "Mario runs into the first Goomba"
    for _ in range(2):
        game.load_state(state)
        assert future() == first
