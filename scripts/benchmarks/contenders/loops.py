"""Workload: this project's training loop, and where its time goes."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from child import Work

from agents import DDQNConfig
from mario.config.env_config import EnvConfig
from mario.runs.agent_factory import make_agent
from mario.system.threads import spare_cores
from mario.training.loop import play
from mario.vector.make import make_vector_env
from mario.vector.process_vector import ProcessVectorEnv

GAME = "SuperMarioBros-1-1-v0"
BURNIN = 300
METHODS = ("act", "recall", "learn", "cache", "step_async", "step_wait")


def ours(emulator: str, num_envs: int, hyper: dict[str, Any], threads: int | None = None) -> Work:
    """Steps while learning, and the seconds spent in each method.

    Args:
        emulator: Name of the emulator.
        num_envs: Number of environments.
        hyper: Hyperparameters that differ from the defaults of `DDQNConfig`.
        threads: Threads of the network; None for the program's choice.
    """
    envs: Any = make_vector_env(EnvConfig(GAME, "simple", emulator), num_envs=num_envs, seed=0)
    spare = spare_cores(num_envs if isinstance(envs, ProcessVectorEnv) else 0)
    config = DDQNConfig(**{"replay_capacity": 20_000, "burnin": BURNIN} | hyper)
    seconds: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        agent = make_agent(
            "ddqn", envs, config, device="auto", folder=Path(folder), threads=threads or spare
        )
        for owner in (agent, envs):
            for name in METHODS:
                if hasattr(owner, name):
                    _time_method(owner, name, seconds)
        states, _ = envs.reset()
        num_updates = 0
        for step in play(agent, envs, states):
            num_updates += step.metrics is not None
            if num_updates > 3:
                yield {"steps": step.num_steps, **_shares(seconds)}
            seconds.clear()


def _time_method(owner: Any, name: str, seconds: Counter[str]) -> None:
    """Accumulate the seconds that a method takes."""
    method: Callable[..., Any] = getattr(owner, name)

    def timed(*arguments: Any) -> Any:
        """Call the method and add its duration."""
        start = time.perf_counter()
        result = method(*arguments)
        seconds[name] += time.perf_counter() - start  # type: ignore[assignment]
        return result

    setattr(owner, name, timed)


def _shares(seconds: Counter[str]) -> dict[str, float]:
    return {
        "emulation": float(seconds["step_async"] + seconds["step_wait"]),
        "acting": float(seconds["act"]),
        "recall": float(seconds["recall"]),
        "learning": float(seconds["learn"] - seconds["recall"]),
        "caching": float(seconds["cache"]),
    }
