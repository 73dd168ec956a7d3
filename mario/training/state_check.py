"""Checks that an agent and callbacks can be saved, before a run loses anything."""

from __future__ import annotations

from collections.abc import Sequence

from torch import nn

from agents import Agent
from agents.stateful import check_saveable
from mario.errors import UsageError
from mario.training.callbacks import Callback
from mario.training.loop import TrainingStep


def check_state(agent: Agent, callbacks: Sequence[Callback] = ()) -> None:
    """Check that the state of an agent and of callbacks can be saved.

    Raises:
        UsageError: a part of the agent or of a callback cannot be saved.
    """
    try:
        check_saveable(agent.state_dict(), "state_dict()")
        for callback in callbacks:
            check_saveable(callback.state_dict(), f"state_dict() of {callback.name}")
    except TypeError as error:
        raise UsageError(str(error)) from None
    for kind in type(agent).__mro__:
        for name, value in vars(kind).items():
            if isinstance(value, nn.Module):
                raise UsageError(
                    f"{kind.__name__}.{name} is a module of the class, which is not saved; "
                    f"assign self.{name} in __init__"
                )


class StateCheck(Callback):
    """Checks the agent's state once more after its first step and its first update.

    An attribute may first get its value in ``cache`` or ``learn``, and a network may be hidden
    where it is not found, such as in a function.

    Args:
        agent: the agent, before its first step.
    """

    name = "state check"

    def __init__(self, agent: Agent) -> None:
        self._agent = agent
        self._names = agent.state_dict().keys()
        self._is_checked = self._has_learned = False

    def on_update(self, metrics: dict[str, float]) -> None:
        """Check that an agent that learns has something to save.

        Raises:
            UsageError: it has nothing.
        """
        if not self._has_learned and not self._agent.policy_state_dict():
            raise UsageError(
                f"{type(self._agent).__name__} learns, but none of its attributes is a module or a "
                "tensor, so nothing would be saved; assign its network to an attribute of self"
            )
        self._has_learned = True

    def on_step(self, step: TrainingStep) -> None:
        """Check the state after the first step, in which `Agent.cache` was called.

        Raises:
            UsageError: an attribute is new or cannot be saved.
        """
        if self._is_checked:
            return
        self._is_checked = True
        check_state(self._agent)
        if new := self._agent.state_dict().keys() - self._names:
            raise UsageError(
                f"attribute {min(new)} of {type(self._agent).__name__} does not exist before the "
                "first step, so a resumed run could not restore it; set it in __init__, "
                "for example to None"
            )
