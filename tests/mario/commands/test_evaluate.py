"""`mario-eval` end to end, on the real game."""

from __future__ import annotations

import json
import re

import pytest
import torch

from agents import DDQN, AgentSpec, DDQNConfig
from mario.commands.evaluate import main


def run(*arguments):
    """Run the command and return its exit code."""
    with pytest.raises(SystemExit) as exit_info:
        main([str(argument) for argument in arguments])
    return exit_info.value.code


def tutorial_file(path, num_actions=2):
    """Write a checkpoint like the PyTorch tutorial's code, and return its untrained network."""
    network = torch.nn.Sequential(
        torch.nn.Conv2d(4, 32, 8, 4), torch.nn.ReLU(), torch.nn.Conv2d(32, 64, 4, 2),
        torch.nn.ReLU(), torch.nn.Conv2d(64, 64, 3, 1), torch.nn.ReLU(), torch.nn.Flatten(),
        torch.nn.Linear(3136, 512), torch.nn.ReLU(), torch.nn.Linear(512, num_actions),
    )  # fmt: skip
    weights = {
        f"{copy}.{name}": tensor
        for copy in ("online", "target")
        for name, tensor in network.state_dict().items()
    }
    torch.save({"model": weights, "exploration_rate": 0.1}, path)
    return network


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "tutorial.chkpt"
    tutorial_file(path)
    return path


def test_json_output_is_one_object_with_the_documented_keys(checkpoint, capsys):
    assert run(checkpoint, "--episodes", 2, "--json", "--seed", 5) == 0
    captured = capsys.readouterr()
    summary = json.loads(captured.out)
    assert list(summary) == [
        "game", "episodes", "distinct_episodes", "crashed_episodes", "clear_rate",
        "clear_rate_ci95", "mean_return", "mean_return_ci95", "mean_x_pos", "max_x_pos",
        "median_steps_to_clear", "deaths",
        "steps_trained",
        "emulator", "seed", "epsilon", "repeat_action_probability",
    ]  # fmt: skip
    assert summary["game"] == "SuperMarioBros-1-1-v0"
    assert (summary["episodes"], summary["seed"]) == (2, 5)
    assert summary["clear_rate"] == 0
    assert 40 <= summary["mean_x_pos"] <= summary["max_x_pos"] <= 3200
    assert len(summary["deaths"]) <= 2
    assert captured.err == ""


def test_the_same_seed_gives_the_same_statistics(checkpoint, capsys):
    outputs = []
    for _ in range(2):
        run(checkpoint, "--episodes", 2, "--json", "--num-envs", 2)
        outputs.append(capsys.readouterr().out)
    assert outputs[0] == outputs[1]


def test_the_default_output_is_a_table(checkpoint, capsys):
    assert run(checkpoint, "--episodes", 1) == 0
    text = capsys.readouterr().out
    assert "Ended by" in text
    assert "clear rate  0.0% (95 % interval 0.0% to 79.3%)" in text


def test_the_table_states_the_noise_of_the_actions(checkpoint, capsys):
    noise = ["--epsilon", 0.25, "--repeat-action-probability", 0.5]
    assert run(checkpoint, "--episodes", 1, *noise) == 0
    table = capsys.readouterr().out
    assert "random actions  25.0%" in table
    assert "sticky actions  50.0% of the frames" in table


def test_figures_in_the_table_are_rounded(checkpoint, capsys):
    assert run(checkpoint, "--episodes", 3) == 0
    table = capsys.readouterr().out
    assert re.search(r"mean x  \d+\n", table)
    assert re.search(r"distinct episodes  \d \(the sample size of the intervals\)\n", table)


def test_results_do_not_depend_on_the_number_of_environments(checkpoint, capsys):
    outputs = []
    for num_envs in (1, 4):
        flags = ["--epsilon", 0.3, "--repeat-action-probability", 0.25, "--num-envs", num_envs]
        assert run(checkpoint, "--episodes", 4, "--json", *flags) == 0
        summary = json.loads(capsys.readouterr().out)
        outputs.append(summary | {"deaths": sorted(summary["deaths"])})
    assert outputs[0] == outputs[1]
    assert outputs[0]["distinct_episodes"] == 4


