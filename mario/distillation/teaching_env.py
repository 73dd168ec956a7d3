"""Environments of several games, each of which has a teacher."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from agents import Guidance
from agents.schedules import Linear
from mario.config.env_config import EnvConfig, StartCurriculumConfig
from mario.config.teaching_config import TeachingConfig
from mario.distillation.joint_env import JointVectorEnv
from mario.distillation.teacher import Teacher
from mario.distillation.teacher_view import TeacherView
from mario.errors import UsageError
from mario.runs.trained_agent import TrainedAgent
from mario.vector.base import GameVectorEnv, VectorStepResult
from mario.vector.make import make_vector_env
from mario.vector.native_factory import button_masks
from mario.vector.native_mario import NativeMarioVectorEnv
from mario.vector.replay_point import ReplayPoint
from mario.vector.seeding import episode_seed
from wrappers.sticky_actions import counter_based_uniform


class Lesson(NamedTuple):
    """A game, its teacher, and what the teacher observes.

    Attributes:
        envs: the environments of the game.
        view: the same environments as the teacher observes them.
        teacher: the teacher.
    """

    envs: GameVectorEnv
    view: TeacherView
    teacher: Teacher


class TeachingVectorEnv(JointVectorEnv):
    """Environments of several games, each of which has a teacher.

    ``infos["guidance"]`` has the probabilities that the teacher gives to the actions in the states
    before the step. In some episodes, the teacher acts instead of the agent;
    ``infos["actions"]`` has the actions that were executed.

    Args:
        lessons: the games, closed with these environments.
        teaching: how often the teachers act.
    """

    def __init__(self, lessons: Sequence[Lesson], teaching: TeachingConfig) -> None:
        super().__init__([lesson.envs for lesson in lessons])
        self._lessons = tuple(lessons)
        self._teacher_share = Linear(1.0, teaching.teacher_share, teaching.teacher_share_episodes)
        self._episodes = np.zeros(self.num_envs, np.int64)
        self._teacher_acts = np.zeros(self.num_envs, np.bool_)
        self._actions = np.zeros(self.num_envs, np.int64)
        self._targets: list[NDArray[np.float32]] = []

    def restore(self, points: Sequence[ReplayPoint]) -> tuple[NDArray[Any], dict[str, Any]]:
        """See `GameVectorEnv.restore`."""
        self._targets = [
            lesson.teacher.label(lesson.view.restore(points[where]))
            for lesson, where in zip(self._lessons, self.slices, strict=True)
        ]
        for env, point in enumerate(points):
            self._begin_episode(env, point.episode)
        return super().restore(points)

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """See `GameVectorEnv.step_async`."""
        best = np.concatenate(self._targets).argmax(axis=1)
        self._actions = np.where(self._teacher_acts, best, actions)
        super().step_async(self._actions)
        for lesson, where in zip(self._lessons, self.slices, strict=True):
            lesson.view.step_async(self._actions[where])

    def step_wait(self) -> VectorStepResult:
        """See `GameVectorEnv.step_wait`; the teachers label the new states."""
        observations, rewards, terminated, truncated, infos = super().step_wait()
        guidance = Guidance(
            np.ones(self.num_envs, np.float32), np.zeros(self.num_envs, np.int64),
            np.concatenate(self._targets),
        )  # fmt: skip
        infos |= {"actions": self._actions, "guidance": guidance}
        self._targets = [lesson.teacher.label(lesson.view.step_wait()) for lesson in self._lessons]
        for env in np.flatnonzero(terminated | truncated).tolist():
            self._begin_episode(env, int(self._episodes[env]) + 1)
        return observations, rewards, terminated, truncated, infos

    def close_extras(self, **kwargs: Any) -> None:
        """Close the environments and the teachers."""
        super().close_extras(**kwargs)
        for lesson in self._lessons:
            lesson.view.close()
            lesson.teacher.close()

    def _begin_episode(self, env: int, episode: int) -> None:
        """Decide who acts; it depends only on the episode, so that it can be replayed."""
        # another sequence than that of sticky actions
        uniform = counter_based_uniform(self.episode_seed(env, episode) + 1, 0)
        self._episodes[env] = episode
        self._teacher_acts[env] = uniform < self._teacher_share(episode)


def make_teaching_env(
    config: EnvConfig,
    teachers: Sequence[TrainedAgent],
    num_envs: int,
    teaching: TeachingConfig,
    *,
    seed: int,
) -> TeachingVectorEnv:
    """Make environments of the games on which teachers were trained.

    Args:
        config: the configuration of each environment, except for the game.
        teachers: the teachers.
        num_envs: number of environments, which are divided among the teachers.
        teaching: how they teach.
        seed: seed of the run.

    Raises:
        UsageError: there are more teachers than environments, or a teacher does not fit them.
    """
    if num_envs < len(teachers):
        raise UsageError(
            f"--num-envs {num_envs} is less than the {len(teachers)} teachers; give each at least "
            "one environment"
        )
    with ExitStack() as stack:
        lessons = []
        for index, trained in enumerate(teachers):
            count = len(range(index, num_envs, len(teachers)))
            lesson = _make_lesson(config, trained, count, teaching, episode_seed(seed, index, 0))
            for part in lesson:
                stack.callback(part.close)
            lessons.append(lesson)
        envs = TeachingVectorEnv(lessons, teaching)
        stack.pop_all()
    return envs


def _make_lesson(
    config: EnvConfig, trained: TrainedAgent, num_envs: int, teaching: TeachingConfig, seed: int
) -> Lesson:
    student = replace(config, game=trained.game, start_curriculum=StartCurriculumConfig())
    for each in (student, trained.env_config):
        if (reason := NativeMarioVectorEnv.limitation(each)) is not None:
            raise UsageError(
                f"teachers need levels of Super Mario Bros. on the native emulator, but {reason}"
            )
    return Lesson(
        make_vector_env(student, num_envs=num_envs, seed=seed),
        TeacherView(trained.env_config, student, num_envs=num_envs, seed=seed),
        Teacher(trained, button_masks(student), num_envs, teaching.temperature),
    )
