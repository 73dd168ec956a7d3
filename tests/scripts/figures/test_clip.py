"""The clip of the README can be recorded from any checkpoint."""

from __future__ import annotations

import av
import pytest
import torch

from mario.errors import UsageError
from scripts.figures.clip import ClipFlags, record_clip


@pytest.fixture
def checkpoint(tmp_path):
    """A file as the tutorial's code writes it, with an untrained network."""
    network = torch.nn.Sequential(
        torch.nn.Conv2d(4, 32, 8, 4), torch.nn.ReLU(), torch.nn.Conv2d(32, 64, 4, 2),
        torch.nn.ReLU(), torch.nn.Conv2d(64, 64, 3, 1), torch.nn.ReLU(), torch.nn.Flatten(),
        torch.nn.Linear(3136, 512), torch.nn.ReLU(), torch.nn.Linear(512, 2),
    )  # fmt: skip
    weights = {
        f"{copy}.{name}": tensor
        for copy in ("online", "target")
        for name, tensor in network.state_dict().items()
    }
    torch.save({"model": weights, "exploration_rate": 0.1}, tmp_path / "old.chkpt")
    return tmp_path / "old.chkpt"


def test_a_clip_shows_game_and_panel_and_has_the_given_duration(checkpoint, tmp_path):
    clip = tmp_path / "clip.gif"
    record_clip(ClipFlags(clip, checkpoint=checkpoint, every=6, seconds=1.0))
    with av.open(str(clip)) as video:
        assert (video.streams.video[0].width, video.streams.video[0].height) == (853, 480)
        assert float(video.duration / av.time_base) == pytest.approx(1.0, abs=0.15)
        pictures = {frame.to_ndarray(format="rgb24").tobytes() for frame in video.decode(video=0)}
    assert 5 < len(pictures) <= 11


def test_a_missing_checkpoint_leaves_no_file(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        record_clip(ClipFlags(tmp_path / "clip.gif", checkpoint=tmp_path / "none.chkpt"))
    assert not list(tmp_path.iterdir())
