"""Workload: "Pong from Pixels" in NumPy, an independent reference implementation.

http://karpathy.github.io/2016/05/31/rl/ as in NumPy's tutorial: one environment, a 6400-200-1
network, two matrix products per step, and an RMSProp update every ten episodes.
"""

from __future__ import annotations

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


def steps() -> Work:
    """Steps including learning, in whole episodes."""
    generator = np.random.default_rng(0)
    model = {
        "first": generator.standard_normal((HIDDEN, PIXELS)) / np.sqrt(PIXELS),
        "second": generator.standard_normal(HIDDEN) / np.sqrt(HIDDEN),
    }
    sums = {name: np.zeros_like(weights) for name, weights in model.items()}
    squares = {name: np.zeros_like(weights) for name, weights in model.items()}
    gym.register_envs(ale_py)
    env = gym.make("ALE/Pong-v5")
    episode = 0
    while True:
        screen, _ = env.reset(seed=episode)
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
        for name, change in gradient(model, steps).items():
            sums[name] += change
        episode += 1
        if episode % BATCH == 0:
            for name, total in sums.items():
                squares[name] = DECAY * squares[name] + (1 - DECAY) * total**2
                model[name] += LEARNING_RATE * total / (np.sqrt(squares[name]) + EPSILON)
                sums[name] = np.zeros_like(total)
        yield {"steps": len(steps)}
