"""A small NES game without a ROM: a maze with pits, for tests of the search."""

from __future__ import annotations

import hashlib
from collections import deque
from pathlib import Path

import gymnasium as gym
import numpy as np

from mario.emulators import Emulator
from mario.games.actions import BUTTONS
from mario.games.endings import Ending
from mario.games.nes_game import NesGame

ROWS = (
    "S..#....",
    "##.#.##.",
    "...#..P.",
    ".###.##.",
    "......#G",
)
"""S is the start, G the goal, # a wall and P a pit."""

START, GOAL = (0, 0), (4, 7)
MOVES = {"right": (0, 1), "left": (0, -1), "down": (1, 0), "up": (-1, 0)}
ACTIONS = tuple((name,) for name in MOVES)


class MazeConsole(Emulator):
    """A console whose RAM contains the position: row, column and number of frames."""

    name = "maze"

    def __init__(self) -> None:
        self.ram = memoryview(bytearray(2048))
        self.saved = bytes(2048)

    def advance(self, buttons: int) -> None:
        self.ram[0], self.ram[1] = move((self.ram[0], self.ram[1]), buttons)
        self.ram[2] = (self.ram[2] + 1) % 256

    def screen(self):
        return np.zeros((240, 256, 3), np.uint8)

    def power_on(self) -> None:
        self.ram[:] = bytes(2048)

    def backup(self) -> None:
        self.saved = bytes(self.ram)

    def restore(self) -> None:
        self.ram[:] = self.saved

    def save_state(self, screen: bool = True) -> bytes:
        return bytes(self.ram[:3])

    def load_state(self, state: bytes) -> None:
        self.ram[:3] = state

    def close(self) -> None:
        pass


class MazeGame(NesGame):
    """The maze; the objective is the number of the cell."""

    default_actions = ACTIONS

    def __init__(self, **options) -> None:
        options.pop("emulator", None)
        super().__init__(rom=Path("maze.nes"), emulator=MazeConsole(), **options)

    rom_sha256 = hashlib.sha256(b"maze").hexdigest()

    def reward(self) -> float:
        return 0.0

    def ending(self) -> Ending | None:
        return {"G": Ending.FLAG, "P": Ending.DEATH}.get(tile(self.cell()))

    def info(self):
        return {"row": self.ram[0], "column": self.ram[1]}

    def cell(self):
        return self.ram[0], self.ram[1]

    def progress(self) -> float:
        return self.ram[0] + self.ram[1]


def tile(position) -> str:
    row, column = position
    return ROWS[row][column]


def move(position, buttons: int):
    """Return the position after a frame."""
    for name, (down, right) in MOVES.items():
        row, column = position[0] + down, position[1] + right
        inside = 0 <= row < len(ROWS) and 0 <= column < len(ROWS[0])
        if buttons & BUTTONS[name] and inside and tile((row, column)) != "#":
            return row, column
    return position


def distances() -> dict[tuple[int, int], int]:
    """Return the length of the shortest way to every position, by brute force."""
    known, queue = {START: 0}, deque([START])
    while queue:
        position = queue.popleft()
        if tile(position) in "GP":
            continue
        for name in MOVES:
            neighbour = move(position, BUTTONS[name])
            if neighbour not in known:
                known[neighbour] = known[position] + 1
                queue.append(neighbour)
    return known


def register() -> str:
    """Register the maze and return its id."""
    if "TestMaze-v0" not in gym.registry:
        gym.register("TestMaze-v0", MazeGame)
    return "TestMaze-v0"
