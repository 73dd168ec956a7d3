"""Trains an agent: one call for a whole run, new or resumed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mario.config.run_config import TrainConfig
from mario.errors import UsageError
from mario.runs.run_folder import BEST, LAST, RunFolder
from mario.runs.train_config import check_same_run
from mario.system.signals import StopSignals
from mario.training.callbacks import Callback, load_callback
from mario.training.closing import STOP_LINES, abort_line, resume_command
from mario.training.session import Session

OpenSession = Callable[..., AbstractContextManager[Session]]
"""Opens a session from the arguments of `Session`."""


@dataclass(frozen=True)
class TrainingResult:
    """What a run has reached when `train` returns.

    Attributes:
        folder: folder of the run.
        steps: agent steps over all environments.
        episodes: finished episodes.
        complete: False if the run was stopped early; it can be resumed.
    """

    folder: Path
    steps: int
    episodes: int
    complete: bool

    @property
    def checkpoint(self) -> Path:
        """Checkpoint of the best agent by evaluation, or of the last one without evaluations."""
        best = self.folder / BEST
        return best if best.exists() else self.folder / LAST


def train(
    config: TrainConfig[Any],
    *,
    resume: Path | str | None = None,
    callbacks: Sequence[Callback] = (),
    stop: Callable[[], bool] | None = None,
    open_session: OpenSession = Session,
) -> TrainingResult:
    """Train an agent until the run is complete or stopped, and save the run.

    Args:
        config: configuration of the run, see `mario.runs.train_config.train_config`. Its
            ``callback`` names further callbacks.
        resume: folder of the run to resume; None for a new run.
        callbacks: called after those of the program, but before the run is saved.
        stop: polled after each step; True stops training early. None to stop at Ctrl-C (in a
            notebook: interrupt the kernel) or SIGTERM. A `StopSignals` prints `STOP_LINES`.
        open_session: opens the session; `mario.cluster.launch.cluster_session` for a configuration
            with a ``cluster``.

    Raises:
        UsageError: the run cannot be started or resumed with this configuration.
        RunError: the run cannot continue.
        Exception: code of the user raised it. A note says up to where the run is saved, as for
            a `RunError`.
    """
    if resume is not None:
        resume = Path(resume)
        check_same_run(config, resume)
    _check_callbacks(callbacks)
    if config.cluster is not None and open_session is Session:
        raise UsageError(
            f"cluster is {config.cluster!r}; give open_session=mario.cluster.launch.cluster_session"
        )
    callbacks = [*map(load_callback, config.callback), *callbacks]
    with ExitStack() as stack:
        if stop is None:
            stop = _stop_at_signals(stack)
        session = stack.enter_context(open_session(config, resume, stop=stop, callbacks=callbacks))
        if isinstance(stop, StopSignals):
            stop.lines = STOP_LINES._replace(aborted=partial(_describe_abort, session, config))
        try:
            session.train()
        except UsageError:
            raise
        except Exception as error:
            error.add_note(_describe_save(session.run, config))
            raise
        trainer = session.trainer
        return TrainingResult(
            session.run.path, trainer.steps, trainer.episodes, complete=trainer.complete
        )


def _describe_abort(session: Session, config: TrainConfig[Any]) -> str:
    """Return the line for a process that ends without saving."""
    return abort_line(session.run.path, session.saved_steps, config)


def _describe_save(run: RunFolder, config: TrainConfig[Any]) -> str:
    """Return up to where a run is saved, and how to go on."""
    checkpoint, _ = run.load_last()
    if checkpoint is None:
        return "the run stopped before its first save; start it again"
    steps = f"saved up to step {checkpoint['steps']:,}"
    return f"the run stopped, {steps}; continue it with: {resume_command(run.path, config)}"


def _check_callbacks(callbacks: Sequence[object]) -> None:
    """Check that all callbacks are objects of a subclass of `Callback`."""
    for callback in callbacks:
        if not isinstance(callback, Callback):
            raise UsageError(
                f"a callback must be an object of a subclass of mario.Callback, got {callback!r}"
            )


def _stop_at_signals(stack: ExitStack) -> Callable[[], bool]:
    """Return a function that tells whether a signal has arrived since this call."""
    if threading.current_thread() is not threading.main_thread():
        return lambda: False  # Python handles signals in its main thread only
    return stack.enter_context(StopSignals(STOP_LINES))
