"""Corrections of failures, from which an agent can learn what it should have done.

The environments of `CorrectingVectorEnv` have save-states. Where an episode fails, they return to
earlier points, try small changes after which the agent's own policy goes on, and continue the
episode with the change that survives most robustly.
"""

from mario.corrections.correcting_env import CorrectingVectorEnv, make_correcting_env
from mario.corrections.correction_search import Correction, CorrectionSearch
from mario.corrections.save_states import SaveStateEnvs

__all__ = [
    "CorrectingVectorEnv",
    "Correction",
    "CorrectionSearch",
    "SaveStateEnvs",
    "make_correcting_env",
]
