"""`mario-play` on the real game."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from agents.networks.q_network import QNetwork, without_target
from mario.commands.play import main
from mario.playback.video import VideoWriter
from mario.runs.checkpoint import FORMAT, save


def run(*arguments):
    """Call the command and return its exit code."""
    with pytest.raises(SystemExit) as exit_info:
        main([str(argument) for argument in arguments])
    return exit_info.value.code


def content(**changes):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = QNetwork((4, 84, 84), 2)
    with torch.no_grad():
        network.online_head[2].bias[0] += 100  # always walk right, into the first enemy
    base = {
        "format": FORMAT, "model": without_target(network.state_dict()), "exploration_rate": 0.1,
        "agent": "ddqn", "hyper": {}, "game": "SuperMarioBros-1-1-v0", "actions": "tutorial",
        "wrappers": {}, "start_curriculum": {}, "ending_reward": {}, "emulator": "nes-py",
        "state_shape": [4, 84, 84], "num_actions": 2, "steps": 10,
        "episodes": 1, "seed": 0, "versions": {},
    }  # fmt: skip
    return base | changes


@pytest.fixture
def checkpoint(tmp_path):
    save(tmp_path / "x.chkpt", content())
    return tmp_path / "x.chkpt"


def test_every_frame_of_an_episode_is_recorded(checkpoint, tmp_path, capsys):
    assert run(checkpoint, "--record", tmp_path / "clip.mp4", "--epsilon", 0.02) == 0
    line = capsys.readouterr().out.strip()
    assert line.startswith("Episode 1 - Reward ")
    length = int(line.split("Length ")[1].split()[0])
    with av.open(str(tmp_path / "clip.mp4")) as video:
        frames = [frame.to_ndarray(format="rgb24") for frame in video.decode(video=0)]
        seconds = float(video.duration / av.time_base)
    assert frames[0].shape == (720, 768, 3)
    # four frames per step, the first frame and up to 30 no-ops; the last step may be shorter
    assert 4 * length - 3 <= len(frames) <= 4 * length + 1 + 30
    assert seconds == pytest.approx(len(frames) / 60.0988, abs=0.1)
    assert np.std(frames[len(frames) // 2]) > 20, "the picture must show something"


def test_the_published_agent_clears_its_level(tmp_path, capsys):
    published = Path(__file__).parents[3] / "checkpoints" / "mario-1-1.chkpt"
    assert run(published, "--record", tmp_path / "clip.mp4", "--episodes", 2) == 0
    assert "Best X 3161 - Ended by flag" in capsys.readouterr().out


def test_each_seed_has_another_start(checkpoint, tmp_path):
    def length(seed: int, *flags: str) -> int:
        """Return the number of frames of an episode; its actions do not depend on the start."""
        video_file = tmp_path / f"{seed}.mp4"
        assert run(checkpoint, "--record", video_file, "--seed", seed, *flags) == 0
        with av.open(str(video_file)) as video:
            return sum(1 for _ in video.decode(video=0))

    assert len({length(seed) for seed in range(3)}) > 1
    assert len({length(seed, "--noop-max", "0") for seed in range(3)}) == 1


def test_a_recording_can_be_limited_and_says_what_was_written(checkpoint, tmp_path, capsys):
    video_file = tmp_path / "clip.mp4"
    assert run(checkpoint, "--record", video_file, "--max-seconds", 0.5) == 0
    with av.open(str(video_file)) as video:
        assert sum(1 for _ in video.decode(video=0)) == 31
    output = capsys.readouterr()
    assert output.out == "Episode 1 was not played to its end\n"
    assert output.err.splitlines() == [
        f"recording {video_file}; Ctrl-C stops and keeps what is recorded",
        f"wrote {video_file}: 0.5 s of the game",
    ]


def test_a_signal_keeps_what_is_recorded(checkpoint, tmp_path, capsys, monkeypatch):
    def write_and_stop(self, frame, write=VideoWriter.write):
        """Write a frame, then receive a signal as from Ctrl-C."""
        write(self, frame)
        os.kill(os.getpid(), signal.SIGINT)
        monkeypatch.setattr(VideoWriter, "write", write)

    monkeypatch.setattr(VideoWriter, "write", write_and_stop)
    assert run(checkpoint, "--record", tmp_path / "clip.mp4") == 130
    assert "clip.mp4: 0.0 s of the game" in capsys.readouterr().err
    assert (tmp_path / "clip.mp4").is_file()


def test_the_overlay_is_beside_the_game(checkpoint, tmp_path):
    video_file = tmp_path / "clip.mp4"
    assert run(checkpoint, "--record", video_file, "--overlay") == 0
    with av.open(str(video_file)) as video:
        first, *_, last = (frame.to_ndarray(format="rgb24") for frame in video.decode(video=0))
    assert first.shape == last.shape == (720, 1280, 3)
    blank = np.std(first[:, 800:], axis=(0, 1)).max()
    assert blank < 3, "the panel is empty before the first step"
    assert np.std(last[:, 800:]) > 20


def test_several_checkpoints_play_the_full_game(checkpoint, tmp_path, capsys):
    other = tmp_path / "y.chkpt"
    save(other, content(game="SuperMarioBros-1-2-v0"))
    assert run(checkpoint, other, "--record", tmp_path / "clip.mp4", "--epsilon", 0.2) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1-1: played by x.chkpt"
    assert lines[-1].startswith("Episode 1 - ")


def test_without_a_display_a_video_is_recorded_and_reported(
    checkpoint, tmp_path, monkeypatch, capsys
):
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    assert run(checkpoint) == 0
    assert "there is no display: recording x.mp4 instead" in capsys.readouterr().out
    assert (tmp_path / "x.mp4").stat().st_size > 1000


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"agent": "evil:Agent"}, "which may run any code; add --agent evil:Agent if you trust it"),
        ({"game": "evil:Game-v0"}, "which may run any code; add --game evil:Game-v0 if you trust"),
        ({"agent": "dqn"}, "unknown agent 'dqn'"),
        ({"hyper": {"gamma": "x"}}, "hyper.gamma cannot be 'x'"),
        ({"hyper": {"hidden_size": 3}}, "does not fit its agent"),
        ({"wrappers": {"skip": -1}}, "skip must be"),
        ({"wrappers": {"size": 64}}, "but its network gets (4, 84, 84)"),
        ({"num_actions": 9}, "weights have online_head.2.weight (2, 512), the network"),
        ({"game": "SuperMarioBros-9-9-v0"}, "unknown game"),
        ({"state_shape": ["x"]}, "but its network gets ('x',)"),
    ],
)
def test_a_checkpoint_that_cannot_play_is_refused_in_one_line(tmp_path, capsys, changes, message):
    save(tmp_path / "x.chkpt", content(**changes))
    assert run(tmp_path / "x.chkpt", "--record", tmp_path / "clip.mp4") == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "clip.mp4").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--epsilon", 2], "--epsilon must be between 0 and 1, got 2.0"),
        (["--max-seconds", -1], "--max-seconds must be above 0, got -1.0"),
        (["--episodes", 0], "--episodes must be at least 1, got 0"),
        (["--record", "clip.avi"], "clip.avi"),
        (["--record", "nowhere/clip.mp4"], "nowhere"),
        (["{folder}/x.chkpt"], "were both trained on SuperMarioBros-1-1-v0; give one of them"),
        (["--game", "CartPole-v1"], "does not accept actions; omit --actions"),
    ],
)
def test_a_usage_error_is_one_line_and_exits_with_2(checkpoint, capsys, arguments, message):
    folder = checkpoint.parent
    assert run(checkpoint, *(str(argument).format(folder=folder) for argument in arguments)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("mario-play: error: ")
    assert error.count("\n") == 1


def test_a_missing_checkpoint_argument_is_reported(capsys):
    assert run() == 2
    assert "give the path of a .chkpt file; see mario-play --help" in capsys.readouterr().err


def test_closing_the_pipe_of_the_help_text_prints_no_error():
    command = "from mario.commands.play import main; main(['--help'])"
    with subprocess.Popen(
        [sys.executable, "-c", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, error = process.communicate()
    assert error == b""
    assert process.returncode == 141
