"""A resumed logger writes the same as one that was never interrupted."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from clock import Clock
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mario.metrics import logger as metrics
from mario.metrics.episode_rows import EpisodeRecord
from mario.metrics.logger import MetricLogger

Script = list[tuple[str, int, float]]


def replay(logger: MetricLogger, clock: Clock, script: Script, start: int, end: int) -> None:
    """Log a part of a script of learning rounds and finished episodes."""
    for index, (kind, env, number) in enumerate(script[start:end], start):
        clock.now += 1.0
        if kind == "learn":
            logger.log_update({"loss": number, "q": 2 * number})
        else:
            done = sum(kind == "end" for kind, _, _ in script[: index + 1])
            episode = EpisodeRecord(
                done, 10 * index, env, reward=number, length=200, best_x=800.0, ending="death"
            )
            logger.log_episode(episode, number / 10)


def without_dates(log: Path) -> list[str]:
    return [line[:-20] for line in log.read_text().splitlines()] if log.exists() else []


events = st.tuples(
    st.sampled_from(["learn", "end"]), st.integers(0, 2), st.floats(0, 10, allow_nan=False)
)
TWO_EPISODES = [("learn", 0, 1.0), ("end", 0, 5.0), ("learn", 0, 3.0), ("end", 0, 6.0)]


@settings(max_examples=40, deadline=None)
@given(
    script=st.lists(events, min_size=2, max_size=30),
    saved=st.integers(0, 30),
    lost=st.integers(0, 5),
)
@example(script=TWO_EPISODES, saved=3, lost=1)
def test_a_resumed_run_writes_the_same_as_an_uninterrupted_one(
    script, saved, lost, tmp_path_factory
):
    length = len(script)
    saved = min(saved, length)
    killed = min(saved + lost, length)
    clock, lines = Clock(1000.0), []
    folders = [tmp_path_factory.mktemp("run") for _ in range(2)]

    def logger(folder: Path) -> MetricLogger:
        return MetricLogger(
            folder, 3, every_episodes=3, window=4, console=lines.append, tensorboard=False,
            plot_seconds=3600,
        )  # fmt: skip

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(metrics, "time", clock)
        patch.setattr("mario.metrics.plots.draw_all", lambda *_: None)
        whole = logger(folders[0])
        replay(whole, clock, script, 0, length)
        whole.close()
        expected = list(lines)
        lines.clear()
        before = logger(folders[1])
        replay(before, clock, script, 0, saved)
        torch.save(before.state_dict(), folders[1] / "state")
        kept = len(lines)
        replay(before, clock, script, saved, killed)
        before.close()
        del lines[kept:]
        clock.now += 12_345
        after = logger(folders[1])
        after.load_state_dict(torch.load(folders[1] / "state", weights_only=True))
        replay(after, clock, script, saved, length)
        after.close()

    assert lines == expected
    if any(kind == "end" for kind, _, _ in script):
        expected_rows, written_rows = ((folder / "metrics.csv").read_text() for folder in folders)
        assert written_rows == expected_rows
        assert without_dates(folders[1] / "log") == without_dates(folders[0] / "log")
