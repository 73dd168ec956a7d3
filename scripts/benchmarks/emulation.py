"""Work: frames of an emulator, and whole decisions as an agent gets them.

Everyone holds Right and A by turns, so that games end and begin again.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from child import Work

from mario.emulators import make_emulator
from mario.games.roms import mario_rom
from mario.vector.make import make_env, make_vector_env
from mario.vector.process_vector import ProcessVectorEnv
from wrappers import WrapperConfig

GAME = "SuperMarioBros-1-1-v0"
RIGHT, RIGHT_AND_JUMP = 1, 2
"""In the action set "simple"."""
HELD = 8
"""Decisions for which an action is held."""


def frames(emulator: str) -> Work:
    """Frames of the bare console, all drawn, none looked at."""
    console = make_emulator(mario_rom(), emulator)
    while True:
        for _ in range(20):
            console.advance(0)
        yield {"frames": 20}


def wrapped(emulator: str) -> Work:
    """Decisions of one game in this process, through the wrappers."""
    env = make_env(GAME, "simple", emulator, WrapperConfig())
    env.reset(seed=0)
    decision = 0
    while True:
        decision += 1
        _, _, terminated, truncated, _ = env.step(_action(decision))
        if terminated or truncated:
            env.reset()
        yield {"decisions": 1}


def processes(emulator: str, num_envs: int) -> Work:
    """Decisions of games in processes of their own."""
    games: Any = make_vector_env(
        GAME, "simple", emulator, WrapperConfig(), num_envs=num_envs, seed=0
    )
    if not isinstance(games, ProcessVectorEnv):
        raise TypeError(f"{emulator} games run in one process; measure them with fused()")
    yield from _stepped(games)


def fused(num_envs: int, threads: int) -> Work:
    """Decisions of games that compiled code plays in threads."""
    from mario.vector.native_mario import NativeMarioVectorEnv

    yield from _stepped(
        NativeMarioVectorEnv(
            num_envs, wrappers=WrapperConfig(), threads=threads, level="1-1", actions="simple"
        )
    )


def _stepped(games: Any) -> Work:
    games.reset()
    decision = 0
    while True:
        decision += 1
        # each game is elsewhere in the rhythm, or all would end at the same time
        games.step(np.array([_action(decision + 3 * game) for game in range(games.num_envs)]))
        yield {"decisions": games.num_envs}


def _action(decision: int) -> int:
    return RIGHT_AND_JUMP if decision // HELD % 3 else RIGHT
