"""A published checkpoint is small and as good, and its row says how to train it again."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
import torch
import yaml

from agents import DDQN, AgentSpec, DDQNConfig
from mario.commands.evaluate import evaluate
from mario.commands.train import read_flags
from mario.config.serialization import to_dict
from mario.errors import UsageError
from mario.runs.checkpoint import load, save
from mario.training.checkpointer import CONFIG_KEYS
from scripts.publish_checkpoint import (
    TABLE_HEADER,
    TABLE_RULE,
    insert_row,
    mean_is_lower,
    publish,
    training_command,
)

CHECKPOINTS = Path(__file__).resolve().parents[2] / "checkpoints"


def config_of(*arguments):
    config, _ = read_flags(arguments)
    return to_dict(config)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--seed", "3"],
        ["--preset", "tutorial", "--steps", "5000", "--hyper.gamma", "0.95", "--num-envs", "8"],
        ["--hyper.no-separate-target", "--wrappers.reward-clip", "2", "--evaluation.every", "7"],
        ["--game", "SuperMarioBros-1-2-v0", "--actions", '[["right"], ["right", "A"]]'],
    ],
)
def test_the_command_reproduces_the_configuration(arguments):
    config = config_of(*arguments)
    words = shlex.split(training_command(config))
    assert words[0] == "mario-train"
    assert config_of(*words[1:]) == config


def test_the_command_has_no_unnecessary_flags():
    config = config_of("--steps", "9", "--save-dir", "elsewhere", "--no-tensorboard")
    assert training_command(config) == (
        f"mario-train --preset={config['preset']} --agent=ddqn --game=SuperMarioBros-1-1-v0 "
        "--seed=0 --steps 9"
    )


def test_rows_are_sorted_and_the_row_of_the_same_agent_is_replaced():
    text = "# Agents\n\nFine ones.\n"
    for row in ("| b | 1 |", "| a | 1 |", "| b | 2 |"):
        text = insert_row(text, row)
    assert text.splitlines() == [
        "# Agents", "", "Fine ones.", "", TABLE_HEADER, TABLE_RULE, "| a | 1 |", "| b | 2 |",
    ]  # fmt: skip


def test_text_below_the_table_is_kept():
    text = "\n".join([TABLE_HEADER, TABLE_RULE, "| a | 1 |", "", "The end."])
    assert insert_row(text, "| b | 1 |").splitlines()[2:] == [
        "| a | 1 |",
        "| b | 1 |",
        "",
        "The end.",
    ]


def test_the_command_omits_settings_that_follow_from_the_number_of_steps():
    config = config_of("--preset", "atari-ppo2", "--steps", "5000000")
    assert config["hyper"]["schedule_steps"] == 5_000_000
    assert training_command(config).endswith("--seed=0 --steps 5000000")


@pytest.fixture
def run(tmp_path):
    """The folder of a run with an untrained agent."""
    folder = tmp_path / "run"
    folder.mkdir()
    config = config_of("--preset", "tutorial", "--steps", "9", "--hyper.hidden-size", "16")
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    hyper = DDQNConfig(**config["hyper"])
    spec = AgentSpec(state_shape=(4, 84, 84), num_actions=2, training=False)
    save(
        folder / "best.chkpt",
        {key: config[key] for key in CONFIG_KEYS}
        | {
            "format": 2, "model": DDQN.build(spec, hyper).policy_state_dict(),
            "exploration_rate": 0.1,
            "emulator": "native", "state_shape": [4, 84, 84], "num_actions": 2, "steps": 9,
            "episodes": 1, "versions": {}, "evaluation": None, "resume": {"steps": 9},
            "training": {"preset": "tutorial", "seconds": 1800.0, "hardware": "2 x Abacus"},
        },
    )  # fmt: skip
    return folder


def test_a_checkpoint_is_published_with_its_result_and_its_row(run, tmp_path, capsys):
    destination = tmp_path / "mario.chkpt"
    (tmp_path / "README.md").write_text("# Agents\n")
    assert publish([str(run / "best.chkpt"), str(destination), "--episodes", "2"]) == 0
    published, source = load(destination), load(run / "best.chkpt")
    assert "resume" not in published
    assert published["evaluation"]["episodes"] == 2
    assert published["model"].keys() == source["model"].keys()
    raw = torch.load(destination, weights_only=True)["model"]
    assert {tensor.dtype for tensor in raw.values()} == {torch.float16}
    row = (tmp_path / "README.md").read_text().splitlines()[-1]
    assert row == (
        "| [`mario.chkpt`](mario.chkpt) | SuperMarioBros-1-1-v0 | tutorial | 0 | 9 | 0.50 | "
        "2 x Abacus | 0 of 2 cleared (0.0% to 65.8%) | `mario-train --preset=tutorial --agent=ddqn "
        "--game=SuperMarioBros-1-1-v0 --seed=0 --steps 9 --hyper.hidden-size 16` |"
    )
    assert "float16: 2 of 2 episodes have the same actions" in capsys.readouterr().out


def test_random_actions_are_stated_in_the_row(run, tmp_path):
    (tmp_path / "README.md").touch()
    flags = ["--episodes", "1", "--epsilon", "0.5", "--float32"]
    publish([str(run / "best.chkpt"), str(tmp_path / "mario.chkpt"), *flags])
    assert "(0.0% to 79.3%), 50% random actions |" in (tmp_path / "README.md").read_text()
    assert load(tmp_path / "mario.chkpt")["evaluation"]["epsilon"] == 0.5


def test_mario_eval_reproduces_the_result_in_the_row(run, tmp_path, capsys):
    (tmp_path / "README.md").touch()
    published = str(tmp_path / "mario.chkpt")
    publish(
        [str(run / "best.chkpt"), published, "--episodes", "1", "--epsilon", "0.5", "--float32"]
    )
    capsys.readouterr()
    evaluate([published, "--episodes", "1", "--json"])
    summary = json.loads(capsys.readouterr().out)
    assert summary == load(tmp_path / "mario.chkpt")["evaluation"]


def test_a_mean_within_two_standard_errors_is_not_lower():
    scores = [20.0, 30.0, 25.0, 40.0, 10.0] * 20
    assert not mean_is_lower([score - 0.7 for score in scores], scores)
    assert mean_is_lower([score - 5 for score in scores], scores)
    assert not mean_is_lower([score + 5 for score in scores], scores)
    assert mean_is_lower([2.0], [3.0])
    assert not mean_is_lower([3.0], [3.0])


def test_a_folder_without_a_readme_is_refused(run, tmp_path):
    with pytest.raises(UsageError, match=r"there is no .*README.md for the table"):
        publish([str(run / "best.chkpt"), str(tmp_path / "mario.chkpt")])


def test_a_checkpoint_without_training_details_is_refused(run, tmp_path):
    checkpoint = load(run / "best.chkpt")
    del checkpoint["training"]
    (tmp_path / "README.md").touch()
    save(run / "old.chkpt", checkpoint)
    with pytest.raises(UsageError, match="does not say how it was trained"):
        publish([str(run / "old.chkpt"), str(tmp_path / "mario.chkpt")])


def test_an_agent_of_a_game_without_levels_is_published_with_its_score(run, tmp_path, capsys):
    checkpoint = load(run / "best.chkpt")
    config = yaml.safe_load((run / "config.yaml").read_text())
    for content in (checkpoint, config):
        content["game"], content["actions"] = "Tetris-v0", '[["NOOP"], ["A"]]'
    (run / "config.yaml").write_text(yaml.safe_dump(config))
    save(run / "best.chkpt", checkpoint)
    (tmp_path / "README.md").write_text("# Agents\n")
    assert publish([str(run / "best.chkpt"), str(tmp_path / "t.chkpt"), "--episodes", "1"]) == 0
    assert (
        "| mean score -20.0 in 1 episodes (-20.0 to -20.0) |"
        in (tmp_path / "README.md").read_text().splitlines()[-1]
    )


def test_an_agent_with_teachers_is_evaluated_in_their_games(run, tmp_path):
    (tmp_path / "README.md").touch()
    (run / "teachers").mkdir()
    for level in ("1-1", "1-4"):
        name = f"mario-{level}.chkpt"
        shutil.copyfile(CHECKPOINTS / name, run / "teachers" / name)
    flags = ["--episodes", "1", "--float32"]
    publish([str(run / "best.chkpt"), str(tmp_path / "all.chkpt"), *flags])
    assert "| 0 of 2 cleared (0.0% to 65.8%) in 2 games |" in (tmp_path / "README.md").read_text()
    assert load(tmp_path / "all.chkpt")["evaluation"]["game"] == "2 games"
