"""An agent of four methods in a user's own file gets the whole program."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mario.commands import evaluate, play, train
from mario.runs.checkpoint import load, save, to_float16
from mario.runs.trained_agent import load_agent

REPOSITORY = Path(__file__).resolve().parents[3]
AGENT = '''
import numpy as np
import torch
from tensordict import TensorDict
from agents import Agent

class Linear(Agent):
    """A linear softmax policy that learns from the latest step."""

    reported_metrics = ("loss",)

    def __init__(self, spec):
        super().__init__(spec)
        torch.manual_seed(spec.seed)
        self.network = torch.nn.Linear(int(np.prod(spec.state_shape)), spec.num_actions)
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-4)
        self.rng = np.random.default_rng(spec.seed)
        self.states = self.actions = self.rewards = None
        self.phase = "no update"

    def act(self, states):
        with torch.no_grad():
            logits = self.logits(torch.tensor(states)).numpy()
        if self.training:
            logits = logits + self.rng.gumbel(size=logits.shape)
        return logits.argmax(axis=1)

    def cache(self, transitions):
        self.states = torch.tensor(transitions.states)
        self.actions = torch.tensor(transitions.actions)
        self.rewards = torch.tensor(transitions.rewards)

    def recall(self):
        columns = {"state": self.states, "action": self.actions, "reward": self.rewards}
        return TensorDict(columns, [len(self.states)])

    def learn(self):
        batch = self.recall()  # fails if nothing is cached yet
        log_probs = self.logits(batch["state"]).log_softmax(1)
        chosen = log_probs.gather(1, batch["action"][:, None])[:, 0]
        loss = -(chosen * batch["reward"]).mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.phase = f"loss {loss.item()}"
        return {"loss": loss.item()}

    def logits(self, states):
        return self.network(states.flatten(1).float() / 255)
'''
KILLER = """
import os, signal
from mario import Callback

class Killer(Callback):
    def on_step(self, step):
        if "KILLED" in os.environ and self.trainer.steps == 60:
            self.trainer._callbacks[-1].save()
        if "KILLED" in os.environ and self.trainer.steps == 84:
            os.kill(os.getpid(), signal.SIGKILL)
"""
FLAGS = [
    "--agent", "linear_agent:Linear", "--callback", "killer_callback:Killer", "--num-envs", "2",
    "--steps", "120", "--evaluation.episodes", "2", "--log-every", "1", "--save-seconds", "3600",
    "--no-tensorboard",
]  # fmt: skip


def run(command, *arguments):
    """Call a command and return its exit code."""
    with pytest.raises(SystemExit) as exit_:
        command.main([str(argument) for argument in arguments])
    return exit_.value.code


def plain(state):
    """Return a state with lists of numbers in place of tensors."""
    if isinstance(state, dict):
        return {key: plain(value) for key, value in state.items()}
    if isinstance(state, list | tuple):
        return list(map(plain, state))
    return state.tolist() if isinstance(state, torch.Tensor) else state


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the agent's file."""
    folder = tmp_path_factory.mktemp("user")
    (folder / "linear_agent.py").write_text(AGENT)
    (folder / "killer_callback.py").write_text(KILLER)
    return folder


@pytest.fixture(scope="module")
def trained(folder):
    """The run folder of an uninterrupted run."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        assert run(train, *FLAGS, "--save-dir", folder / "whole") == 0
    finally:
        os.chdir(before)
    (run_folder,) = (folder / "whole").iterdir()
    return run_folder


@pytest.fixture(autouse=True)
def _in_folder(folder, monkeypatch):
    monkeypatch.chdir(folder)


def test_it_is_resumed_bit_for_bit_after_a_kill(folder, trained):
    command = [Path(sys.executable).with_name("mario-train"), *FLAGS]
    done = subprocess.run(
        [*command, "--save-dir", "killed"], capture_output=True, text=True, check=False,
        env=os.environ | {"KILLED": "1", "PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert done.returncode == -signal.SIGKILL, done.stderr
    (killed,) = (folder / "killed").iterdir()
    assert load(killed / "last.chkpt")["steps"] == 60
    own = ["--agent", "linear_agent:Linear", "--callback", "killer_callback:Killer"]
    assert run(train, "--resume", killed, *own) == 0
    whole, resumed = (load(path / "last.chkpt") for path in (trained, killed))
    for part in ("agent", "envs", "steps", "episodes"):
        assert plain(whole["resume"][part]) == plain(resumed["resume"][part])
    assert whole["resume"]["agent"]["phase"].startswith("loss ")


def test_it_is_evaluated_and_played_with_its_trained_weights(trained, tmp_path, capsys):
    model = load(trained / "last.chkpt")["model"]
    loaded = load_agent(trained / "last.chkpt", agent="linear_agent:Linear")
    env = loaded.make_env()
    agent = loaded.make_agent(env)
    env.close()
    assert torch.equal(agent.network.weight, model["weight"])
    fresh = type(agent)(agent.spec)
    assert not torch.equal(fresh.network.weight, model["weight"]), "it was trained"
    flags = ["--agent", "linear_agent:Linear", "--episodes", 1]
    save(tmp_path / "shipped.chkpt", to_float16(load(trained / "best.chkpt")))
    assert run(evaluate, tmp_path / "shipped.chkpt", *flags, "--json") == 0
    assert json.loads(capsys.readouterr().out)["episodes"] == 1
    video = tmp_path / "clip.gif"
    assert run(play, trained / "best.chkpt", *flags, "--record", video) == 0
    assert video.stat().st_size > 0


@pytest.mark.parametrize(
    ("line", "replacement", "message"),
    [
        (
            "self.network = torch", "self.rest = [1]; self.network = torch",
            "attribute rest of Wrong is a list, which is not saved; give it state_dict()",
        ),
        (
            "self.states = torch", "self.late = 3; self.states = torch",
            "attribute late of Wrong does not exist before the first step",
        ),
        (
            "self.states = torch", "self.phase = [3]; self.states = torch",
            "attribute phase of Wrong is a list, which is not saved",
        ),
        (
            'reported_metrics = ("loss",)',
            'reported_metrics = ("loss",); hidden = torch.nn.Linear(2, 2)',
            "Wrong.hidden is a module of the class, which is not saved; assign self.hidden in",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_saved_is_refused_in_one_line(folder, capfd, line, replacement, message):
    name = f"wrong_agent_{abs(hash(replacement))}"
    code = AGENT.replace("class Linear", "class Wrong").replace(line, replacement)
    (folder / f"{name}.py").write_text(code)
    flags = ["--agent", f"{name}:Wrong", "--save-dir", "wrong", "--evaluation.episodes", 0]
    assert run(train, *flags, "--steps", 60) == 2
    errors = capfd.readouterr().err
    assert errors.startswith("mario-train: error: ")
    assert message in errors
    assert errors.count("\n") == 1


def test_a_network_that_is_not_found_is_refused_in_one_line(folder, capfd):
    (folder / "hidden_agent.py").write_text(
        "from agents import Agent\nimport numpy as np, torch\n"
        "class Hidden(Agent):\n"
        "    def act(self, states): return np.zeros(len(states), np.int64)\n"
        "    def cache(self, transitions): pass\n"
        "    def recall(self): return None\n"
        "    def learn(self): return {'loss': 1.0, 'q': 1.0}\n"
    )
    flags = ["--agent", "hidden_agent:Hidden", "--save-dir", "wrong", "--evaluation.episodes", 0]
    assert run(train, *flags, "--steps", 60) == 2
    assert "Hidden learns, but none of its attributes is a module or a tensor" in (
        capfd.readouterr().err
    )
