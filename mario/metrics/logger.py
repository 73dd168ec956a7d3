"""Writes the metrics of a run: log, CSV files, console lines, plots and TensorBoard."""

from __future__ import annotations

import csv
import io
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mario.metrics.episode_history import EpisodeHistory
from mario.metrics.episode_rows import (
    TUTORIAL_METRICS,
    EpisodeRecord,
    EpisodeRow,
    columns_of,
    read_rows,
)
from mario.metrics.log_format import log_header, log_row
from mario.metrics.plots import BackgroundPlots
from mario.metrics.running_means import Mark, RunningMeans
from mario.metrics.training_summary import TrainingSummary
from mario.metrics.writers import AppendOnlyFile, CsvFile, NullWriter, TensorBoardWriter

EVALUATION_COLUMNS = (
    "steps_trained", "seconds", "episodes", "clear_rate", "mean_return", "mean_x_pos"
)  # fmt: skip
"""Columns of ``evaluations.csv``."""
EVALUATION_SCALARS = ("clear_rate", "mean_return", "mean_x_pos")
"""The columns that TensorBoard shows, tagged ``evaluation/<name>``."""


class MetricLogger:
    """Writes the metrics of a run.

    ``metrics.csv`` gets a row per episode, ``warnings.csv`` one per warning and ``evaluations.csv``
    one per evaluation. ``log``, the console and TensorBoard get a summary of the latest episodes
    every ``every_episodes`` episodes. A write that fails is reported once and does not stop the
    run.

    Args:
        folder: the run's folder.
        num_envs: number of environments.
        metrics: names of the training metrics; each gets a column and a plot.
        every_episodes: episodes between two summaries.
        window: number of most recent episodes in each mean.
        console: prints a line.
        tensorboard: whether to write TensorBoard event files.
        plot_seconds: minimum time in seconds before the plots are drawn again.
    """

    def __init__(
        self,
        folder: Path,
        num_envs: int,
        metrics: Sequence[str] = TUTORIAL_METRICS,
        *,
        every_episodes: int = 20,
        window: int = 100,
        console: Callable[[str], None] = print,
        tensorboard: bool = True,
        plot_seconds: float = 60,
    ) -> None:
        self._metrics, self._every_episodes, self._console = metrics, every_episodes, console
        self._csv = CsvFile(folder / "metrics.csv", columns_of(metrics))
        self._log = AppendOnlyFile(folder / "log", log_header(metrics))
        self._warnings = CsvFile(folder / "warnings.csv", ("step", "warning"))
        self._evaluations = CsvFile(folder / "evaluations.csv", EVALUATION_COLUMNS)
        self._files = (self._csv, self._log, self._warnings, self._evaluations)
        self._writer = TensorBoardWriter(folder) if tensorboard else NullWriter()
        self._plots = BackgroundPlots(folder, window, plot_seconds)
        self._history, self._means = EpisodeHistory(window, metrics), RunningMeans()
        self._episode_starts = [self._means.mark() for _ in range(num_envs)]
        self._last_summary = _SummaryPoint(-1, step=0, seconds=0.0, mark=self._means.mark())
        self._start = time.monotonic()
        self._reported_errors: set[str] = set()

    @property
    def seconds(self) -> float:
        """Duration of the run in seconds, without the time between sessions."""
        return time.monotonic() - self._start

    def log_update(self, metrics: Mapping[str, float]) -> None:
        """Add the scalars of one call of `Agent.learn`.

        Args:
            metrics: what `Agent.learn` returned.
        """
        self._means.add(metrics)

    def log_episode(self, record: EpisodeRecord, epsilon: float = 0.0) -> None:
        """Add a finished episode, and write a summary if one is due.

        Args:
            record: the episode.
            epsilon: current exploration rate.
        """
        means = self._means.means_since(self._episode_starts[record.env])
        last = self._history.last
        # An agent that rarely learns has no update in many episodes; these repeat the last metrics.
        latest = last.metrics if last else dict.fromkeys(self._metrics, math.nan)
        self._episode_starts[record.env] = self._means.mark()
        fields = vars(record) | {
            "reward": float(record.reward),
            "best_x": None if record.best_x is None else float(record.best_x),
        }
        row = EpisodeRow(
            **fields,
            metrics={name: means.get(name, latest[name]) for name in self._metrics},
            epsilon=float(epsilon),
            seconds=round(self.seconds, 3),
        )
        self._history.add(row)
        with self._tolerate_errors("metrics.csv"):
            self._csv.append_row(row.cells())
        if (row.episode - 1) % self._every_episodes == 0:
            self._log_summary(row)

    def log_warning(self, step: int, text: str) -> None:
        """Write a warning to the console and to ``warnings.csv``.

        Args:
            step: agent steps so far.
            text: one line.
        """
        self._console(f"WARNING at step {step:,}: {text}")
        with self._tolerate_errors("warnings.csv"):
            self._warnings.append_row({"step": step, "warning": text})
            self._warnings.sync()

    def log_evaluation(self, results: Mapping[str, Any]) -> None:
        """Write the results of an evaluation to ``evaluations.csv`` and TensorBoard.

        Args:
            results: a value for each of `EVALUATION_COLUMNS` except ``seconds``.
        """
        with self._tolerate_errors("evaluations.csv"):
            self._evaluations.append_row({**results, "seconds": round(self.seconds, 3)})
            self._evaluations.sync()
        self._write_evaluation(results)

    def log_images(self, draw: Callable[[], Mapping[str, Any]], step: int) -> None:
        """Write images to TensorBoard.

        Args:
            draw: returns the images, see `mario.metrics.writers.MetricWriter.write_images`. An
                exception in it does not stop the run.
            step: agent steps so far.
        """
        with self._tolerate_errors("images to TensorBoard"):
            self._writer.write_images(draw(), step)

    def state_dict(self) -> dict[str, Any]:
        """Flush the files to disk and return the other state that an exact resume needs."""
        for file in (self._csv, self._log):
            with self._tolerate_errors(file.path.name):
                file.sync()
        return {
            "file_sizes": {file.path.name: file.size for file in self._files},
            "file_checksums": {file.path.name: file.checksum for file in self._files},
            "seconds": self.seconds,
            "running_means": self._means.mark(),
            "episode_starts": list(self._episode_starts),
            "last_summary": vars(self._last_summary).copy(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned, and remove the rows that were written later.

        If files have lost rows, this is reported in one line, and the run continues with the
        remaining rows.
        """
        sizes, checksums = state["file_sizes"], state["file_checksums"]
        contents = {
            file: file.restore(sizes[file.path.name], checksums[file.path.name])
            for file in self._files
        }
        rows, damaged = read_rows(contents[self._csv], self._metrics)
        for row in rows:
            self._history.add(row)
        self._means.restore(state["running_means"])
        self._episode_starts = list(state["episode_starts"])
        self._last_summary = _SummaryPoint(**state["last_summary"])
        self._start = time.monotonic() - state["seconds"]
        self._resume_writer(contents[self._evaluations])
        self._report_losses(sizes, damaged)

    def close(self) -> None:
        """Write a last summary, draw the plots and close the files."""
        last = self._history.last
        if last is not None and last.episode - 1 != self._last_summary.episode:
            self._log_summary(last)
        with self._tolerate_errors("the plots"):
            self._plots.close(self._history.columns)
        with self._tolerate_errors("TensorBoard's files"):
            self._writer.close()
        for file in self._files:
            file.close()

    def _log_summary(self, row: EpisodeRow) -> None:
        """Write a row of ``log``, a console line and TensorBoard scalars; redraw the plots."""
        seconds, last = self.seconds, self._last_summary
        elapsed = seconds - last.seconds
        summary = TrainingSummary(
            self._history, row.step, row.epsilon,
            steps_per_second=(row.step - last.step) / max(elapsed, 1e-9),
            update_means=self._means.means_since(last.mark), known_metrics=self._means.mark(),
        )  # fmt: skip
        episode = row.episode - 1  # the tutorial's log counts from 0
        self._last_summary = _SummaryPoint(episode, row.step, seconds, self._means.mark())
        with self._tolerate_errors("log"):
            means = self._history.means()
            self._log.append(log_row(episode, row.step, row.epsilon, means, elapsed))
        self._console(summary.console_line(row.episode))
        with self._tolerate_errors("TensorBoard's files"):
            self._writer.write(summary.scalars(), row.step)
        with self._tolerate_errors("the plots"):
            self._plots.offer(self._history.columns)

    def _write_evaluation(self, results: Mapping[str, Any]) -> None:
        with self._tolerate_errors("TensorBoard's files"):
            scalars = {
                f"evaluation/{name}": float(results[name])
                for name in EVALUATION_SCALARS
                if results[name] is not None
            }
            self._writer.write(scalars, int(results["steps_trained"]))

    def _resume_writer(self, evaluations: str) -> None:
        """Discard the scalars after the last summary, and write later evaluations again."""
        self._writer.resume_after(self._last_summary.step)
        with self._tolerate_errors("earlier evaluations to TensorBoard"):
            for cells in csv.DictReader(io.StringIO(evaluations)):
                step = cells["steps_trained"] or ""
                # a damaged file, which is reported elsewhere, may hold other text
                if step.isdecimal() and int(step) > self._last_summary.step:
                    self._write_evaluation({name: cell or None for name, cell in cells.items()})

    def _report_losses(self, sizes: dict[str, int], damaged: int) -> None:
        losses = [file.damage for file in self._files if file.damage]
        losses += [
            f"{file.path.name} lacks {sizes[file.path.name] - file.size} bytes"
            for file in self._files
            if not file.damage and file.size < sizes[file.path.name]
        ]
        if damaged:
            losses.append(f"metrics.csv has {damaged} damaged rows, which the means leave out")
        if losses:
            self._console(f"{'; '.join(losses)}; the run continues without them")

    @contextmanager
    def _tolerate_errors(self, target: str) -> Iterator[None]:
        """Report the first error of each target, so that a failed write does not stop the run."""
        try:
            yield
        except Exception as error:
            if target not in self._reported_errors:
                self._console(f"cannot write {target}: {error}; training continues without it")
            self._reported_errors.add(target)


@dataclass(frozen=True)
class _SummaryPoint:
    """When the last summary was written; ``episode`` counts from 0."""

    episode: int
    step: int
    seconds: float
    mark: Mark
