"""Several Atari games, stepped by ALE's own threads with its own image preprocessing.

ALE's vector environment does in compiled code, without the GIL, what a `ProcessVectorEnv` does with
processes and wrappers. However, it can only step all its games together, and it seeds them by
itself. Each game therefore has an ALE vector environment of its own, so that it can be seeded,
replayed and made to press the fire button independently of the other games.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest
from typing import Any, NamedTuple, Self

import cv2
import gymnasium as gym
import numpy as np
from ale_py import ALEVectorInterface
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from mario.config.env_config import EnvConfig
from mario.errors import UsageError
from mario.games.actions import parse_actions
from mario.games.atari import (
    FIRE,
    MAX_FRAMES,
    SCREEN_SHAPE,
    Atari,
    ale_seed,
    ending_of,
    rom_path,
)
from mario.games.endings import Ending, ending_rewards
from mario.games.registry import ATARI, find_game, has_extras
from mario.vector.backend import BackendVectorEnv, EpisodeOptions
from mario.vector.base import VectorStepResult
from mario.vector.replay_point import ReplayPoint
from mario.vector.seeding import SeedFunction, episode_seed
from wrappers import WrapperConfig
from wrappers.life import ended_by_life_loss
from wrappers.observation import to_gray
from wrappers.pong import binarize_pong

ENV_IDS = np.zeros(1, np.int64)
PADDLE_STRENGTHS = np.ones(1, np.float32)
CONTINUE_RNG = -1
"""Passed instead of a seed to continue with ALE's random number generator."""

EPISODES_PER_SEED = 32
"""Number of episodes that use one seed if there are no sticky actions, so that only the number of
no-op frames is random. ALE creates a new console for a seed, which takes as long as 200 steps. In
an evaluation each episode has a seed, so that the results do not depend on ``num_envs``."""


class _GameStep(NamedTuple):
    """The result of one agent step of a game; ``reward`` is the game's own."""

    image: NDArray[np.uint8]
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


