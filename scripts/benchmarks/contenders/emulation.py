"""Workloads: emulator frames and preprocessed environment steps.

All environments alternate between Right and Right + A, so that episodes end and restart.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from child import Work

from mario.config.env_config import EnvConfig
from mario.emulators import make_emulator
from mario.games.roms import mario_rom
from mario.vector.make import make_env, make_vector_env
from mario.vector.process_vector import ProcessVectorEnv

GAME = "SuperMarioBros-1-1-v0"
RIGHT, RIGHT_AND_JUMP = 1, 2
"""In the action set "simple"."""
ACTION_REPEAT = 8
"""Steps for which an action is repeated."""


def frames(emulator: str) -> Work:
    """Frames of the bare emulator, all rendered, none read."""
    console = make_emulator(mario_rom(), emulator)
    while True:
        for _ in range(20):
            console.advance(0)
        yield {"frames": 20}


def wrapped(emulator: str) -> Work:
    """Steps of one wrapped environment in this process."""
    env = make_env(EnvConfig(GAME, "simple", emulator))
    env.reset(seed=0)
    step = 0
    while True:
        step += 1
        _, _, terminated, truncated, _ = env.step(_action(step))
        if terminated or truncated:
            env.reset()
        yield {"steps": 1}


def process_vector(emulator: str, num_envs: int) -> Work:
    """Steps of environments in separate processes."""
    envs: Any = make_vector_env(EnvConfig(GAME, "simple", emulator), num_envs=num_envs, seed=0)
    if not isinstance(envs, ProcessVectorEnv):
        raise TypeError(
            f"{emulator} environments run in one process; measure them with native_vector()"
        )
    yield from _steps(envs)


def native_vector(num_envs: int, threads: int) -> Work:
    """Steps of the native vector environment."""
    from mario.vector.native_mario import NativeMarioVectorEnv

    yield from _steps(NativeMarioVectorEnv(EnvConfig(GAME, "simple"), num_envs, threads=threads))


def _steps(envs: Any) -> Work:
    envs.reset()
    step = 0
    while True:
        step += 1
        # shift the phase of each environment, so that episodes do not all end at the same time
        envs.step(np.array([_action(step + 3 * index) for index in range(envs.num_envs)]))
        yield {"steps": envs.num_envs}


def _action(step: int) -> int:
    return RIGHT_AND_JUMP if step // ACTION_REPEAT % 3 else RIGHT
