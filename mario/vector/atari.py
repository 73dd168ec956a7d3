"""Many Atari games at once, each played by a thread of ALE's own, pictures and all.

What a `ProcessVectorEnv` does with processes and wrappers, ALE's vectorised environment does in compiled
code without the GIL. A vector of ALE's goes from one seed to the next by itself, and its games can
only be stepped together; here every game is a vector of one, so that each is served, and can be
played again up to where it was.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import gymnasium as gym
import numpy as np
from ale_py import ALEVectorInterface
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mario.errors import UsageError
from mario.games.actions import Actions
from mario.games.atari import (
    FIRE,
    MAX_FRAMES,
    SCREEN_SHAPE,
    Atari,
    ale_seed,
    ending,
    fire_of,
    rom_path,
)
from mario.vector.base import Entry, GameVectorEnv, Results, entry_of
from mario.vector.seeding import SeedOf, episode_seed
from wrappers import WrapperConfig
from wrappers.life import LIFE
from wrappers.pong import PONG_SHAPE, binarize_pong

ONLY = np.zeros(1, np.int64)
FULL_STRENGTH = np.ones(1, np.float32)
GO_ON = -1
"""In place of a seed: what is drawn at random goes on from where it is."""

SEEDED_EVERY = 32
"""Episodes to a seed where no action sticks, so that only how each begins is drawn at random. To
take a seed, ALE makes the console anew, which takes as long as playing 200 decisions."""


class _Decision(NamedTuple):
    """What came of a decision."""

    picture: NDArray[np.uint8]
    reward: float
    terminated: bool
    truncated: bool
    info: dict[str, Any]


class _Seat:
    """One game, as the wrappers make it: a picture and a reward for each decision."""

    def __init__(self, game: str, sticky: float, view: WrapperConfig) -> None:
        self._gray = view.observation == "gray"
        self._view = view
        height, width = (view.size, view.size) if self._gray else SCREEN_SHAPE[:2]
        self._ale = ALEVectorInterface(
            rom_path=rom_path(game), num_envs=1, num_threads=1, batch_size=0,
            frame_skip=view.skip, maxpool=view.max_pool and view.skip > 1, stack_num=1,
            img_height=height, img_width=width, grayscale=self._gray,
            noop_max=view.noop_max + 1,  # of which it draws one less at most
            use_fire_reset=False, episodic_life=False, life_loss_info=False,
            reward_clipping=False, max_episode_steps=MAX_FRAMES, full_action_space=True,
            repeat_action_probability=sticky, thread_affinity_offset=-1,
            autoreset_mode=AutoresetMode.NEXT_STEP.value,
        )  # fmt: skip
        self._lives = self._length = 0
        self._total = 0.0

    def begin(self, seed: int | None) -> tuple[NDArray[np.uint8], dict[str, Any]]:
        """Start a game, without a seed the next of the last; gives its first picture and info."""
        taken = GO_ON if seed is None else ale_seed(seed)
        frames, told = self._ale.reset(ONLY, np.array([taken]))
        if self._view.fire_reset:
            self.start(FIRE)
            frames, _, _, _, told = self._ale.recv()
        self._lives, self._length, self._total = int(told["lives"][0]), 0, 0.0
        return self._picture(frames), {"lives": self._lives, "ending": ""}

    def start(self, action: int) -> None:
        """Let ALE's thread play one of ALE's actions."""
        self._ale.send(np.array([action]), FULL_STRENGTH)

    def finish(self) -> _Decision:
        """Wait for what `start` started, and serve if a life was lost."""
        frames, rewards, terminated, truncated, told = self._ale.recv()
        reward, lost = float(rewards[0]), int(told["lives"][0]) < self._lives
        if self._view.fire_reset and lost and not (terminated[0] or truncated[0]):
            self.start(FIRE)
            frames, rewards, terminated, truncated, told = self._ale.recv()
            reward += float(rewards[0])
        over, cut = bool(terminated[0]), bool(truncated[0] and not terminated[0])
        self._lives = int(told["lives"][0])
        self._length += 1
        self._total += reward
        info: dict[str, Any] = {"lives": self._lives, "ending": ending(over, cut)}
        if over or cut:
            info["episode"] = {"r": self._total, "l": self._length}
        elif self._view.terminal_on_life_loss and lost:
            over, info["ending"] = True, LIFE
        return _Decision(self._picture(frames), reward, over, cut, info)

    def _picture(self, frames: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return frames[0, 0] if self._gray else binarize_pong(frames[0, 0])


class AtariVectorEnv(GameVectorEnv):
    """Plays ``num_envs`` Atari games of one kind as a `ProcessVectorEnv` plays any game.

    The numbers are those of the wrappers around `Atari`, pictures within one level of gray; only
    how many frames go by before an episode, with ``wrappers.noop_max``, is drawn by ALE.

    Args:
        num_envs: how many games.
        game: name of the ROM.
        sticky: see `Atari`.
        actions: see `Atari`.
        wrappers: what the agent sees.
        seed: seeds every episode of every game where actions stick, else one in `SEEDED_EVERY`.
        seed_of: how, see `mario.vector.seeding`.

    Raises:
        UsageError: there is no such action set, or it lacks what the wrappers need.
    """

    def __init__(
        self,
        num_envs: int,
        *,
        game: str,
        sticky: float = 0.0,
        actions: Actions | None = None,
        wrappers: WrapperConfig | None = None,
        seed: int = 0,
        seed_of: SeedOf = episode_seed,
    ) -> None:
        self.num_envs, self._seed, self._seed_of = num_envs, seed, seed_of
        self._view = view = wrappers or WrapperConfig()
        self._actions = Atari(game, actions=actions).joystick
        if view.fire_reset:
            fire_of(self._actions)
        self._seeded_every = 1 if sticky else SEEDED_EVERY
        self._seats = [_Seat(game, sticky, view) for _ in range(num_envs)]
        picture = (view.size, view.size) if view.observation == "gray" else PONG_SHAPE
        self.single_observation_space = gym.spaces.Box(0, 255, (view.stack, *picture), np.uint8)
        self.single_action_space = gym.spaces.Discrete(len(self._actions))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.metadata = {**Atari.metadata, "autoreset_mode": AutoresetMode.SAME_STEP}
        self._journal = [entry_of(0) for _ in range(num_envs)]
        self._states = np.zeros(self.observation_space.shape or (), np.uint8)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """See `ProcessVectorEnv.reset`."""
        if options:
            raise UsageError(f"a vector of games takes no reset options, got {options!r}")
        self._seed = self._seed if seed is None else seed
        return self.restore([entry_of(0) for _ in range(self.num_envs)])

    def journal(self) -> list[Entry]:
        """See `GameVectorEnv.journal`: a game's actions in all of its lives."""
        return [entry | {"actions": list(entry["actions"])} for entry in self._journal]

    def restore(self, journal: Sequence[Entry]) -> tuple[NDArray[Any], dict[str, Any]]:
        """See `GameVectorEnv.restore`; the games are played side by side."""
        infos = [self._begin_again(game, entry["episode"]) for game, entry in enumerate(journal)]
        for taken in zip_longest(*(entry["actions"] for entry in journal)):
            going_on = [game for game, action in enumerate(taken) if action is not None]
            for game in going_on:
                self._start(game, taken[game])
            for game in going_on:
                _, infos[game] = self._finish(game)
        return self._states.copy(), self._merged(infos)

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """See `GameVectorEnv.step_async`."""
        for game, action in enumerate(actions.tolist()):
            self._start(game, action)

    def step_wait(self) -> Results:
        """See `GameVectorEnv.step_wait`."""
        finished = [self._finish(game) for game in range(self.num_envs)]
        decisions = [decision for decision, _ in finished]
        shaped = [self._view.shaped(each.reward, each.info["ending"]) for each in decisions]
        return (
            self._states.copy(),
            np.array(shaped, np.float32),
            np.array([each.terminated for each in decisions]),
            np.array([each.truncated for each in decisions]),
            self._merged([info for _, info in finished]),
        )

    def step(self, actions: NDArray[np.int64]) -> Results:
        """Take one step of every game."""
        self.step_async(actions)
        return self.step_wait()

    def close(self, **kwargs: Any) -> None:
        """End ALE's threads; closing twice is harmless."""
        del kwargs
        self._seats = []
        self.closed = True

    def _begin(self, game: int, episode: int) -> dict[str, Any]:
        """Begin the episode after the one before; gives what is known then."""
        self._journal[game] = entry_of(episode)
        seeded = episode % self._seeded_every == 0
        seed = self.episode_seed(game, episode) if seeded else None
        self._states[game], info = self._seats[game].begin(seed)
        return info

    def _begin_again(self, game: int, episode: int) -> dict[str, Any]:
        """Begin any of a game's episodes; gives what is known then."""
        for before in range(episode - episode % self._seeded_every, episode):
            self._begin(game, before)
        return self._begin(game, episode)

    def _start(self, game: int, action: int) -> None:
        self._journal[game]["actions"].append(action)
        self._seats[game].start(self._actions[action])

    def _finish(self, game: int) -> tuple[_Decision, dict[str, Any]]:
        """A game's decision, and what is known after it: of the next episode if this one ended."""
        decision, state = self._seats[game].finish(), self._states[game]
        state[:-1], state[-1] = state[1:], decision.picture
        if not (decision.terminated or decision.truncated):
            return decision, decision.info
        final = {"final_obs": state.copy(), "final_info": decision.info}
        if decision.info["ending"] == LIFE:
            state[:] = decision.picture
            return decision, {**decision.info, "ending": "", **final}
        return decision, self._begin(game, self._journal[game]["episode"] + 1) | final

    def _merged(self, infos: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """The infos of all games as Gymnasium's vector environments give them."""
        merged: dict[str, Any] = {}
        for game, info in enumerate(infos):
            merged = self._add_info(merged, info, game)
        return merged
