"""Work: our own loop from the game to the network and back, and where its time goes."""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from child import Work

from agents import DDQNConfig
from mario.system.threads import spare_cores
from mario.training.trainer import play
from mario.vector.make import make_agent, make_vector_env
from mario.vector.process_vector import ProcessVectorEnv
from wrappers import WrapperConfig

GAME = "SuperMarioBros-1-1-v0"
BURNIN = 300
VERBS = ("act", "recall", "learn", "cache", "step_async", "step_wait")


def ours(emulator: str, num_envs: int, hyper: dict[str, Any], threads: int | None = None) -> Work:
    """Decisions while learning, and the seconds spent in each verb.

    Args:
        emulator: behind the games.
        num_envs: how many games.
        hyper: what differs from the defaults of `DDQNConfig`.
        threads: of the network; None for what the program would choose.
    """
    games: Any = make_vector_env(
        GAME, "simple", emulator, WrapperConfig(), num_envs=num_envs, seed=0
    )
    spare = spare_cores(num_envs if isinstance(games, ProcessVectorEnv) else 0)
    config = DDQNConfig(**{"memory": 20_000, "burnin": BURNIN} | hyper)
    spent: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder:
        agent = make_agent(
            "ddqn", config, games, device="auto", folder=Path(folder), threads=threads or spare
        )
        for owner in (agent, games):
            for verb in VERBS:
                if hasattr(owner, verb):
                    _clock(owner, verb, spent)
        states, _ = games.reset()
        learned = 0
        for step in play(agent, games, states):
            learned += step.learned is not None
            if learned > 3:
                yield {"decisions": step.decisions, **_shares(spent)}
            spent.clear()


def _clock(owner: Any, verb: str, spent: Counter[str]) -> None:
    """Add up the seconds that a method takes."""
    method: Callable[..., Any] = getattr(owner, verb)

    def timed(*arguments: Any) -> Any:
        """Do as the method does."""
        start = time.perf_counter()
        result = method(*arguments)
        spent[verb] += time.perf_counter() - start  # type: ignore[assignment]
        return result

    setattr(owner, verb, timed)


def _shares(spent: Counter[str]) -> dict[str, float]:
    return {
        "emulation": float(spent["step_async"] + spent["step_wait"]),
        "acting": float(spent["act"]),
        "recall": float(spent["recall"]),
        "learning": float(spent["learn"] - spent["recall"]),
        "caching": float(spent["cache"]),
    }
