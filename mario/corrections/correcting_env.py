"""A vector environment that corrects failures, for agents that learn from corrections."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray

from agents import Guidance
from mario.config.correction_config import CorrectionConfig
from mario.config.env_config import EnvConfig
from mario.corrections.corrected_episode import CorrectedEpisode, CorrectedPoint
from mario.corrections.correction_search import GOALS, Correction, CorrectionSearch, Failure, Policy
from mario.corrections.save_states import INFO_KEYS, EnvStep, SaveStateEnvs
from mario.errors import UsageError
from mario.games.endings import Ending
from mario.games.super_mario_bros import SuperMarioBros
from mario.vector.base import GameVectorEnv, VectorStepResult
from mario.vector.native_mario import ENDINGS, STATUSES, NativeMarioVectorEnv
from mario.vector.replay_point import ReplayPoint
from mario.vector.seeding import SeedFunction, episode_seed
from wrappers.noop_reset import sample_noops
from wrappers.sticky_actions import counter_based_uniform

NOISE_SHARES = (0.0, 0.0, 1 / 3, 1.0)
"""Random actions of an episode as a share of the maximum, each equally often."""


class CorrectingVectorEnv(GameVectorEnv):
    """Environments that return from a failure to an earlier point and correct it.

    To the agent, a failure is the end of an episode. The next one begins a few steps before the
    correction, so that its first states have complete frame stacks, and the environment takes the
    actions up to the end of the correction by itself. ``infos["actions"]`` has the actions that
    were executed, and ``infos["guidance"]`` says which of them to imitate. Where no correction is
    found, and where the goal is reached, the next episode begins at the start of the game.

    Args:
        config: the configuration of each environment.
        num_envs: number of environments.
        seed: seed of the run.
        corrections: the configuration of the search.
        seed_function: derives the seed of each episode.
        threads: number of threads, which does not affect the results; None for one per core.

    Attributes:
        policy: the agent's policy, with which branches continue. It must be set before `step`.

    Raises:
        UsageError: the level, look, action set or ROM is unknown, or the ROM is not supported.
    """

    Point = CorrectedPoint
    policy: Policy

    def __init__(
        self,
        config: EnvConfig,
        num_envs: int,
        *,
        seed: int = 0,
        corrections: CorrectionConfig | None = None,
        seed_function: SeedFunction = episode_seed,
        threads: int | None = None,
    ) -> None:
        super().__init__(num_envs, seed=seed, seed_function=seed_function)
        self._config, self._corrections = config, corrections or CorrectionConfig()
        slots = num_envs + self._corrections.branches
        self._envs = SaveStateEnvs(config, slots, threads)
        self._branch_slots = range(num_envs, slots)
        self._set_spaces(
            config.wrappers.observation_space,
            gym.spaces.Discrete(self._envs.num_actions),
            SuperMarioBros.metadata | {"emulator": "native"},
        )
        self._episodes: list[CorrectedEpisode] = []
        self._actions = np.zeros(num_envs, np.int64)

    def replay_log(self) -> list[CorrectedPoint]:  # type: ignore[override]
        """See `GameVectorEnv.replay_log`."""
        return [
            replace(
                episode.point.copy(),
                planned=tuple(episode.planned),
                num_states=len(episode.history),
            )
            for episode in self._episodes
        ]

    def restore(self, points: Sequence[ReplayPoint]) -> tuple[NDArray[Any], dict[str, Any]]:
        """See `GameVectorEnv.restore`."""
        self._episodes = [
            self._replay(env, point)
            for env, point in enumerate(points)
            if isinstance(point, CorrectedPoint)
        ]
        step = self._envs.observe(range(self.num_envs))
        return step.observations, _infos(step.info)

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """See `GameVectorEnv.step_async`."""
        self._actions = np.array(actions, np.int64)

    def step_wait(self) -> VectorStepResult:
        """See `GameVectorEnv.step_wait`; searches for a correction where an episode fails."""
        pairs = [self._choose(env, int(action)) for env, action in enumerate(self._actions)]
        actions = np.array([action for action, _ in pairs])
        guidance = Guidance(
            np.array([weight for _, weight in pairs], np.float32),
            np.zeros(self.num_envs, np.int64),
        )
        for env, episode in enumerate(self._episodes):
            episode.history.append(self._envs.save_state(env))
        step = self._envs.step(range(self.num_envs), actions)
        stalled = np.zeros(self.num_envs, np.bool_)
        for env, episode in enumerate(self._episodes):
            episode.record(int(actions[env]), step, env)
            stalled[env] = episode.idle_steps >= self._corrections.stall_steps
        ended = (step.endings > 0) | stalled
        infos = _infos(step.info) | {"actions": actions, "guidance": guidance}
        if ended.any():
            infos |= self._end_episodes(np.flatnonzero(ended), step, guidance)
        rewards = self._config.wrappers.transform_rewards(step.rewards).astype(np.float32)
        return step.observations, rewards, ended, np.zeros_like(ended), infos

    def _choose(self, env: int, action: int) -> tuple[int, float]:
        """Return the action to execute and the weight with which to imitate it."""
        episode = self._episodes[env]
        if episode.planned:
            taken = episode.length - episode.point.start_offset
            is_lead = taken < self._lead(episode.point.start_offset)
            return episode.planned.popleft(), 0.0 if is_lead else self._corrections.weight
        # another sequence after each correction, so that the same noise cannot fail it again
        seed = episode.seed + 1 + episode.point.num_corrections
        share = NOISE_SHARES[int(counter_based_uniform(episode.seed, 0) * len(NOISE_SHARES))]
        if counter_based_uniform(seed, 2 * episode.length) < share * self._corrections.noise:
            uniform = counter_based_uniform(seed, 2 * episode.length + 1)
            return int(uniform * self._envs.num_actions), 0.0
        return action, 1.0

    def _lead(self, depth: int) -> int:
        """Return how many steps before a correction an episode begins, at most ``depth``."""
        return min(self._config.wrappers.stack - 1, depth)

    def _end_episodes(
        self, ended: NDArray[np.int64], step: EnvStep, guidance: Guidance
    ) -> dict[str, Any]:
        """Correct the episodes that failed, start new ones, and write their first observations."""
        final_obs = np.full(self.num_envs, None, object)
        final_infos: dict[str, Any] = {}
        for env in map(int, ended):
            final_obs[env] = step.observations[env].copy()
            correction = None
            if not GOALS[step.endings[env]]:
                correction = self._correct(env, step, guidance)
            if correction is None:
                info = self._final_info(env, step)
                self._episodes[env] = self._start(env, self._episodes[env].point.episode + 1)
            else:
                info = {"ending": str(Ending.TRUNCATED)}
                self._rewind(env, correction)
            final_infos = self._add_info(final_infos, info, env)
            step.observations[env] = self._envs.observe([env]).observations[0]
        present = np.isin(np.arange(self.num_envs), ended)
        return {
            "final_obs": final_obs, "_final_obs": present,
            "final_info": final_infos, "_final_info": present,
        }  # fmt: skip

    def _correct(self, env: int, step: EnvStep, guidance: Guidance) -> Correction | None:
        episode = self._episodes[env]
        search = CorrectionSearch(self._envs, self._branch_slots, self._corrections, self.policy)
        failure = Failure(tuple(episode.history), episode.best_x, int(step.column("area")[env]))
        rng = np.random.default_rng((episode.seed, episode.point.num_corrections))
        correction = search.find(failure, rng)
        guidance.num_discarded[env] = correction.depth if correction else len(episode.history)
        return correction

    def _rewind(self, env: int, correction: Correction) -> None:
        """Return to a few steps before a correction, and plan the actions up to its end."""
        episode = self._episodes[env]
        kept = episode.length - correction.depth
        start = kept - self._lead(kept)
        num_undone = episode.length - start
        state = episode.history[-num_undone]
        for _ in range(num_undone):
            episode.history.pop()
        self._envs.load_state(env, state)
        actions = episode.point.log.actions
        episode.planned = deque([*actions[start:kept], *correction.actions])
        del actions[start:], episode.rewards[start:]
        episode.restart_progress()
        episode.point = replace(
            episode.point, start_offset=start, num_corrections=episode.point.num_corrections + 1
        )

    def _final_info(self, env: int, step: EnvStep) -> dict[str, Any]:
        """Return the last info of an episode that is not continued."""
        episode = self._episodes[env]
        ending = ENDINGS[step.endings[env]] or str(Ending.TRUNCATED)
        info = {key: int(value) for key, value in zip(INFO_KEYS, step.info[env], strict=True)}
        info |= {"flag_get": bool(info["flag_get"]), "status": STATUSES[info["status"]]}
        statistics = {"r": sum(episode.rewards), "l": episode.length}
        return info | {"ending": ending, "episode": statistics}

    def _start(self, env: int, number: int) -> CorrectedEpisode:
        """Start the episode with the given number at the start of the game."""
        point = CorrectedPoint.at_reset(number)
        seed = self.episode_seed(env, point.log.start_episode)
        noops = sample_noops(seed, self._config.wrappers.noop_max)
        self._envs.reset(env, noops=noops, seed=seed)
        capacity = max(self._corrections.depths) + self._config.wrappers.stack
        return CorrectedEpisode(point, seed, deque(maxlen=capacity))

    def _replay(self, env: int, point: CorrectedPoint) -> CorrectedEpisode:
        """Return to a point by replaying its actions."""
        episode = self._start(env, point.log.start_episode)
        for number, action in enumerate(point.log.actions):
            if number == point.start_offset:
                episode.restart_progress()
            episode.history.append(self._envs.save_state(env))
            episode.record(action, self._envs.step([env], np.array([action])), row=0)
        if point.start_offset == episode.length:
            episode.restart_progress()
        while len(episode.history) > point.num_states:
            episode.history.popleft()
        episode.planned = deque(point.planned)
        episode.point = replace(point, log=episode.point.log)
        return episode


def _infos(info: NDArray[np.int64]) -> dict[str, Any]:
    """Return infos in Gymnasium's format for vector environments."""
    columns = dict(zip(INFO_KEYS, info.T, strict=True))
    infos: dict[str, Any] = {key: column.copy() for key, column in columns.items()}
    infos |= {"flag_get": columns["flag_get"] > 0, "status": STATUSES[columns["status"]]}
    present = np.ones(len(info), np.bool_)
    return infos | {f"_{key}": present for key in INFO_KEYS}


def make_correcting_env(
    config: EnvConfig, num_envs: int, corrections: CorrectionConfig, *, seed: int
) -> CorrectingVectorEnv:
    """Make environments that correct failures.

    Args:
        config: the configuration of each environment.
        num_envs: number of environments.
        corrections: the configuration of the search.
        seed: seed of the run.

    Raises:
        UsageError: the game has no compiled save-states.
    """
    if (reason := NativeMarioVectorEnv.limitation(config)) is not None:
        raise UsageError(
            f"corrections need save-states of Super Mario Bros. on the native emulator, but "
            f"{reason}; change that or use another --agent"
        )
    return CorrectingVectorEnv(config, num_envs, seed=seed, corrections=corrections)
