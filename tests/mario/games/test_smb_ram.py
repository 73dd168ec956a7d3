"""Tests of reading the RAM of Super Mario Bros., with hand-written RAM contents."""

from __future__ import annotations

import pytest

from mario.games import smb_ram
from mario.games.smb_ram import MarioRam


@pytest.fixture
def ram() -> memoryview:
    ram = memoryview(bytearray(2048))
    ram[smb_ram.PLAYER_STATE], ram[smb_ram.Y_PAGE] = 8, 1
    return ram


def test_numbers_are_read_digit_by_digit(ram: memoryview) -> None:
    ram[0x7F8:0x7FB] = bytes([3, 0, 7])
    ram[0x7DE:0x7E4] = bytes([0, 1, 2, 3, 5, 0])
    ram[0x7ED:0x7EF] = bytes([4, 2])
    info = MarioRam(ram).info()
    assert (info["time"], info["score"], info["coins"]) == (307, 12350, 42)


def test_x_combines_page_and_offset(ram: memoryview) -> None:
    ram[smb_ram.X_PAGE], ram[smb_ram.X_IN_PAGE] = 12, 89
    assert MarioRam(ram).x == 3161


@pytest.mark.parametrize(("page", "y"), [(1, 215), (0, 470), (2, 215)])
def test_y_continues_above_the_screen(ram: memoryview, page: int, y: int) -> None:
    ram[smb_ram.Y_PAGE], ram[smb_ram.Y_IN_PAGE] = page, 40
    assert MarioRam(ram).y == y


@pytest.mark.parametrize(("power", "status"), [(0, "small"), (1, "tall"), (2, "fireball")])
def test_power_up_states_have_names(ram: memoryview, power: int, status: str) -> None:
    ram[smb_ram.POWER] = power
    assert MarioRam(ram).info()["status"] == status


@pytest.mark.parametrize(("state", "page", "dying"), [(8, 1, False), (11, 1, True), (8, 2, True)])
def test_enemies_and_pits_kill_mario(ram: memoryview, state: int, page: int, dying: bool) -> None:
    ram[smb_ram.PLAYER_STATE], ram[smb_ram.Y_PAGE] = state, page
    assert MarioRam(ram).dying is dying


@pytest.mark.parametrize(
    ("enemy", "floating", "mode", "cleared"),
    [
        (smb_ram.FLAGPOLE, 3, 1, True),
        (smb_ram.BOWSER, 3, 1, True),
        (smb_ram.FLAGPOLE, 1, 1, False),
        (0x06, 3, 1, False),
        (0x06, 0, 2, True),
    ],
)
def test_flagpoles_and_bowser_clear_a_level_but_vines_do_not(
    ram: memoryview, enemy: int, floating: int, mode: int, cleared: bool
) -> None:
    ram[0x18], ram[smb_ram.FLOAT_STATE], ram[smb_ram.MODE] = enemy, floating, mode
    assert MarioRam(ram).flag_get is cleared


@pytest.mark.parametrize(("timer", "expected"), [(0, 0), (1, 1), (2, 1), (254, 1), (255, 255)])
def test_only_a_running_area_timer_is_skipped(ram: memoryview, timer: int, expected: int) -> None:
    ram[smb_ram.AREA_CHANGE_TIMER] = timer
    MarioRam(ram).skip_area_change()
    assert ram[smb_ram.AREA_CHANGE_TIMER] == expected


def test_the_selected_level_is_reported_by_the_game(ram: memoryview) -> None:
    mario = MarioRam(ram)
    mario.choose_level(7, 2, 3)
    assert (mario.world, mario.stage, ram[smb_ram.AREA]) == (7, 2, 2)