class _AtariGame:
    """One game, with the images that the wrappers would produce and the game's own rewards.

    Args:
        rom_name: Name of the ROM.
        repeat_action_probability: Probability of a sticky action in each frame.
        wrappers: Configuration of the preprocessing.
    """

    def __init__(
        self, rom_name: str, repeat_action_probability: float, wrappers: WrapperConfig
    ) -> None:
        self._wrappers = wrappers
        self._gray = wrappers.observation == "gray" and not wrappers.max_pool_colors
        height, width = (wrappers.size, wrappers.size) if self._gray else SCREEN_SHAPE[:2]
        self._ale = ALEVectorInterface(
            rom_path=rom_path(rom_name), num_envs=1, num_threads=1, batch_size=0,
            frame_skip=wrappers.skip, maxpool=wrappers.max_pool and wrappers.skip > 1, stack_num=1,
            img_height=height, img_width=width, grayscale=self._gray,
            noop_max=wrappers.noop_max + 1,  # ALE draws a smaller number than this
            use_fire_reset=False, episodic_life=False, life_loss_info=False,
            reward_clipping=False, max_episode_steps=MAX_FRAMES, full_action_space=True,
            repeat_action_probability=repeat_action_probability, thread_affinity_offset=-1,
            autoreset_mode=AutoresetMode.NEXT_STEP.value,
        )  # fmt: skip
        self._lives = self._length = 0
        self._return = 0.0

    def reset(self, seed: int | None) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Start a game and return its first image and info.

        Args:
            seed: Seed of the game; None to continue with ALE's random number generator.
        """
        seeds = np.array([CONTINUE_RNG if seed is None else ale_seed(seed)])
        images, infos = self._ale.reset(ENV_IDS, seeds)
        if self._wrappers.fire_reset:
            self.start_step(FIRE)
            images, _, terminations, truncations, infos = self._ale.recv()
            if terminations[0] or truncations[0]:
                images, infos = self._ale.reset(ENV_IDS, seeds)
        self._lives, self._length, self._return = int(infos["lives"][0]), 0, 0.0
        return self._convert(images), {"lives": self._lives, "ending": ""}

    def start_step(self, action: int) -> None:
        """Start a step in ALE's thread with an action, given by its number in ALE."""
        self._ale.send(np.array([action]), PADDLE_STRENGTHS)

    def finish_step(self) -> _GameStep:
        """Wait for the step, and press the fire button if a life was lost."""
        images, rewards, terminations, truncations, infos = self._ale.recv()
        reward, lives_before = float(rewards[0]), self._lives
        life_lost = int(infos["lives"][0]) < lives_before
        if self._wrappers.fire_reset and life_lost and not (terminations[0] or truncations[0]):
            self.start_step(FIRE)
            images, rewards, terminations, truncations, infos = self._ale.recv()
            reward += float(rewards[0])
        terminated = bool(terminations[0])
        truncated = bool(truncations[0] and not terminated)
        self._lives = int(infos["lives"][0])
        self._length += 1
        self._return += reward
        info: dict[str, Any] = {"lives": self._lives, "ending": ending_of(terminated, truncated)}
        if terminated or truncated:
            info["episode"] = {"r": self._return, "l": self._length}
        elif self._wrappers.terminal_on_life_loss and 0 < self._lives < lives_before:
            terminated, info["ending"] = True, str(Ending.LIFE_LOST)
        return _GameStep(self._convert(images), reward, terminated, truncated, info)

    def _convert(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        image: NDArray[np.uint8] = images[0, 0]
        if self._gray:  # ALE has converted and resized it
            return image
        if self._wrappers.observation == "pong":
            return binarize_pong(image)
        size = (self._wrappers.size, self._wrappers.size)
        return np.asarray(cv2.resize(to_gray(image), size, interpolation=cv2.INTER_AREA), np.uint8)


class AtariVectorEnv(BackendVectorEnv):
    """Run Atari games in ALE's own threads.

    The results are those of a `ProcessVectorEnv`, with pixels within one gray level, except that
    ALE draws the number of no-op frames.

    Args:
        config: The configuration of each environment.
        num_envs: Number of environments.
        seed: Seed of the run. With sticky actions or another ``seed_function`` it seeds every
            episode, else one in `EPISODES_PER_SEED`.
        seed_function: Derives the seed of each episode, see `mario.vector.seeding`.

    Raises:
        UsageError: The action set is unknown, or lacks an action that the wrappers need.
    """

    def __init__(
        self,
        config: EnvConfig,
        num_envs: int,
        *,
        seed: int = 0,
        seed_function: SeedFunction = episode_seed,
    ) -> None:
        super().__init__(num_envs, seed=seed, seed_function=seed_function)
        self._wrappers = wrappers = config.wrappers
        self._ending_rewards = ending_rewards(config.ending_reward)
        options = find_game(config.game).kwargs
        rom_name, probability = options["game"], options["repeat_action_probability"]
        game = Atari(rom_name, actions=parse_actions(config.actions))
        self._ale_actions = game.ale_actions
        if wrappers.fire_reset and game.fire is None:
            wrappers = replace(wrappers, fire_reset=False)
        every_episode = bool(probability) or seed_function is not episode_seed
        self._episodes_per_seed = 1 if every_episode else EPISODES_PER_SEED
        self._games = [_AtariGame(rom_name, probability, wrappers) for _ in range(num_envs)]
        action_space = gym.spaces.Discrete(len(self._ale_actions))
        self._set_spaces(wrappers.observation_space, action_space, Atari.metadata)
        self._states = np.zeros((num_envs, *wrappers.observation_space.shape), np.uint8)

    @classmethod
    def limitation(cls, config: EnvConfig) -> str | None:
        """See `BackendVectorEnv.limitation`.

        ALE's vector environment has no start curriculum, no action markers, no sticky actions that
        only depend on the seed, and no image processing except resizing and grayscale conversion.
        """
        if ":" in config.game or (spec := find_game(config.game)).entry_point != ATARI:
            return f"{config.game} is not a built-in Atari game"
        if has_extras(spec):
            return f"{config.game} was registered with a time limit or wrappers"
        if config.emulator != "auto":
            return f"--emulator is {config.emulator}"
        if config.start_curriculum.probability:
            return "--start-curriculum.probability is above 0"
        if config.wrappers.observation == "orange":
            return "--wrappers.observation is orange"
        return config.first_in_use("show_action", "repeat_action_probability", "crop_top")

    @classmethod
    def preferred_num_envs(cls, config: EnvConfig) -> int:
        """See `BackendVectorEnv.preferred_num_envs`; each game has a thread."""
        return 8

    @classmethod
    def create(cls, config: EnvConfig, num_envs: int, options: EpisodeOptions) -> Self:
        """See `BackendVectorEnv.create`; threads do not crash by themselves."""
        if options.starts is not None:
            raise UsageError(f"{config.game} has no demonstrations; only NES games have")
        return cls(config, num_envs, seed=options.seed, seed_function=options.seed_function)

    def restore(self, points: Sequence[ReplayPoint]) -> tuple[NDArray[Any], dict[str, Any]]:
        """See `GameVectorEnv.restore`; the games are replayed in parallel."""
        infos = [self._reset_to(index, point.episode) for index, point in enumerate(points)]
        for actions in zip_longest(*(point.log.actions for point in points)):
            active = [index for index, action in enumerate(actions) if action is not None]
            for index in active:
                self._start_step(index, actions[index])
            for index in active:
                _, infos[index] = self._finish_step(index)
        return self._states.copy(), self._merge_infos(infos)

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """See `GameVectorEnv.step_async`."""
        for index, action in enumerate(actions.tolist()):
            self._start_step(index, action)

    def step_wait(self) -> VectorStepResult:
        """See `GameVectorEnv.step_wait`."""
        steps, infos = zip(*map(self._finish_step, range(self.num_envs)), strict=True)
        rewards = self._wrappers.transform_rewards(np.array([step.reward for step in steps]))
        rewards += [self._ending_rewards.get(step.info["ending"], 0.0) for step in steps]
        return (
            self._states.copy(),
            rewards.astype(np.float32),
            np.array([step.terminated for step in steps]),
            np.array([step.truncated for step in steps]),
            self._merge_infos(infos),
        )

    def close_extras(self, **kwargs: Any) -> None:
        """End ALE's threads."""
        del kwargs
        self._games = []

    def _reset(self, index: int, episode: int) -> dict[str, Any]:
        """Start an episode, which must follow the current one, and return its first info."""
        self._points[index] = ReplayPoint.at_reset(episode)
        is_seeded = episode % self._episodes_per_seed == 0
        seed = self.episode_seed(index, episode) if is_seeded else None
        self._states[index], info = self._games[index].reset(seed)
        return info

    def _reset_to(self, index: int, episode: int) -> dict[str, Any]:
        """Start any episode of an environment and return its first info."""
        for earlier in range(episode - episode % self._episodes_per_seed, episode):
            self._reset(index, earlier)
        return self._reset(index, episode)

    def _start_step(self, index: int, action: int) -> None:
        self._points[index].log.actions.append(action)
        self._games[index].start_step(self._ale_actions[action])

    def _finish_step(self, index: int) -> tuple[_GameStep, dict[str, Any]]:
        """Return the step of an environment, and its info or the first one of the next episode."""
        step, state = self._games[index].finish_step(), self._states[index]
        state[:-1], state[-1] = state[1:], step.image
        if not (step.terminated or step.truncated):
            return step, step.info
        final = {"final_obs": state.copy(), "final_info": step.info}
        if ended_by_life_loss(step.info):
            state[:] = step.image
            return step, {**step.info, "ending": "", **final}
        return step, self._reset(index, self._points[index].episode + 1) | final