def test_the_greedy_or_the_sampled_policy_can_be_chosen(capsys):
    returns = []
    for policy in ("greedy", "sampled"):
        flags = ["--policy", policy, "--episodes", 1, "--num-envs", 1, "--noop-max", 0, "--json"]
        assert run("checkpoints/pong-reinforce.chkpt", "--epsilon", 0, *flags) == 0
        returns.append(json.loads(capsys.readouterr().out)["mean_return"])
    assert returns[0] != returns[1]


def test_an_agent_without_probabilities_has_no_sampled_policy(checkpoint, capsys):
    assert run(checkpoint, "--policy", "sampled") == 2
    assert "ddqn has no probabilities to draw from; use --epsilon" in capsys.readouterr().err


def test_a_map_is_written_and_json_stays_one_line(checkpoint, tmp_path, capsys):
    assert run(checkpoint, "--episodes", 1, "--map", tmp_path / "map.png", "--json") == 0
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")
    assert len(capsys.readouterr().out.splitlines()) == 1
    assert run(checkpoint, "--episodes", 1, "--map", tmp_path / "map.png") == 0
    assert f"map  {tmp_path / 'map.png'}\n" in capsys.readouterr().out


def test_figures_are_written_as_images(checkpoint, tmp_path, capsys):
    assert run(checkpoint, "--episodes", 1, "--figures", tmp_path / "new", "--json") == 0
    names = {path.name for path in (tmp_path / "new").iterdir()}
    assert names == {"observations.png", "filters.png", "feature_maps.png"}
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.chkpt"], "checkpoint nowhere.chkpt does not exist; give the path"),
        ([], "missing required checkpoint"),
        (["{file}", "--episodes", 0], "--episodes must be at least 1, got 0"),
        (["{file}", "--noop-max", -1], "--noop-max must be at least 0, got -1"),
        (["{file}", "--epsilon", 1.5], "--epsilon must be between 0 and 1, got 1.5"),
        (["{file}", "--num-envs", 0], "--num-envs must be at least 1, got 0"),
        (["{file}", "--map", "m.jpg"], "--map m.jpg must be a .png file; use m.png"),
        (
            ["{file}", "--map", "no/m.png"],
            "--map no/m.png: folder no does not exist; create it first",
        ),
        (
            ["{file}", "--map", "m.png", "--game", "Tetris-v0"],
            "Super Mario Bros. only, not of Tetris",
        ),
        (["{file}", "--figures", "{file}"], "is a file; give a folder"),
        (["{file}", "--game", "Pong"], "unknown game 'Pong'"),
        (["{file}", "--game", "ALE/Pong-v5"], "unknown action set 'tutorial'"),
        (["{file}", "--game", "CartPole-v1"], "does not accept actions; omit --actions"),
        (["{file}", "--device", "mps"], "--device mps: torch finds no such GPU; use --device cpu"),
        (
            ["checkpoints/pong-ppo.chkpt", "--game", "SuperMarioBros-1-1-v0"],
            "do not fit SuperMarioBros-1-1-v0: fire_reset needs a fire button",
        ),
    ],
)
def test_a_usage_error_prints_one_line_and_exits_with_2(checkpoint, capsys, arguments, message):
    assert run(*(str(argument).format(file=checkpoint) for argument in arguments)) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("mario-eval: error: ")
    assert error.count("\n") == 1


def test_a_tutorial_file_with_an_unknown_number_of_actions_is_refused(tmp_path, capsys):
    tutorial_file(tmp_path / "t.chkpt", num_actions=3)
    assert run(tmp_path / "t.chkpt") == 2
    assert "has 3 actions, but the known action sets have 2, 5, 7, 12" in capsys.readouterr().err


def test_a_tutorial_file_acts_like_its_own_network(tmp_path):
    network = tutorial_file(tmp_path / "t.chkpt")
    spec = AgentSpec(state_shape=(4, 84, 84), num_actions=2, training=False)
    agent = DDQN.build(spec, DDQNConfig(separate_target=True))
    agent.load_policy_state_dict(torch.load(tmp_path / "t.chkpt", weights_only=True)["model"])
    states = torch.randint(0, 256, (64, 4, 84, 84), dtype=torch.uint8)
    expected = network(states.float() / 255).argmax(1).tolist()
    assert agent.act(states.numpy()).tolist() == expected
