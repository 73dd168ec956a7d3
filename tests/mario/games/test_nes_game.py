"""What every NES game has in common, on a console that only counts."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from mario.emulators import Emulator
from mario.games import nes_game
from mario.games.nes_game import NesGame

LENGTH = 10
FRAMES, PRESSED = 0, 1


class CountingConsole(Emulator):
    """Counts its frames in RAM, and keeps a tape of the buttons held."""

    name = "counting"

    def __init__(self) -> None:
        self.ram = memoryview(bytearray(2048))
        self.tape: list[int] = []
        self.marked = bytes(2048)
        self.open = True

    def advance(self, buttons: int) -> None:
        self.tape.append(buttons)
        self.ram[FRAMES] += 1
        self.ram[PRESSED] = buttons

    def screen(self):
        return np.full((240, 256, 3), self.ram[FRAMES], np.uint8)

    def power_on(self) -> None:
        self.ram[:] = bytes(2048)

    def backup(self) -> None:
        self.marked = bytes(self.ram)

    def restore(self) -> None:
        self.ram[:] = self.marked

    def close(self) -> None:
        self.open = False


class CountingGame(NesGame):
    """Starts at frame 3, is over at frame 3 + ``LENGTH``; each frame earns the buttons held."""

    reward_range = (-5.0, 100.0)
    default_actions = ((), ("A",), ("right",))

    def start(self) -> None:
        self.wait_while(lambda: self.ram[FRAMES] < 3, lambda: self.emulator.advance(8))

    def reward(self) -> float:
        return self.ram[PRESSED]

    def ending(self) -> str:
        return "the count" if self.ram[FRAMES] >= 3 + LENGTH else ""

    def info(self):
        return {"frames": self.ram[FRAMES]}


class IdleGame(CountingGame):
    """Gets on only while A is held."""

    def began(self) -> None:
        self.way = 0

    def reward(self) -> float:
        self.way += self.ram[PRESSED]
        return 0.0

    def progress(self) -> float:
        return self.way


class SlowGame(CountingGame):
    """Shows a scene of two frames after each frame of play."""

    def cut_scenes(self) -> None:
        for _ in range(2):
            self.emulator.advance(0)


def make(kind: type[CountingGame] = CountingGame, **options) -> CountingGame:
    return kind(rom=Path("none.nes"), emulator=CountingConsole(), **options)


def test_play_begins_where_start_left_off_each_time() -> None:
    game = make()
    for _ in range(2):
        screen, info = game.reset()
        assert (screen[0, 0, 0], info) == (3, {"frames": 3, "ending": ""})
        game.step(1)


def test_a_step_is_one_frame_of_the_actions_buttons() -> None:
    game = make()
    game.reset()
    screen, reward, terminated, truncated, info = game.step(1)
    assert game.emulator.tape == [8, 8, 8, 1]
    assert (screen[0, 0, 0], reward, terminated, truncated) == (4, 1.0, False, False)
    assert info == {"frames": 4, "ending": ""}


def test_rewards_are_clipped_to_their_range() -> None:
    game = make()
    game.reset()
    assert game.step(2)[1] == 100.0


def test_the_last_step_tells_why_the_game_ended() -> None:
    game = make()
    game.reset()
    *_, (_, _, terminated, truncated, info) = [game.step(0) for _ in range(LENGTH)]
    assert (terminated, truncated, info["ending"]) == (True, False, "the count")


@pytest.mark.parametrize("played", [0, LENGTH])
def test_a_game_that_is_not_on_cannot_be_played(played: int) -> None:
    game = make()
    if played:
        game.reset()
    for _ in range(played):
        game.step(0)
    with pytest.raises(gym.error.ResetNeeded, match="call reset first"):
        game.step(0)


@pytest.mark.parametrize("action", [-1, 3])
def test_an_action_that_is_none_is_named(action: int) -> None:
    game = make()
    game.reset()
    with pytest.raises(ValueError, match=f"action must be in 0 to 2, got {action}"):
        game.step(action)


def test_a_game_that_gets_nowhere_is_cut_short() -> None:
    game = make(IdleGame, stall_frames=3)
    game.reset()
    cut_short = [game.step(action)[3] for action in (0, 1, 1, 0, 0, 0)]
    assert cut_short == [False] * 5 + [True]


@pytest.mark.parametrize("kind", [CountingGame, IdleGame])
def test_without_a_limit_or_a_measure_no_game_is_cut_short(kind: type[CountingGame]) -> None:
    game = make(kind, stall_frames=None if kind is IdleGame else 1)
    game.reset()
    assert not any(game.step(0)[3] for _ in range(LENGTH - 1))


def test_noops_go_by_before_the_first_thing_seen() -> None:
    game = make()
    screen, info = game.reset(options={"noops": 4})
    assert (screen[0, 0, 0], info["frames"]) == (7, 7)
    assert game.emulator.tape[3:] == [0] * 4


def test_noops_that_end_the_game_begin_it_anew() -> None:
    _, info = make().reset(options={"noops": LENGTH + 2})
    assert info["frames"] == 3 + 2


def test_what_is_seen_comes_after_the_cut_scene_and_what_is_told_before() -> None:
    game = make(SlowGame)
    game.reset()
    screen, *_, info = game.step(1)
    assert (screen[0, 0, 0], info["frames"]) == (6, 4)


def test_a_game_that_waits_in_vain_is_stuck_and_cut_short(monkeypatch) -> None:
    monkeypatch.setattr(nes_game, "PATIENCE_FRAMES", 5)
    game = make()
    game.reset()
    game.wait_while(lambda: True, lambda: None)
    *_, truncated, info = game.step(0)
    assert (truncated, info["ending"]) == (True, "truncated")
    game.reset()
    assert not game.step(0)[3]


def test_the_buttons_themselves_can_be_the_actions() -> None:
    game = make(actions="buttons")
    game.reset()
    game.step(np.int64(200))
    assert (game.action_space.n, game.emulator.tape[-1]) == (256, 200)
    assert game.action_names[200] == "right+left+start"


def test_a_game_tells_the_names_of_its_actions_and_its_emulator() -> None:
    game = make()
    assert game.action_names == ("NOOP", "A", "right")
    assert game.metadata["emulator"] == "counting"


def test_a_picture_is_rendered_only_if_asked_for() -> None:
    assert make().render() is None
    assert make(render_mode="rgb_array").render().shape == (240, 256, 3)


def test_closing_frees_the_console() -> None:
    game = make()
    game.close()
    assert not game.emulator.open


def test_a_game_without_its_methods_cannot_be_made() -> None:
    class Half(NesGame):
        def reward(self) -> float:
            return 0.0

    with pytest.raises(TypeError, match="abstract method"):
        Half(rom=Path("none.nes"), emulator=CountingConsole())
