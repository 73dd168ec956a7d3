"""Tests of the process settings."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import torch

from mario.system.tuning import tune_process

PRODUCT = "(torch.full((8,), 1e-38) * 0.1).count_nonzero().item()"


def test_denormal_floats_are_kept_by_default():
    output = subprocess.run(
        [sys.executable, "-c", f"import torch; print({PRODUCT})"], capture_output=True, check=True
    )
    assert output.stdout.strip() == b"8"


def test_denormal_floats_become_0_in_this_thread_and_in_new_ones():
    tune_process()
    assert eval(PRODUCT) == 0
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(eval, PRODUCT, {"torch": torch}).result() == 0


def test_torch_has_one_thread():
    tune_process()
    assert torch.get_num_threads() == 1
