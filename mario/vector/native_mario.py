"""Many games of Super Mario Bros. in one process, stepped by threads: the fast way.

What a `ProcessVectorEnv` does with processes, wrappers and Python that reads the console's memory, is
done here for all games in one call of compiled code, without the GIL. The two give the same
numbers, pictures within one level of gray: tests hold them together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from mario.emulators.native import MAPPERS
from mario.emulators.rom import check_rom
from mario.errors import UsageError
from mario.games import _native
from mario.games.actions import Actions, action_masks
from mario.games.nes_game import STALL_FRAMES
from mario.games.roms import mario_rom
from mario.games.smb_levels import level_location
from mario.games.start_curriculum import draw_start_offset
from mario.games.super_mario_bros import SuperMarioBros
from mario.system.threads import cores
from mario.vector.base import Entry, GameVectorEnv, Results, entry_after, entry_of
from mario.vector.native_buffers import FinalBuffers, StepBuffers
from mario.vector.seeding import SeedOf, episode_seed
from wrappers import WrapperConfig
from wrappers.noop_reset import sample_noops
from wrappers.observation import GRAYSCALE_CONVERSIONS, marker_size

WHOLE_GAME = (0, 0, 0)
NEVER = -1
STATUSES = np.array(_native.STATUSES, object)
ENDINGS = np.array(_native.ENDINGS, object)
PALETTE = np.frombuffer(_native.PALETTE, np.uint8).reshape(1, -1, 3)
FLAG, STATUS = _native.INFO.index("flag_get"), _native.INFO.index("status")
REVISITED, FARTHEST = _native.INFO.index("revisited"), _native.INFO.index("farthest")


class MarioOptions(TypedDict, total=False):
    """What can be chosen of the game, see `mario.games.super_mario_bros.SuperMarioBros`."""

    level: str | None
    look: str
    lost_levels: bool
    rom: Path | None
    actions: Actions | None
    stall_frames: int | None


class NativeMarioVectorEnv(GameVectorEnv):
    """Plays ``num_envs`` games of Super Mario Bros. as a `ProcessVectorEnv` plays any game.

    Every array returned is a fresh one, which no later step writes to.

    Args:
        num_envs: how many games.
        wrappers: what the agent sees.
        seed: seeds every episode of every game.
        seed_of: how, see `mario.vector.seeding`.
        threads: how many threads play, which changes no result; None for as many as there are
            cores.
        **options: which game, see `MarioOptions`.

    Raises:
        UsageError: there is no such level, look, action set or ROM, or the ROM is not played.
    """

    def __init__(
        self,
        num_envs: int,
        *,
        wrappers: WrapperConfig | None = None,
        seed: int = 0,
        seed_of: SeedOf = episode_seed,
        threads: int | None = None,
        **options: Unpack[MarioOptions],
    ) -> None:
        self.num_envs, self._seed, self._seed_of = num_envs, seed, seed_of
        self._wrappers = wrappers or WrapperConfig()
        actions = options.get("actions")
        masks = action_masks(SuperMarioBros.default_actions if actions is None else actions)
        self._set_spaces(len(masks))
        self._games: _native.Games | None = self._switch_on(masks, threads or cores(), options)
        self._places = [entry_of(0) for _ in range(num_envs)]  # compiled code keeps the actions
        self._noops, self._backs = np.zeros((2, num_envs), np.int64)
        self._seeds = np.zeros(num_envs, np.uint64)
        everyone, nothing = np.ones(num_envs, np.bool_), np.full(num_envs, "", object)
        self._constant = {f"_{key}": everyone for key in (*_native.INFO, "ending")}
        self._constant |= {"ending": nothing}
        worth = self._wrappers.worth_of_ends
        self._worth_of_ends = np.array([worth.get(end, 0.0) for end in _native.ENDINGS], np.float32)
        self._step: StepBuffers | None = None
        self._begun = False
        self._last = FinalBuffers(
            self._new_observations(),
            self._new_info(),
            endings=np.zeros(num_envs, np.int64),
            returns=np.zeros(num_envs),
            lengths=np.zeros(num_envs, np.int64),
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """See `ProcessVectorEnv.reset`."""
        if options:
            raise UsageError(f"a vector of games takes no reset options, got {options!r}")
        self._seed = self._seed if seed is None else seed
        return self.restore([entry_of(0) for _ in range(self.num_envs)])

    def journal(self) -> list[Entry]:
        """See `ProcessVectorEnv.journal`: what either gives brings the other to the same place."""
        ways = self._open().actions()
        return [
            place
            | {
                "actions": taken,
                "farthest": place["farthest"] and place["farthest"] | {"actions": farthest},
            }
            for place, (taken, farthest) in zip(self._places, ways, strict=True)
        ]

    def restore(self, journal: Sequence[Entry]) -> tuple[NDArray[Any], dict[str, Any]]:
        """See `ProcessVectorEnv.restore`."""
        places = [entry_of(entry["episode"]) | entry | {"actions": []} for entry in journal]
        farthest = [place["farthest"] or {"start": 0, "actions": []} for place in places]
        observations, info = self._new_observations(), self._new_info()
        self._open().restore(
            [entry["actions"] for entry in journal], *self._starts(places),
            np.array([place["revisited"] for place in places], np.int64),
            [way["actions"] for way in farthest], *self._starts(farthest),
            observations, info,
        )  # fmt: skip
        self._places, self._begun = places, True
        self._draw_next(range(self.num_envs))
        return observations, self._infos(info)

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """See `ProcessVectorEnv.step_async`."""
        self._start(actions, waited_for=False)

    def step_wait(self) -> Results:
        """See `ProcessVectorEnv.step_wait`; the thread that waits plays as well."""
        self._open().wait()
        step, self._step = self._step, None
        assert step is not None, "step_async comes first"
        infos, rewards = self._infos(step.info), self._shaped(step.rewards)
        ended = step.terminated | step.truncated
        if ended.any():
            infos |= self._final(ended)
            rewards[ended] += self._worth_of_ends[self._last.endings[ended]]
            self._begin_next(np.flatnonzero(ended).tolist(), step.info[REVISITED])
        return step.observations, rewards, step.terminated, step.truncated, infos

    def step(self, actions: NDArray[np.int64]) -> Results:
        """See `ProcessVectorEnv.step`."""
        self._start(actions, waited_for=True)
        return self.step_wait()

    def close(self, **kwargs: Any) -> None:
        """End the threads; closing twice is harmless."""
        del kwargs
        self._games = None
        self.closed = True

    def _switch_on(
        self, masks: tuple[int, ...], threads: int, options: MarioOptions
    ) -> _native.Games:
        level, lost_levels = options.get("level"), options.get("lost_levels", False)
        stall_frames = options.get("stall_frames", STALL_FRAMES)
        rom = options.get("rom") or mario_rom(options.get("look", "vanilla"), lost_levels)
        check_rom(rom, MAPPERS.__contains__)
        view = self._wrappers
        try:
            return _native.Games(
                rom=rom.read_bytes(),
                place=WHOLE_GAME if level is None else level_location(level, lost_levels),
                stall_frames=NEVER if stall_frames is None else stall_frames,
                masks=bytes(masks),
                skip=view.skip, stack=view.stack, size=view.size, crop=view.crop_top,
                grays=GRAYSCALE_CONVERSIONS[view.observation](PALETTE).tobytes(),
                square=marker_size(view.size, len(masks)) if view.show_action else 0,
                sticky=view.repeat_action_probability, keeps_farthest=view.revisit_farthest > 0,
                count=self.num_envs, threads=min(threads, self.num_envs),
            )  # fmt: skip
        except ValueError as error:
            raise UsageError(str(error)) from None

    def _set_spaces(self, num_actions: int) -> None:
        shape = self._wrappers.stack, self._wrappers.size, self._wrappers.size
        self.single_observation_space = gym.spaces.Box(0, 255, shape, np.uint8)
        self.single_action_space = gym.spaces.Discrete(num_actions)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)
        self.metadata = {
            **SuperMarioBros.metadata,
            "emulator": "native",
            "autoreset_mode": AutoresetMode.SAME_STEP,
        }

    def _open(self) -> _native.Games:
        if self._games is None:
            raise ValueError("the games are closed; make new ones")
        return self._games

    def _start(self, actions: NDArray[np.int64], *, waited_for: bool) -> None:
        if not self._begun:
            raise gym.error.ResetNeeded("no game has begun; call reset first")
        step = StepBuffers(
            np.array(actions, np.int64),  # a copy, which the caller cannot change meanwhile
            self._noops,
            self._seeds,
            self._backs,
            self._new_observations(),
            rewards=np.empty(self.num_envs),
            terminated=np.empty(self.num_envs, np.bool_),
            truncated=np.empty(self.num_envs, np.bool_),
            info=self._new_info(),
        )
        self._open().start((*step, *self._last), waited_for)
        self._step = step

    def _shaped(self, rewards: NDArray[np.float64]) -> NDArray[np.float32]:
        """What the agent is rewarded with, float32 ``(num_envs,)``."""
        shaped, bound = rewards * self._wrappers.reward_scale, self._wrappers.reward_clip
        if bound is not None:
            shaped = shaped.clip(-bound, bound)
        return shaped.astype(np.float32)

    def _infos(self, info: NDArray[np.int64]) -> dict[str, Any]:
        """What is known of every game, by name, as Gymnasium's vector environments give it."""
        infos: dict[str, Any] = dict(zip(_native.INFO, info, strict=True))
        infos |= {"flag_get": info[FLAG].astype(np.bool_), "status": STATUSES[info[STATUS]]}
        return infos | self._constant

    def _final(self, ended: NDArray[np.bool_]) -> dict[str, Any]:
        """The last observations and infos of the episodes that ended; the next have begun."""
        last, observations = self._last, np.full(self.num_envs, None, object)
        for game in np.flatnonzero(ended):
            observations[game] = last.observations[game].copy()
        infos = self._infos(np.where(ended, last.info, 0))
        infos |= dict.fromkeys((key for key in infos if key.startswith("_")), ended)
        infos["ending"] = ENDINGS[np.where(ended, last.endings, 0)]
        infos["episode"] = {"r": last.returns.copy(), "l": last.lengths.copy()}
        infos["episode"] |= {"_r": ended, "_l": ended}
        return {
            "final_obs": observations, "_final_obs": ended,
            "final_info": infos | {"_episode": ended}, "_final_info": ended,
        }  # fmt: skip

    def _begin_next(self, games: Iterable[int], revisited: NDArray[np.int64]) -> None:
        """Note that the next episodes of some games have begun."""
        for game in games:
            farthest = int(self._last.info[FARTHEST, game])
            self._places[game] = entry_after(self._places[game], farthest, int(revisited[game]))
        self._draw_next(games)

    def _draw_next(self, games: Iterable[int]) -> None:
        """Draw how the episodes after the present ones are to begin."""
        for game in games:
            episode = self._places[game]["episode"] + 1
            drawn = self._draw(game, episode)
            self._noops[game], self._seeds[game], self._backs[game] = drawn

    def _starts(self, ways: Sequence[Entry]) -> tuple[NDArray[np.int64], NDArray[np.uint64]]:
        """With how many noops, and from which seeds, each game's way starts."""
        drawn = [self._draw(game, way["start"])[:2] for game, way in enumerate(ways)]
        noops, seeds = zip(*drawn, strict=True)
        return np.array(noops, np.int64), np.array(seeds, np.uint64)

    def _draw(self, game: int, episode: int) -> tuple[int, int, int]:
        """How an episode begins: its noops, its seed and how far it goes back.

        Drawn as `wrappers.NoopReset` and `wrappers.StartCurriculum` do.
        """
        seed = self.episode_seed(game, episode)
        view = self._wrappers
        back = draw_start_offset(view.revisit, view.revisit_farthest, seed)
        return sample_noops(seed, view.noop_max), seed, back

    def _new_observations(self) -> NDArray[np.uint8]:
        return np.empty(self.observation_space.shape or (), np.uint8)

    def _new_info(self) -> NDArray[np.int64]:
        return np.empty((len(_native.INFO), self.num_envs), np.int64)
