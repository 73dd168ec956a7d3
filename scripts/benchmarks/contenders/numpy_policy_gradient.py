"""Workload: "Pong from Pixels" in NumPy, an independent reference implementation.

http://karpathy.github.io/2016/05/31/rl/ as in NumPy's tutorial: one environment, a 6400-200-1
network, two matrix products per step, and an RMSProp update every ten episodes.
"""

from __future__ import annotations

import itertools
from typing import Any

import ale_py
import gymnasium as gym
import numpy as np
from child import Work
from numpy.typing import NDArray

PIXELS, HIDDEN, BATCH = 80 * 80, 200, 10
GAMMA, LEARNING_RATE, DECAY, EPSILON = 0.99, 1e-4, 0.99, 1e-5
UP, DOWN = 2, 3

Weights = dict[str, NDArray[np.float64]]


def preprocess(screen: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return paddles and ball as ones and everything else as zeros, ``(6400,)``."""
    field = screen[35:195:2, ::2, 0].copy()
    field[(field == 144) | (field == 109)] = 0
    field[field != 0] = 1
    return field.astype(np.float64).ravel()


def discounted(rewards: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the discounted return of each step, reset at each reward."""
    returns, running = np.zeros_like(rewards), 0.0
    for step in reversed(range(len(rewards))):
        running = rewards[step] if rewards[step] else running * GAMMA
        returns[step] = running
    return returns


def gradient(model: Weights, steps: list[tuple[Any, ...]]) -> Weights:
    """Return the gradient of an episode of ``(pixels, features, error, reward)`` steps."""
    pixels, features, errors, rewards = (np.array(column) for column in zip(*steps, strict=True))
    returns = discounted(rewards)
    returns = (returns - returns.mean()) / returns.std()
    errors = errors * returns
    hidden = np.outer(errors, model["second"])
    hidden[features <= 0] = 0
    return {"first": hidden.T @ pixels, "second": features.T @ errors}


def make_model(generator: np.random.Generator) -> Weights:
    """Return random weights."""
    return {
        "first": generator.standard_normal((HIDDEN, PIXELS)) / np.sqrt(PIXELS),
        "second": generator.standard_normal(HIDDEN) / np.sqrt(HIDDEN),
    }


def make_pong() -> gym.Env[Any, Any]:
    """Return the game."""
    gym.register_envs(ale_py)
    return gym.make("ALE/Pong-v5")


def play_episode(
    model: Weights, env: gym.Env[Any, Any], generator: np.random.Generator, seed: int
) -> tuple[Weights, int]:
    """Play an episode; return its gradient and its number of steps."""
    screen, _ = env.reset(seed=seed)
    last, steps, done = np.zeros(PIXELS), [], False
    while not done:
        now = preprocess(screen)
        change, last = now - last, now
        features = np.maximum(model["first"] @ change, 0)
        probability = 1 / (1 + np.exp(-(model["second"] @ features)))
        up = generator.random() < probability
        screen, reward, terminated, truncated, _ = env.step(UP if up else DOWN)
        done = terminated or truncated
        steps.append((change, features, float(up) - probability, float(reward)))
    return gradient(model, steps), len(steps)


class RMSProp:
    """Adds gradients up and updates the weights with them.

    Args:
        model: The weights, which are changed in place.
    """

    def __init__(self, model: Weights) -> None:
        self._model = model
        self._sums = {name: np.zeros_like(weights) for name, weights in model.items()}
        self._squares = {name: np.zeros_like(weights) for name, weights in model.items()}

    def add(self, gradient: Weights) -> None:
        """Add the gradient of an episode."""
        for name, change in gradient.items():
            self._sums[name] += change

    def update(self) -> None:
        """Update the weights with the sum of the gradients since the last update."""
        for name, total in self._sums.items():
            self._squares[name] = DECAY * self._squares[name] + (1 - DECAY) * total**2
            scale = np.sqrt(self._squares[name]) + EPSILON
            self._model[name] += LEARNING_RATE * total / scale
            self._sums[name] = np.zeros_like(total)


def steps() -> Work:
    """Steps including learning, in whole episodes."""
    generator, env = np.random.default_rng(0), make_pong()
    model = make_model(generator)
    optimizer = RMSProp(model)
    for episode in itertools.count():
        change, num_steps = play_episode(model, env, generator, seed=episode)
        optimizer.add(change)
        if (episode + 1) % BATCH == 0:
            optimizer.update()
        yield {"steps": num_steps}
