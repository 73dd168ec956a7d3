"""Evaluation of trained agents.

`evaluate_agent` plays whole episodes and returns an `EvaluationSummary`: clear rate and mean return
with confidence intervals. `Evaluator` does so periodically during training. `level_survey` and
`level_map` draw where the episodes of an evaluation were lost.
"""

from mario.evaluation.episodes import EpisodeResult, play_episodes
from mario.evaluation.evaluate import evaluate_agent
from mario.evaluation.evaluator import Evaluator
from mario.evaluation.summary import EvaluationSummary, summarize

__all__ = [
    "EpisodeResult",
    "EvaluationSummary",
    "Evaluator",
    "evaluate_agent",
    "play_episodes",
    "summarize",
]
