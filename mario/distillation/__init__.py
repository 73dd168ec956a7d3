"""Trained agents as teachers of one agent for several games.

The environments of `TeachingVectorEnv` belong to different games. Whatever the agent does in one of
them, the teacher of that game observes the same game in the way in which it was trained, and says
which actions it would take.
"""

from mario.distillation.prepare import prepare_teachers
from mario.distillation.teacher import Teacher
from mario.distillation.teacher_view import TeacherView
from mario.distillation.teaching_env import TeachingVectorEnv, make_teaching_env

__all__ = ["Teacher", "TeacherView", "TeachingVectorEnv", "make_teaching_env", "prepare_teachers"]
