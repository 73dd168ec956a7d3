"""Workload: the loop of the PyTorch tutorial on Mario, an independent reimplementation.

https://pytorch.org/tutorials/intermediate/mario_rl_tutorial.html: one environment in this
process, frames converted to grayscale and resized by torchvision in float32, a replay memory of
stacked pairs, and one pass of act, step, cache and learn per step. The game is this project's on
nes-py, which is not slower than gym-super-mario-bros.
"""

from __future__ import annotations

import copy
import tempfile
from collections import deque
from typing import Any

import numpy as np
import torch
from child import Work
from tensordict import TensorDict
from torch import Tensor, nn
from torchrl.data import LazyMemmapStorage, TensorDictReplayBuffer
from torchvision import transforms

from mario.games import make_game

GAMMA, BATCH, LEARN_EVERY, SYNC_EVERY = 0.9, 32, 3, 10_000
LEARNING_RATE, DECAY, LEAST = 2.5e-4, 0.99999975, 0.1
BURNIN = 300
"""Instead of 10,000, which would take minutes."""


class PreprocessedGame:
    """The game with the tutorial's preprocessing: float32 ``(4, 84, 84)`` in [0, 1]."""

    def __init__(self) -> None:
        self._game = make_game("SuperMarioBros-1-1-v0", actions="tutorial", emulator="nes-py")
        self._gray = transforms.Grayscale()
        self._small = transforms.Compose(
            [transforms.Resize((84, 84), antialias=True), transforms.Normalize(0, 255)]
        )
        self._stack: deque[Tensor] = deque(maxlen=4)

    def reset(self) -> Tensor:
        """Start an episode."""
        observation, _ = self._game.reset()
        self._stack.extend([self._preprocess(observation)] * 4)
        return torch.stack(tuple(self._stack))

    def step(self, action: int) -> tuple[Tensor, float, bool]:
        """Repeat an action for four frames; return observation, reward and done."""
        total, done = 0.0, False
        for _ in range(4):
            observation, reward, terminated, truncated, _ = self._game.step(action)
            total += float(reward)
            done = terminated or truncated
            if done:
                break
        self._stack.append(self._preprocess(observation))
        return torch.stack(tuple(self._stack)), total, done

    def _preprocess(self, observation: np.ndarray[Any, Any]) -> Tensor:
        picture = np.transpose(observation, (2, 0, 1))
        pixels = torch.tensor(picture.copy(), dtype=torch.float)
        small: Tensor = self._small(self._gray(pixels))
        return small.squeeze(0)


class Mario:
    """The tutorial's agent: an online network and a target network."""

    def __init__(self, actions: int, folder: str) -> None:
        self.online = nn.Sequential(
            nn.Conv2d(4, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(),
            nn.Conv2d(64, 64, 3, 1), nn.ReLU(), nn.Flatten(),
            nn.Linear(3136, 512), nn.ReLU(), nn.Linear(512, actions),
        )  # fmt: skip
        self.target = copy.deepcopy(self.online).requires_grad_(False)
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        self.online.to(self.device)
        self.target.to(self.device)
        self.actions, self.rate, self.curr_step = actions, 1.0, 0
        storage = LazyMemmapStorage(100_000, scratch_dir=folder)
        self.memory = TensorDictReplayBuffer(storage=storage)
        self.optimizer = torch.optim.Adam(self.online.parameters(), lr=LEARNING_RATE)
        self.loss = nn.SmoothL1Loss()
        self._generator = np.random.default_rng(0)

    def act(self, state: Tensor) -> int:
        """Choose an action epsilon-greedily."""
        if self._generator.random() < self.rate:
            action = int(self._generator.integers(self.actions))
        else:
            values = self.online(state.to(self.device).unsqueeze(0))
            action = int(values.argmax(dim=1).item())
        self.rate = max(LEAST, self.rate * DECAY)
        self.curr_step += 1
        return action

    def cache(
        self, state: Tensor, next_state: Tensor, action: int, reward: float, done: bool
    ) -> None:
        """Store a transition."""
        entry = {
            "state": state,
            "next_state": next_state,
            "action": torch.tensor([action]),
            "reward": torch.tensor([reward]),
            "done": torch.tensor([done]),
        }
        self.memory.add(TensorDict(entry, batch_size=[]))

    def learn(self) -> None:
        """Sync the target network and learn from a batch, each when it is due."""
        if self.curr_step % SYNC_EVERY == 0:
            self.target.load_state_dict(self.online.state_dict())
        if self.curr_step < BURNIN or self.curr_step % LEARN_EVERY:
            return
        batch = self.memory.sample(BATCH).to(self.device)
        rows = torch.arange(BATCH, device=self.device)
        values = self.online(batch["state"])[rows, batch["action"].squeeze()]
        with torch.no_grad():
            best = self.online(batch["next_state"]).argmax(dim=1)
            following = self.target(batch["next_state"])[rows, best]
            alive = 1 - batch["done"].squeeze().float()
            targets = batch["reward"].squeeze() + alive * GAMMA * following
        loss = self.loss(values, targets)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        loss.item()


def steps(learning: bool, threads: int | None = None) -> Work:
    """Steps before learning starts or while learning.

    Args:
        learning: Whether the agent learns.
        threads: Threads of torch; None for torch's default, as in the tutorial.
    """
    torch.set_num_threads(threads or torch.get_num_threads())
    game = PreprocessedGame()
    with tempfile.TemporaryDirectory() as folder:
        mario, state, waiting = Mario(2, folder), game.reset(), True
        while True:
            action = mario.act(state)
            next_state, reward, done = game.step(action)
            mario.cache(state, next_state, action, reward, done)
            if learning:
                mario.learn()
            state = game.reset() if done else next_state
            if waiting and learning and mario.curr_step < BURNIN:
                continue
            waiting = False
            yield {"steps": 1}
