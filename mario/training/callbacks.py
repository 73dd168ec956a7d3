"""Callbacks: code that the trainer calls while it trains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mario.errors import RunError, UsageError
from mario.evaluation.summary import EvaluationSummary
from mario.metrics.episode_rows import EpisodeRecord
from mario.system.plugins import load_class
from mario.training.loop import TrainingStep

if TYPE_CHECKING:
    from mario.training.trainer import Trainer


class Callback:
    """Base class of callbacks; every hook does nothing unless a subclass overrides it.

    In each step the trainer calls `on_update` if the agent learned, `on_episode` for each episode
    that ended, and then `on_step`. It calls the callbacks in the order in which they were given.

    ``mario-train --callback module:Class`` makes a callback without arguments. Its state is saved
    with the run and restored when the run is resumed with the same ``--callback``.

    Attributes:
        trainer: the trainer, set before the first hook is called. It offers ``agent``, ``envs``,
            ``steps``, ``episodes``, ``complete`` and ``stopping``.

    >>> class LongestEpisode(Callback):
    ...     length = 0
    ...
    ...     def on_episode(self, record):
    ...         self.length = max(self.length, record.length)
    ...
    ...     def state_dict(self):
    ...         return {"length": self.length}
    ...
    ...     def load_state_dict(self, state):
    ...         self.length = state["length"]
    """

    trainer: Trainer

    @property
    def name(self) -> str:
        """Name under which the state is saved: ``module:Class``."""
        return f"{type(self).__module__}:{type(self).__qualname__}"

    @property
    def complete(self) -> bool:
        """Whether the run may end now; the trainer asks after each step."""
        return False

    def on_update(self, metrics: dict[str, float]) -> None:
        """Receive the scalars of one call of `Agent.learn`.

        Args:
            metrics: what `Agent.learn` returned.
        """

    def on_episode(self, record: EpisodeRecord) -> None:
        """Receive an episode that has just ended."""

    def on_step(self, step: TrainingStep) -> None:
        """Receive one step of all environments, which the agent has already cached."""

    def on_evaluation(self, evaluation: EvaluationSummary, is_best: bool) -> None:
        """Receive an evaluation of the agent.

        Args:
            evaluation: its results.
            is_best: whether it is the best one of the run so far.
        """

    def on_end(self, error: RunError | None) -> None:
        """Evaluate or save at the end of the session. Not called if learning diverged.

        Args:
            error: why the run cannot continue; None if it is complete or was stopped.
        """

    def on_close(self) -> None:
        """Release resources. Called once, in reverse order, also after an exception."""

    def state_dict(self) -> dict[str, Any]:
        """Return what an exact resume needs: tensors, numbers, strings, lists and dicts."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned; the trainer's counters are restored already."""


def load_callback(reference: str) -> Callback:
    """Make the callback that ``--callback module:Class`` names.

    Raises:
        UsageError: there is no such class, it is not a `Callback`, or it needs arguments.
    """
    callback = load_class("--callback", reference, Callback)
    try:
        return callback()
    except TypeError as error:
        raise UsageError(f"--callback {reference}: {error}; it is made without arguments") from None
