"""REINFORCE: makes likelier what was done in the episodes, or points, that went well."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import numpy as np
import torch
from tensordict import TensorDict
from torch import Tensor, nn

from agents.agent import Actions, Agent, AgentConfig, AgentSpec, States, Transitions
from agents.compute.data_parallel import DataParallel
from agents.networks.policy_mlp import PolicyNetwork
from agents.reinforce.config import REINFORCEConfig
from agents.reinforce.episode_buffer import EpisodeBuffer
from agents.reinforce.loss import (
    differences,
    discounted_returns,
    episode_gradient,
    standardized,
)


class REINFORCE(Agent):
    """Learns a policy from whole episodes: http://karpathy.github.io/2016/05/31/rl/.

    Each episode's gradient is computed when it is over, with the weights as they are then, and
    added to those before; every so many episodes the sum makes one update. Of several games that
    are played at a time, some are under way during an update; of a single game none is.

    Args:
        spec: the games and the machine.
        network: on ``spec.device``.
        optimizer: of ``network``.
        config: everything else.

    Attributes:
        network: what it has learned.
        episodes: how many it has learned from.
    """

    Config: ClassVar[type[AgentConfig]] = REINFORCEConfig
    transient: ClassVar[tuple[str, ...]] = ("_crew", "_sums")
    reported_metrics: ClassVar[tuple[str, ...]] = ("loss", "entropy")

    def __init__(
        self,
        spec: AgentSpec,
        network: PolicyNetwork,
        optimizer: torch.optim.Optimizer,
        config: REINFORCEConfig,
    ) -> None:
        super().__init__(spec)
        self.network = network
        self.episodes = 0
        self._optimizer = optimizer
        self._config = config
        self._memory = EpisodeBuffer(spec.num_envs, len(network.first))
        self._generator = np.random.default_rng(spec.seed)
        self._crew = DataParallel.of(spec)
        self._sums = _zeros(network)

    @classmethod
    def build(cls, spec: AgentSpec, config: AgentConfig) -> Self:
        """Make an agent and its collaborators; torch's own generators are left as they are.

        Raises:
            TypeError: ``config`` is of another kind of agent.
            ValueError: there is nothing to choose.
        """
        if not isinstance(config, REINFORCEConfig):
            raise TypeError(f"config is {config!r}; give a REINFORCEConfig")
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(spec.seed)
            num_pixels = math.prod(spec.state_shape[1:])
            network = PolicyNetwork(num_pixels, spec.num_actions, config.hidden_size)
        network = network.to(spec.device)
        optimizer = torch.optim.RMSprop(
            network.parameters(),
            lr=config.learning_rate,
            alpha=config.rmsprop_decay,
            eps=config.rmsprop_epsilon,
        )
        return cls(spec, network, optimizer, config)

    @property
    def describe_replay(self) -> str:
        """One line on what is kept."""
        return "memory: the episodes that are being played, in RAM"

    @torch.inference_mode()
    def act(self, states: States) -> Actions:
        """Draw one action per game, as likely as the policy has it; only playing, take the best."""
        changes = torch.from_numpy(differences(states)).to(self.spec.device)
        probabilities = self.network(changes).exp().cpu().double().numpy()
        if not self.training:
            return np.asarray(probabilities.argmax(axis=1), np.int64)
        drawn = self._generator.random((len(states), 1))
        below = np.cumsum(probabilities[:, :-1], axis=1)
        return np.asarray((drawn >= below).sum(axis=1), np.int64)

    def cache(self, transitions: Transitions) -> None:
        """Store one transition of every environment."""
        self._memory.cache(differences(transitions.states), transitions)

    def recall(self) -> TensorDict:
        """Take the oldest episode that is over, with the ``advantage`` of each step."""
        episode, config = self._memory.take(), self._config
        returns = discounted_returns(
            episode["reward"].numpy(), config.gamma, config.reset_return_on_reward
        )
        episode["advantage"] = torch.from_numpy(standardized(returns))
        return episode.to(self.spec.device)

    def learn(self) -> dict[str, float] | None:
        """Learn from the episodes that are over.

        Returns:
            LossFn over them: ``loss`` and ``entropy`` (in nats); and ``grad_norm``, if there was an
            update. None when no episode was over.

        Raises:
            FloatingPointError: the gradient is not finite; the weights are as before.
        """
        if not len(self._memory):
            return None
        told, norms = [], []
        while len(self._memory):
            scalars, gradients = episode_gradient(self.network, self.recall(), self._crew)
            told.append(scalars)
            for total, gradient in zip(self._sums, gradients, strict=True):
                total += gradient
            self.episodes += 1
            if self.episodes % self._config.batch_episodes == 0:
                norms.append(self._update())
        loss, entropy = torch.stack(told).mean(dim=0).tolist()
        means = {"loss": loss, "entropy": entropy}
        return means | ({"grad_norm": sum(norms) / len(norms)} if norms else {})

    def state_dict(self) -> dict[str, Any]:
        """Return all that exact resuming needs, with the sums of a batch that is not full yet."""
        return super().state_dict() | {"sums": list(self._sums)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        super().load_state_dict({name: state[name] for name in state if name != "sums"})
        for own, saved in zip(self._sums, state["sums"], strict=True):
            own.copy_(saved)

    def close(self) -> None:
        """Let go of the threads."""
        self._crew.close()

    def _update(self) -> float:
        norm = float(nn.utils.get_total_norm(self._sums))
        if not math.isfinite(norm):
            raise FloatingPointError(
                f"the gradient of {self._config.batch_episodes} episodes has the norm {norm}; "
                f"lower learning_rate, which is {self._config.learning_rate}"
            )
        for parameter, total in zip(self.network.parameters(), self._sums, strict=True):
            parameter.grad = total
        self._optimizer.step()
        self._optimizer.zero_grad()
        self._sums = _zeros(self.network)
        return norm


def _zeros(network: nn.Module) -> list[Tensor]:
    return [torch.zeros_like(each) for each in network.parameters()]
