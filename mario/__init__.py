"""Train agents to play Super Mario Bros., other NES games and Atari games.

The names in `__all__` are the Python API. Each is imported when it is first used, so that importing
the package does not import torch. Importing it registers the games with Gymnasium.

>>> from mario import make_env
>>> make_env("Tetris-v0").action_space
Discrete(6)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mario.games.registry import register_games

if TYPE_CHECKING:
    from mario.config.env_config import EnvConfig
    from mario.config.run_config import TrainConfig
    from mario.errors import RunError, UsageError
    from mario.evaluation.evaluate import evaluate_agent
    from mario.evaluation.summary import EvaluationSummary
    from mario.games.endings import Ending
    from mario.games.nes_game import NesGame
    from mario.playback.recording import Recording, record_episode
    from mario.runs.agent_factory import make_agent
    from mario.runs.train_config import saved_config, train_config
    from mario.runs.trained_agent import TrainedAgent, load_agent
    from mario.training.callbacks import Callback
    from mario.training.train import TrainingResult, train
    from mario.vector.make import make_env, make_vector_env

__all__ = [
    "Callback",
    "Ending",
    "EnvConfig",
    "EvaluationSummary",
    "NesGame",
    "Recording",
    "RunError",
    "TrainConfig",
    "TrainedAgent",
    "TrainingResult",
    "UsageError",
    "evaluate_agent",
    "load_agent",
    "make_agent",
    "make_env",
    "make_vector_env",
    "record_episode",
    "saved_config",
    "train",
    "train_config",
]

_MODULES = {
    "Callback": "mario.training.callbacks",
    "Ending": "mario.games.endings",
    "EnvConfig": "mario.config.env_config",
    "EvaluationSummary": "mario.evaluation.summary",
    "NesGame": "mario.games.nes_game",
    "Recording": "mario.playback.recording",
    "RunError": "mario.errors",
    "TrainConfig": "mario.config.run_config",
    "TrainedAgent": "mario.runs.trained_agent",
    "TrainingResult": "mario.training.train",
    "UsageError": "mario.errors",
    "evaluate_agent": "mario.evaluation.evaluate",
    "load_agent": "mario.runs.trained_agent",
    "make_agent": "mario.runs.agent_factory",
    "make_env": "mario.vector.make",
    "make_vector_env": "mario.vector.make",
    "record_episode": "mario.playback.recording",
    "saved_config": "mario.runs.train_config",
    "train": "mario.training.train",
    "train_config": "mario.runs.train_config",
}
"""The module of each name of the API."""

register_games()


def __getattr__(name: str) -> Any:
    """Import a name of the API when it is first used."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]
