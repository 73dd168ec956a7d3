"""The base class of NES games, with a fake console that counts frames."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from mario.emulators import Emulator
from mario.games import nes_game
from mario.games.endings import Ending
from mario.games.nes_game import NesGame

LENGTH = 10
FRAMES, PRESSED = 0, 1


class CountingConsole(Emulator):
    """Counts its frames in RAM and records the buttons."""

    name = "counting"

    def __init__(self) -> None:
        self.ram = memoryview(bytearray(2048))
        self.recorded_buttons: list[int] = []
        self.marked = bytes(2048)
        self.open = True

    def advance(self, buttons: int) -> None:
        self.recorded_buttons.append(buttons)
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
    """Starts at frame 3, ends at frame 3 + ``LENGTH``; the reward is the button mask."""

    reward_range = (-5.0, 100.0)
    default_actions = ((), ("A",), ("right",))

    def start_game(self) -> None:
        self.advance_while(lambda: self.ram[FRAMES] < 3, lambda: self.emulator.advance(8))

    def reward(self) -> float:
        return self.ram[PRESSED]

    def ending(self) -> Ending | None:
        return Ending.FLAG if self.ram[FRAMES] >= 3 + LENGTH else None

    def info(self):
        return {"frames": self.ram[FRAMES]}


class IdleGame(CountingGame):
    """Makes progress only while A is held."""

    def on_episode_start(self) -> None:
        self.distance = 0

    def reward(self) -> float:
        self.distance += self.ram[PRESSED]
        return 0.0

    def progress(self) -> float:
        return self.distance


class CutsceneGame(CountingGame):
    """Shows a cutscene of two frames after each frame of play."""

    def skip_cutscenes(self) -> None:
        for _ in range(2):
            self.emulator.advance(0)


def make_game(kind: type[CountingGame] = CountingGame, **options) -> CountingGame:
    return kind(rom=Path("none.nes"), emulator=CountingConsole(), **options)


def test_every_episode_starts_where_start_game_ended() -> None:
    game = make_game()
    for _ in range(2):
        screen, info = game.reset()
        assert (screen[0, 0, 0], info) == (3, {"frames": 3, "ending": ""})
        game.step(1)


def test_a_step_plays_one_frame_with_the_buttons_of_the_action() -> None:
    game = make_game()
    game.reset()
    screen, reward, terminated, truncated, info = game.step(1)
    assert game.emulator.recorded_buttons == [8, 8, 8, 1]
    assert (screen[0, 0, 0], reward, terminated, truncated) == (4, 1.0, False, False)
    assert info == {"frames": 4, "ending": ""}


def test_rewards_are_clipped_to_their_range() -> None:
    game = make_game()
    game.reset()
    assert game.step(2)[1] == 100.0


def test_the_info_of_the_last_step_contains_the_ending() -> None:
    game = make_game()
    game.reset()
    *_, (_, _, terminated, truncated, info) = [game.step(0) for _ in range(LENGTH)]
    assert (terminated, truncated, info["ending"]) == (True, False, "flag")


@pytest.mark.parametrize("num_steps", [0, LENGTH])
def test_a_step_without_a_running_episode_is_refused(num_steps: int) -> None:
    game = make_game()
    if num_steps:
        game.reset()
    for _ in range(num_steps):
        game.step(0)
    with pytest.raises(gym.error.ResetNeeded, match="call reset first"):
        game.step(0)


@pytest.mark.parametrize("action", [-1, 3])
def test_an_action_outside_of_the_action_space_is_refused(action: int) -> None:
    game = make_game()
    game.reset()
    with pytest.raises(ValueError, match=f"action must be in 0 to 2, got {action}"):
        game.step(action)


def test_an_episode_without_progress_is_truncated() -> None:
    game = make_game(IdleGame, stall_frames=3)
    game.reset()
    truncated = [game.step(action)[3] for action in (0, 1, 1, 0, 0, 0)]
    assert truncated == [False] * 5 + [True]


@pytest.mark.parametrize("kind", [CountingGame, IdleGame])
def test_without_a_stall_limit_or_a_progress_value_no_episode_is_truncated(
    kind: type[CountingGame],
) -> None:
    game = make_game(kind, stall_frames=None if kind is IdleGame else 1)
    game.reset()
    assert not any(game.step(0)[3] for _ in range(LENGTH - 1))


def test_no_op_frames_are_played_before_the_first_observation() -> None:
    game = make_game()
    screen, info = game.reset(options={"noops": 4})
    assert (screen[0, 0, 0], info["frames"]) == (7, 7)
    assert game.emulator.recorded_buttons[3:] == [0] * 4


def test_no_op_frames_that_end_the_game_restart_it() -> None:
    _, info = make_game().reset(options={"noops": LENGTH + 2})
    assert info["frames"] == 3 + 2


def test_observations_are_taken_after_a_cutscene_and_infos_before_it() -> None:
    game = make_game(CutsceneGame)
    game.reset()
    screen, *_, info = game.step(1)
    assert (screen[0, 0, 0], info["frames"]) == (6, 4)


def test_a_game_that_waits_in_vain_is_truncated(monkeypatch) -> None:
    monkeypatch.setattr(nes_game, "MAX_WAIT_FRAMES", 5)
    game = make_game()
    game.reset()
    game.advance_while(lambda: True, lambda: None)
    *_, truncated, info = game.step(0)
    assert (truncated, info["ending"]) == (True, "truncated")
    game.reset()
    assert not game.step(0)[3]


def test_button_masks_can_be_the_actions() -> None:
    game = make_game(actions="buttons")
    game.reset()
    game.step(np.int64(200))
    assert (game.action_space.n, game.emulator.recorded_buttons[-1]) == (256, 200)
    assert game.action_names[200] == "right+left+start"


def test_a_game_has_the_names_of_its_actions_and_of_its_emulator() -> None:
    game = make_game()
    assert game.action_names == ("NOOP", "A", "right")
    assert game.metadata["emulator"] == "counting"


def test_render_returns_the_screen_only_in_rgb_array_mode() -> None:
    assert make_game().render() is None
    assert make_game(render_mode="rgb_array").render().shape == (240, 256, 3)


def test_close_frees_the_console() -> None:
    game = make_game()
    game.close()
    assert not game.emulator.open


def test_a_game_without_the_required_methods_cannot_be_made() -> None:
    class Incomplete(NesGame):
        def reward(self) -> float:
            return 0.0

    with pytest.raises(TypeError, match="abstract method"):
        Incomplete(rom=Path("none.nes"), emulator=CountingConsole())
