"""The line about the state of a cluster."""

from __future__ import annotations

from mario.metrics.batch_log import BatchLog


def test_a_line_covers_the_batches_since_the_last_one_and_is_rare():
    now, lines = [0.0], []
    log = BatchLog(4, lines.append, every=10, clock=lambda: now[0])
    log.add(100, [1.0, 3.0])
    now[0] = 5.0
    log.write(2, workers=4, nbytes=10**6)
    assert lines == []
    now[0] = 10.0
    log.write(5, workers=3, nbytes=20 * 10**6, age=1.5)
    assert lines == [
        "Batch 5 - Seconds per Batch 2.000 - Mean Reward 2.0 - Workers 3/4 - Weight Age 1.5 - "
        "Steps/s 10 - MB/s 2.0"
    ]
    now[0] = 30.0
    log.write(5, workers=3, nbytes=20 * 10**6)
    assert len(lines) == 1, "there is no new batch"


def test_without_an_episode_there_is_no_mean_reward():
    now, lines = [0.0], []
    log = BatchLog(1, lines.append, every=1, clock=lambda: now[0])
    now[0] = 1.0
    log.write(1, workers=1, nbytes=0)
    assert "Mean Reward none yet" in lines[0]
