"""Errors of TensorBoard's thread reach the writer, and are not printed as a traceback."""

from __future__ import annotations

import threading

import pytest

from mario.metrics.tensorboard_thread import hide_writer_errors


class WriterThread(threading.Thread):
    __module__ = "tensorboard.summary.writer.event_file_writer"

    def __init__(self, error):
        super().__init__()
        self.error = error

    def run(self):
        raise self.error


@pytest.mark.parametrize(
    ("error", "printed"), [(OSError(28, "No space left"), False), (ValueError("a bug"), True)]
)
def test_only_the_error_of_a_full_disk_is_hidden(monkeypatch, error, printed):
    received = []
    monkeypatch.setattr(threading, "excepthook", received.append)
    hide_writer_errors.__wrapped__()
    thread = WriterThread(error)
    thread.start()
    thread.join()
    assert bool(received) == printed
