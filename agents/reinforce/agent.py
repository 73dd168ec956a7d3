"""REINFORCE: increases the probability of actions that were followed by high returns."""

from __future__ import annotations

from typing import ClassVar, Self

import numpy as np
import torch
from tensordict import TensorDict
from torch import Tensor

from agents.agent import Agent, AgentConfig, AgentSpec
from agents.compute.learner import Learner
from agents.networks.policy_mlp import PolicyNetwork
from agents.reinforce.build import build_learner, build_network
from agents.reinforce.config import REINFORCEConfig
from agents.reinforce.episode_buffer import EpisodeBuffer
from agents.reinforce.loss import differences, discounted_returns, reinforce_loss, standardized
from agents.transitions import Actions, States, Transitions


class REINFORCE(Agent):
    """Learns a policy from whole episodes: http://karpathy.github.io/2016/05/31/rl/.

    The gradient of an episode is computed with the current weights after the episode has ended. One
    update uses the sum of the gradients of ``batch_episodes`` episodes. With several environments,
    some episodes are in progress during an update.

    Args:
        spec: the environments and the hardware.
        network: the policy, on ``spec.device``.
        learner: updates ``network``.
        config: all other hyperparameters.

    Attributes:
        network: the policy.
        episodes: number of episodes learned from.
    """

    Config: ClassVar[type[AgentConfig]] = REINFORCEConfig
    reported_metrics: ClassVar[tuple[str, ...]] = ("loss", "entropy")

    def __init__(
        self,
        spec: AgentSpec,
        network: PolicyNetwork,
        learner: Learner[PolicyNetwork],
        config: REINFORCEConfig,
    ) -> None:
        super().__init__(spec)
        self.network = network
        self.episodes = 0
        self._learner = learner
        self._config = config
        self._buffer = EpisodeBuffer(spec.num_envs, len(network.first))
        self._rng = np.random.default_rng(spec.seed)

    @classmethod
    def build(cls, spec: AgentSpec, config: AgentConfig) -> Self:
        """Create an agent and its parts, without using torch's global random generators.

        Raises:
            TypeError: ``config`` is not a `REINFORCEConfig`.
            ValueError: there are fewer than two actions.
        """
        if not isinstance(config, REINFORCEConfig):
            raise TypeError(f"config is {config!r}; give a REINFORCEConfig")
        network = build_network(spec, config)
        return cls(spec, network, build_learner(spec, network, config), config)

    @property
    def replay_description(self) -> str:
        """One line about the stored episodes."""
        return "memory: the episodes in progress, in RAM"

    @torch.inference_mode()
    def act(self, states: States) -> Actions:
        """Sample one action per environment, or take the most probable one.

        The most probable action is taken outside training if ``config.deterministic`` is True.
        """
        frame_differences = torch.from_numpy(differences(states)).to(self.spec.device)
        probabilities = self.network(frame_differences).exp().cpu().double().numpy()
        if self._config.deterministic and not self.training:
            return np.asarray(probabilities.argmax(axis=1), np.int64)
        uniform = self._rng.random((len(states), 1))
        upper_bounds = np.cumsum(probabilities[:, :-1], axis=1)
        return np.asarray((uniform >= upper_bounds).sum(axis=1), np.int64)

    def cache(self, transitions: Transitions) -> None:
        """Store one transition of every environment."""
        self._buffer.cache(differences(transitions.states), transitions)

    def recall(self) -> TensorDict:
        """Remove the oldest finished episode and return it, with the ``advantage`` of each step.

        Raises:
            LookupError: no episode is finished.
        """
        episode, config = self._buffer.take(), self._config
        rewards, steps = episode["reward"].numpy(), len(episode)
        returns = discounted_returns(rewards, config.gamma, config.reset_return_on_reward)
        if config.reset_return_on_reward and episode["truncated"].any():
            # The returns of steps after the last reward are unknown. Their advantages stay 0.
            steps = int(np.flatnonzero(rewards).max(initial=-1)) + 1
        advantages = np.zeros(len(episode), np.float32)
        if steps:
            advantages[:steps] = standardized(returns[:steps])
        episode["advantage"] = torch.from_numpy(advantages)
        return episode.to(self.spec.device)

    def learn(self) -> dict[str, float] | None:
        """Learn from the finished episodes.

        Returns:
            Means over the episodes: ``loss`` and ``entropy`` in nats. If an update was due, also
            ``skipped``, the number of updates that were not finite, and the mean ``grad_norm`` of
            the others. None if no episode was finished.

        Raises:
            FloatingPointError: too many updates in a row were skipped.
        """
        if not len(self._buffer):
            return None
        means, updates = [], []
        while len(self._buffer):
            episode = self.recall()
            # The weight turns the mean over the steps into their sum.
            scalars = self._learner.accumulate(self._loss, episode, weight=len(episode))
            means.append(torch.stack([scalars["loss"], scalars["entropy"]]))
            self.episodes += 1
            if self.episodes % self._config.batch_episodes == 0:
                updates.append(self._learner.step())
        loss, entropy = torch.stack(means).mean(dim=0).tolist()
        return {"loss": loss, "entropy": entropy} | _summarize(updates)

    def close(self) -> None:
        """Stop the threads."""
        self._learner.close()

    def _loss(self, steps: TensorDict) -> dict[str, Tensor]:
        log_probs = self._learner.compute_network(steps["difference"])
        return reinforce_loss(log_probs, steps["action"], steps["advantage"])


def _summarize(updates: list[dict[str, float] | None]) -> dict[str, float]:
    norms = [scalars["grad_norm"] for scalars in updates if scalars is not None]
    skipped = {"skipped": float(len(updates) - len(norms))} if updates else {}
    return skipped | ({"grad_norm": sum(norms) / len(norms)} if norms else {})
