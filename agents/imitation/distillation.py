"""Policy distillation: one network learns the policies of several trained agents."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from tensordict import TensorDict

from agents.agent import AgentConfig, AgentSpec
from agents.imitation.agent import DAgger
from agents.imitation.targets import TargetMemory
from agents.transitions import Transitions


class Distillation(DAgger):
    """Imitates the action probabilities that teachers give to the states that it reaches.

    Policy distillation, Rusu et al. 2015, https://arxiv.org/abs/1511.06295, on the states of the
    student as in Czarnecki et al. 2019, https://arxiv.org/abs/1902.02186. The environments tell the
    probabilities by `Transitions.guidance`, which they must have.
    """

    guided_by: ClassVar[Literal["corrections", "teachers"] | None] = "teachers"
    label: ClassVar[str] = "target"

    _targets: TargetMemory | None = None
    """None for an agent that is only evaluated."""

    @classmethod
    def build(cls, spec: AgentSpec, config: AgentConfig) -> Self:
        """See `DAgger.build`."""
        agent = super().build(spec, config)
        if agent.replay is not None:
            agent._targets = TargetMemory(agent.replay.storage, spec.num_actions)
        return agent

    def cache(self, transitions: Transitions) -> None:
        """Store one transition of every environment, with the probabilities of the teachers.

        Raises:
            ValueError: the transitions have no probabilities.
        """
        guidance = transitions.guidance
        if guidance is None or guidance.targets is None or self._targets is None:
            raise ValueError("transitions have no targets; train in environments with teachers")
        self._targets.write(self._require_replay().storage.ring.heads, guidance.targets)
        super().cache(transitions)

    def recall(self) -> TensorDict:
        """Sample a batch of states and their targets."""
        batch = self._require_replay().sample(self._config.batch_size)
        assert self._targets is not None
        batch["target"] = self._targets.read(batch["index"])
        return batch.select("state", "target").to(self.spec.device)
