"""What a teacher observes of the games that another agent plays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mario.config.env_config import EnvConfig, StartCurriculumConfig
from mario.distillation.action_mapping import nearest_actions
from mario.errors import UsageError
from mario.vector.make import make_vector_env
from mario.vector.native_factory import button_masks
from mario.vector.replay_point import ReplayPoint
from wrappers.observation import marker_size

NONE = -1
"""Stands for no action, before the first one of an episode."""


class TeacherView:
    """The games of another agent as a teacher observes them.

    The games are played a second time, with the same actions from the same starts, but with the
    wrappers of the teacher. An action that the teacher does not have is shown to it as the nearest
    one that it has.

    Args:
        teacher: configuration of the teacher's environments.
        student: configuration of the other agent's environments, of the same game.
        num_envs: number of environments.
        seed: seed of the other agent's environments.

    Raises:
        UsageError: the teacher has another frame skip.
    """

    def __init__(self, teacher: EnvConfig, student: EnvConfig, *, num_envs: int, seed: int) -> None:
        if teacher.wrappers.skip != student.wrappers.skip:
            raise UsageError(
                f"the teacher of {teacher.game} has frame skip {teacher.wrappers.skip}, this run "
                f"has {student.wrappers.skip}; change --wrappers.skip"
            )
        wrappers = replace(
            teacher.wrappers,
            show_action=False,
            noop_max=student.wrappers.noop_max,
            repeat_action_probability=student.wrappers.repeat_action_probability,
        )
        config = replace(
            student, game=teacher.game, wrappers=wrappers, start_curriculum=StartCurriculumConfig()
        )
        self._envs = make_vector_env(config, num_envs=num_envs, seed=seed)
        masks = button_masks(teacher)
        self._shown = nearest_actions(button_masks(student), masks)
        size = marker_size(wrappers.size, len(masks)) if teacher.wrappers.show_action else 0
        self._markers = ActionMarkers(num_envs, wrappers.stack, len(masks), size)

    def restore(self, points: Sequence[ReplayPoint]) -> NDArray[np.uint8]:
        """Return the observations at the points of the other agent's environments."""
        observations, _ = self._envs.restore(points)
        self._markers.restart([self._shown[point.log.actions] for point in points])
        return self._markers.draw(observations)

    def step_async(self, actions: NDArray[np.int64]) -> None:
        """Start a step with the actions of the other agent, int64 ``(num_envs,)``."""
        self._markers.append(self._shown[actions])
        self._envs.step_async(actions)

    def step_wait(self) -> NDArray[np.uint8]:
        """Return the observations after the step."""
        observations, _, terminated, truncated, _ = self._envs.step_wait()
        self._markers.clear(terminated | truncated)
        return self._markers.draw(observations)

    def close(self) -> None:
        """Close the environments."""
        self._envs.close()


class ActionMarkers:
    """Draws the previous actions into stacks of images, as `wrappers.ShowAction` does into images.

    Args:
        num_envs: number of environments.
        stack: number of images in a stack.
        num_actions: number of actions.
        size: side length of a marker in pixels; 0 for none.
    """

    def __init__(self, num_envs: int, stack: int, num_actions: int, size: int) -> None:
        self._recent = np.full((num_envs, stack), NONE)
        self._num_actions, self._size = num_actions, size

    def restart(self, actions: Sequence[NDArray[np.int64]]) -> None:
        """Set all actions of the episodes so far, one array per environment."""
        self._recent[:] = NONE
        stack = self._recent.shape[1]
        for recent, taken in zip(self._recent, actions, strict=True):
            newest = taken[-stack:]
            recent[stack - len(newest) :] = newest

    def append(self, actions: NDArray[np.int64]) -> None:
        """Add an action of every environment, int64 ``(num_envs,)``."""
        self._recent[:, :-1] = self._recent[:, 1:]
        self._recent[:, -1] = actions

    def clear(self, envs: NDArray[np.bool_]) -> None:
        """Forget the actions of environments whose episode ended, bool ``(num_envs,)``."""
        self._recent[envs] = NONE

    def draw(self, observations: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Draw the markers into the observations, uint8 ``(num_envs, stack, H, W)``."""
        size = self._size
        if not size:
            return observations
        observations[:, :, :size, : size * self._num_actions] = 0
        for env, image in zip(*np.nonzero(self._recent != NONE), strict=True):
            left = size * self._recent[env, image]
            observations[env, image, :size, left : left + size] = 255
        return observations
