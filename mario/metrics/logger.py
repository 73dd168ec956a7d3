"""What is known of a run while it trains: log, CSV, console line, plots and TensorBoard."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mario.metrics.episode_history import (
    REPORTS,
    EpisodeHistory,
    EpisodeRow,
    RunningMeans,
    columns_of,
    csv_line,
    read_rows,
)
from mario.metrics.log_format import log_header, log_row
from mario.metrics.plots import BackgroundPlots
from mario.metrics.writers import Board, RowFile, TensorBoard

EVALUATED = ("steps_trained", "seconds", "episodes", "clear_rate", "mean_return", "mean_x_pos")
"""Columns of ``evaluations.csv``: decisions so far, seconds of the run, and the figures."""


@dataclass(frozen=True)
class EpisodeRecord:
    """An episode that has just ended.

    Attributes:
        episode: its number in the run, from 1.
        step: decisions so far, over all games.
        game: which of the parallel games it was played in, from 0.
        reward: sum of the game's own rewards.
        length: decisions in it.
        best_x: how far right it came, in pixels; None in a game without such a thing.
        ending: why it ended, ``"flag"`` when it cleared the level.
        start_offset: Agent steps replayed before the episode began, 0 for an episode from the start
            of the game, negative for one on the farthest trajectory.
    """

    episode: int
    step: int
    game: int
    reward: float
    length: int
    best_x: float | None
    ending: str
    start_offset: int = 0


class MetricLogger:
    """Tells people and programs how a run is going.

    ``metrics.csv`` gets a row per episode, ``warnings.csv`` one per warning, ``evaluations.csv``
    one per evaluation; ``log``, the console and TensorBoard get one now and then, with means over
    the latest episodes. What cannot be written is told once, and the run goes on: no metric is
    worth a run.

    Args:
        folder: the run's folder.
        num_envs: how many games are played at a time.
        reported_metrics: names among what the agent's learning returns that get a column and a curve each.
        every_episodes: how many episodes there are from one row of ``log`` to the next.
        window: how many of the latest episodes a mean is taken over.
        console: prints a line.
        tensorboard: whether to write TensorBoard's event files.
        plot_seconds: the least time from one drawing of the plots to the next.
    """

    def __init__(
        self,
        folder: Path,
        num_envs: int,
        reported_metrics: Sequence[str] = REPORTS,
        *,
        every_episodes: int = 20,
        window: int = 100,
        console: Callable[[str], None] = print,
        tensorboard: bool = True,
        plot_seconds: float = 60,
    ) -> None:
        self._csv = RowFile(folder / "metrics.csv", csv_line(list(columns_of(reported_metrics))))
        self._log = RowFile(folder / "log", log_header(reported_metrics))
        self._warnings = RowFile(folder / "warnings.csv", csv_line(["step", "warning"]))
        self._evaluations = RowFile(folder / "evaluations.csv", csv_line(list(EVALUATED)))
        self._files = {
            "csv_bytes": self._csv,
            "log_bytes": self._log,
            "warnings_bytes": self._warnings,
            "evaluations_bytes": self._evaluations,
        }
        self._board = TensorBoard(folder) if tensorboard else Board()
        self._plots = BackgroundPlots(folder, window, plot_seconds)
        self._reports = reported_metrics
        self._console = console
        self._every_episodes = every_episodes
        self._history = EpisodeHistory(window, reported_metrics)
        self._tally = RunningMeans()
        self._episode_starts = [self._tally.mark() for _ in range(num_envs)]
        self._recorded = _Recorded(episode=-1, step=0, seconds=0.0, mark=self._tally.mark())
        self._start = time.monotonic()
        self._troubles: set[str] = set()

    @property
    def seconds(self) -> float:
        """How long the run has been going on, the time between two sessions left out."""
        return time.monotonic() - self._start

    def log_learning(self, scalars: dict[str, float]) -> None:
        """Count in one round of learning.

        Args:
            scalars: what `Agent.learn` returned.
        """
        self._tally.add(scalars)

    def log_episode(self, record: EpisodeRecord, epsilon: float = 0.0) -> None:
        """Take in a finished episode, and `record` if it is time to.

        Args:
            record: the episode.
            epsilon: share of actions that are random now, 0 for an agent that never explores.
        """
        learned = self._tally.means_since(self._episode_starts[record.game])
        before = self._history.last
        # one that learns seldom has no round in many an episode: what it last reported still holds
        latest = before.reported_metrics if before else dict.fromkeys(self._reports, 0.0)
        self._episode_starts[record.game] = self._tally.mark()
        row = EpisodeRow(
            episode=record.episode,
            step=record.step,
            game=record.game,
            reward=float(record.reward),
            length=record.length,
            reported_metrics={name: learned.get(name, latest[name]) for name in self._reports},
            epsilon=float(epsilon),
            best_x=None if record.best_x is None else float(record.best_x),
            ending=record.ending,
            seconds=round(self.seconds, 3),
            start_offset=record.start_offset,
        )
        self._history.add(row)
        with self._going_on("metrics.csv"):
            self._csv.append(row.to_csv())
        if (row.episode - 1) % self._every_episodes == 0:
            self.record(row.episode - 1, row.step, row.epsilon)

    def log_warning(self, step: int, text: str) -> None:
        """Tell what goes wrong, on the console and in ``warnings.csv``.

        Args:
            step: decisions so far.
            text: one line.
        """
        self._console(f"WARNING at decision {step:,}: {text}")
        with self._going_on("warnings.csv"):
            self._warnings.append(csv_line([step, text]))
            self._warnings.sync()

    def log_evaluation(self, figures: Mapping[str, Any]) -> None:
        """Keep the figures of an evaluation, in ``evaluations.csv``.

        Args:
            figures: `EVALUATED` among them, all but ``seconds``.
        """
        row = {**figures, "seconds": round(self.seconds, 3)}
        with self._going_on("evaluations.csv"):
            cells = [row[name] for name in EVALUATED]
            self._evaluations.append(csv_line(["" if cell is None else cell for cell in cells]))
            self._evaluations.sync()

    def record(self, episode: int, step: int, epsilon: float) -> None:
        """Tell of the latest episodes: a row of ``log``, a line, TensorBoard and the plots.

        Args:
            episode: number of the last episode, counted from 0 as the tutorial's log does.
            step: decisions so far, over all games.
            epsilon: share of actions that are random now.
        """
        seconds, before = self.seconds, self._recorded
        means, delta = self._history.means(), seconds - before.seconds
        rate = (step - before.step) / max(delta, 1e-9)
        learned = self._tally.means_since(before.mark)
        self._recorded = _Recorded(episode, step, seconds, self._tally.mark())
        with self._going_on("log"):
            self._log.append(log_row(episode, step, epsilon, means, delta))
        self._console(self._line(episode, step, epsilon, means, rate))
        with self._going_on("TensorBoard's files"):
            self._board.write(self._scalars(epsilon, means, learned, rate), step)
        with self._going_on("the plots"):
            self._plots.offer(self._history.columns)

    def state_dict(self) -> dict[str, Any]:
        """What going on exactly here needs beside the files themselves; they are made durable."""
        for file in (self._csv, self._log):
            with self._going_on(file.path.name):
                file.sync()
        return {
            **{name: file.size for name, file in self._files.items()},
            "seconds": self.seconds,
            "running_means": self._tally.mark(),
            "episode_starts": list(self._episode_starts),
            "recorded": vars(self._recorded).copy(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state_dict` was taken: rows written after it are taken back.

        Files that have lost rows since are gone on with as they are, and a line says so.
        """
        rows, damaged = read_rows(self._csv.restore(state["csv_bytes"]), self._reports)
        for name, file in self._files.items():
            if file is not self._csv:
                file.restore(state[name])
        for row in rows:
            self._history.add(row)
        self._tally.return_to(state["running_means"])
        self._episode_starts = list(state["episode_starts"])
        self._recorded = _Recorded(**state["recorded"])
        self._board.resume_after(self._recorded.step)
        self._start = time.monotonic() - state["seconds"]
        self._tell_losses({file: state[name] for name, file in self._files.items()}, damaged)

    def close(self) -> None:
        """Record the last episode, draw the plots a last time, and let go of the files."""
        last = self._history.last
        if last is not None and last.episode - 1 != self._recorded.episode:
            self.record(last.episode - 1, last.step, last.epsilon)
        with self._going_on("the plots"):
            self._plots.close(self._history.columns)
        with self._going_on("TensorBoard's files"):
            self._board.close()
        for file in self._files.values():
            file.close()

    def _line(
        self, episode: int, step: int, epsilon: float, means: dict[str, float], rate: float
    ) -> str:
        parts = [
            f"{episode + 1:,} episodes",
            f"{step:,} steps",
            f"{rate:,.0f} steps/s",
            f"epsilon {epsilon:.3f}",
            f"reward {means['reward']:,.1f}",
            f"length {means['length']:,.0f}",
            *(f"{name.replace('_', ' ')} {means[name]:.4g}" for name in self._reports),
        ]
        if self._history.best_x is not None:
            parts.append(f"cleared {self._history.clear_rate:.0%}")
            parts.append(f"best x {self._history.best_x:,.0f}")
        return " | ".join(parts)

    def _scalars(
        self, epsilon: float, means: dict[str, float], learned: dict[str, float], rate: float
    ) -> dict[str, float]:
        scalars = {
            "rollout/ep_rew_mean": means["reward"],
            "rollout/ep_len_mean": means["length"],
            "rollout/exploration_rate": epsilon,
            "time/fps": rate,
        }
        if self._history.best_x is not None:
            scalars["rollout/clear_rate"] = self._history.clear_rate
            scalars["rollout/best_x"] = self._history.best_x
        scalars |= {f"train/{name}": mean for name, mean in learned.items()}
        return scalars | {f"ending/{why}": x for why, x in self._history.ending().items()}

    def _tell_losses(self, saved_sizes: dict[RowFile, int], damaged: int) -> None:
        losses = [
            f"{file.path.name} lacks {size - file.size} bytes"
            for file, size in saved_sizes.items()
            if file.size < size
        ]
        if damaged:
            losses.append(f"metrics.csv has {damaged} damaged rows, left out of the means")
        if losses:
            self._console(f"{'; '.join(losses)}; going on with what there is")

    @contextmanager
    def _going_on(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if what not in self._troubles:
                self._console(f"cannot write {what}: {error}; training goes on without it")
            self._troubles.add(what)


@dataclass(frozen=True)
class _Recorded:
    """The moment of the last row of ``log``."""

    episode: int
    step: int
    seconds: float
    mark: dict[str, list[float]]
