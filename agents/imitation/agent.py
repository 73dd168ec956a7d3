"""DAgger: learns a policy from its own surviving decisions and from corrections of the others."""

from __future__ import annotations

from typing import Any, ClassVar, Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict
from torch import Tensor, nn

from agents.agent import AgentConfig, AgentSpec
from agents.compute.learner import Learner
from agents.imitation.build import build_learner, build_network, build_replay
from agents.imitation.config import DAggerConfig
from agents.imitation.loss import imitation_loss
from agents.imitation.sampler import WeightedSampler
from agents.networks.actor_critic import ActorCritic
from agents.replay.frame_replay import FrameReplay
from agents.replay_agent import ReplayAgent
from agents.schedules import Linear
from agents.transitions import Actions, Guidance, States, Transitions


class DAgger(ReplayAgent):
    """Imitates the decisions of episodes that did not fail.

    Dataset aggregation, Ross, Gordon and Bagnell 2011, https://arxiv.org/abs/1011.0686. All
    decisions are kept in a replay memory. The environments tell by `Transitions.guidance` which of
    them led to a failure, and replace those by corrections. Without guidance, the agent imitates
    all actions.

    Args:
        spec: the environments and the hardware.
        network: the policy, on ``spec.device``.
        replay: the replay memory, with a `WeightedSampler`; None for an agent that is only
            evaluated.
        learner: updates the policy.
        config: all other hyperparameters.

    Attributes:
        network: the policy.
        replay: the replay memory.
        steps: number of valid transitions cached.
    """

    Config: ClassVar[type[AgentConfig]] = DAggerConfig
    reported_metrics: ClassVar[tuple[str, ...]] = ("loss", "agreement")
    guided_by: ClassVar[Literal["corrections", "teachers"] | None] = "corrections"
    label: ClassVar[str] = "action"
    """The entry of a batch that is imitated, see `imitation_loss`."""

    def __init__(
        self,
        spec: AgentSpec,
        network: ActorCritic,
        replay: FrameReplay | None,
        learner: Learner[nn.Sequential],
        config: DAggerConfig,
    ) -> None:
        super().__init__(spec, replay, learner)
        self.network = network
        self.steps = 0
        self._samples_due = 0.0
        self._config = config
        self._learning_rate = Linear(
            config.learning_rate, config.learning_rate_end, config.learning_rate_steps
        )
        self._average = learner.average

    @classmethod
    def build(cls, spec: AgentSpec, config: AgentConfig) -> Self:
        """Create an agent and its parts, without using torch's global random generators.

        Raises:
            InsufficientDiskSpace: the disk has no space for the replay memory.
            TypeError: ``config`` is not a `DAggerConfig`.
        """
        if not isinstance(config, DAggerConfig):
            raise TypeError(f"config is {config!r}; give a DAggerConfig")
        network = build_network(spec, config)
        replay = build_replay(spec, config) if spec.training else None
        return cls(spec, network, replay, build_learner(spec, network, config), config)

    def act(self, states: States) -> Actions:
        """Choose the most probable action of the averaged policy in every environment."""
        actions: Actions = self.action_values(states).argmax(axis=1)
        return actions

    def cache(self, transitions: Transitions) -> None:
        """Store one transition of every environment, and forget those that led to a failure."""
        replay = self._require_replay()
        times = replay.storage.ring.heads.copy()
        replay.cache(transitions)
        self._set_weights(replay.sampler, times, transitions.guidance)
        self.steps += int(np.count_nonzero(transitions.valid))
        self._samples_due += self._config.samples_per_step * len(times)

    def recall(self) -> TensorDict:
        """Sample a batch of transitions by their weights."""
        batch = self._require_replay().sample(self._config.batch_size)
        return batch.select("state", "action").to(self.spec.device)

    def learn(self) -> dict[str, float] | None:
        """Perform the updates that are due, after the burn-in.

        Returns:
            Means over the updates: ``loss``, ``agreement`` and ``grad_norm``; and ``skipped``, the
            number of updates that were not finite. None if no update was due.

        Raises:
            FloatingPointError: too many updates in a row were skipped.
        """
        if self.steps < self._config.burnin or not len(self._require_replay()):
            return None
        due = int(self._samples_due // self._config.batch_size)
        self._samples_due -= due * self._config.batch_size
        if not due:
            return None
        self._learner.set_learning_rate(self._learning_rate(self.steps))
        return self._perform_updates(due)

    @torch.inference_mode()
    def action_values(self, states: States) -> NDArray[np.float32]:
        """Return the probability of each action by the averaged policy."""
        # A copy, since the states may be read-only or overwritten by the environments.
        network = self._acting_network
        tensor = torch.tensor(states, device=self.spec.device)
        logits = network.actor(network.body(tensor).float())
        probabilities: NDArray[np.float32] = logits.softmax(dim=1).cpu().numpy()
        return probabilities

    @property
    def action_values_name(self) -> str:
        """The name of what `action_values` returns."""
        return "probability"

    def policy_state_dict(self) -> dict[str, Any]:
        """Return the averaged weights."""
        return dict(self._acting_network.state_dict())

    @property
    def _acting_network(self) -> ActorCritic:
        return self.network if self._average is None else self._average.network

    def _set_weights(
        self, sampler: Any, times: NDArray[np.int64], guidance: Guidance | None
    ) -> None:
        """Set the weights of the newest rows, and reset those of rows that led to a failure."""
        envs = np.arange(len(times))
        assert isinstance(sampler, WeightedSampler)
        sampler.set_weights(envs, times, 1.0 if guidance is None else guidance.weights)
        if guidance is None:
            return
        for env in np.flatnonzero(guidance.num_discarded):
            discarded = times[env] - np.arange(guidance.num_discarded[env])
            discarded = discarded[discarded >= 0]
            sampler.set_weights(np.full(len(discarded), env), discarded, 0.0)

    def _update(self) -> dict[str, float] | None:
        return self._learner.update(self._loss, self.recall())

    def _loss(self, batch: TensorDict) -> dict[str, Tensor]:
        features = self._learner.compute_network(batch["state"]).float()
        logits = self.network.actor(features)
        return imitation_loss(logits, batch[self.label], self._config.label_smoothing)
