"""Double DQN: learns action values from transitions in a replay memory."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict

from agents.agent import AgentConfig, AgentSpec
from agents.compute.learner import Learner
from agents.ddqn.build import (
    build_demonstrations,
    build_exploration,
    build_learner,
    build_learning_rate,
    build_network,
    build_random_shift,
    build_replay,
)
from agents.ddqn.config import DDQNConfig
from agents.ddqn.demonstrations import DemonstrationSampler
from agents.ddqn.exploration import GREEDY, EpsilonGreedy
from agents.ddqn.loss import double_q_loss, importance_weights
from agents.networks.q_network import QNetwork, with_target, without_target
from agents.networks.tutorial_cnn import is_tutorial, translate
from agents.replay.augmentation import RandomShift
from agents.replay.frame_replay import FrameReplay
from agents.replay_agent import ReplayAgent
from agents.schedules import Linear, crossings
from agents.transitions import Actions, States, Transitions


class DDQN(ReplayAgent):
    """Learns action values by Double Q-learning, and acts epsilon-greedily on them.

    Van Hasselt et al. 2015, https://arxiv.org/abs/1509.06461, with the loss, the optimizer and the
    intervals of https://pytorch.org/tutorials/intermediate/mario_rl_tutorial.html. Intervals count
    the steps of all environments, so several updates can be due after one call of `cache`.

    Args:
        spec: the environments and the hardware.
        network: the online and target network, on ``spec.device``.
        replay: the replay memory; None for an agent that is only evaluated.
        learner: updates the online part of ``network``.
        exploration: chooses when to take a random action.
        config: all other hyperparameters.
        random_shift: augmentation of training batches; None for none.
        demonstrations: transitions of demonstrations for a share of each batch; None for none.

    Attributes:
        network: the online and target network.
        replay: the replay memory.
        steps: number of valid transitions cached.
    """

    Config: ClassVar[type[AgentConfig]] = DDQNConfig

    def __init__(
        self,
        spec: AgentSpec,
        network: QNetwork,
        replay: FrameReplay | None,
        learner: Learner[QNetwork],
        exploration: EpsilonGreedy,
        config: DDQNConfig,
        random_shift: RandomShift | None = None,
        demonstrations: DemonstrationSampler | None = None,
    ) -> None:
        super().__init__(spec, replay, learner)
        self.network = network
        self.steps = 0
        self._learned_at = 0
        self._exploration = exploration
        self._config = config
        self._random_shift = random_shift
        self._demonstrations = demonstrations
        self._beta = Linear(config.priority_beta, 1.0, config.priority_beta_steps)
        self._learning_rate = build_learning_rate(config)
        self._average = learner.average
        self.train(spec.training)

    @classmethod
    def build(cls, spec: AgentSpec, config: AgentConfig) -> Self:
        """Create an agent and its parts, without using torch's global random generators.

        Raises:
            InsufficientDiskSpace: the disk has no space for the replay memory.
            TypeError: ``config`` is not a `DDQNConfig`.
        """
        if not isinstance(config, DDQNConfig):
            raise TypeError(f"config is {config!r}; give a DDQNConfig")
        network = build_network(spec, config)
        return cls(
            spec,
            network,
            build_replay(spec, config) if spec.training else None,
            build_learner(spec, network, config),
            build_exploration(spec, config),
            config,
            build_random_shift(spec, config),
            build_demonstrations(spec, config),
        )

    @property
    def exploration_rate(self) -> float:
        """The current fraction of random actions; 0 outside training."""
        return self._exploration.rate if self.training else 0.0

    def act(self, states: States) -> Actions:
        """Choose one action per environment; only those that do not explore use the network."""
        if not self.training:
            return self._greedy(states)
        actions = self._exploration.choose(len(states))
        greedy = np.flatnonzero(actions == GREEDY)
        if greedy.size:
            actions[greedy] = self._greedy(states[greedy])
        return actions

    def cache(self, transitions: Transitions) -> None:
        """Store one transition of every environment and count the valid ones."""
        self._require_replay().cache(transitions)
        self._exploration.end_episodes(transitions.ended)
        self.steps += int(np.count_nonzero(transitions.valid))

    def cache_played(self, transitions: Transitions, envs: NDArray[np.int64]) -> None:
        """Store one step of some environments, whose actions were chosen in another process.

        Args:
            transitions: the step. Only the newest frame of each state is used.
            envs: the environments of the rows, int64.
        """
        self._require_replay().cache(transitions, envs)
        self._exploration.steps += len(envs)
        self.steps += int(np.count_nonzero(transitions.valid))

    def recall(self) -> TensorDict:
        """Sample a batch of transitions, see `agents.replay.frame_replay.FrameReplay.sample`.

        With prioritized replay, the batch contains the importance weights, ``weight``, instead of
        the probabilities, and ``error``, to which the loss writes the temporal-difference errors.
        Transitions of demonstrations come last.
        """
        batch = self._require_replay().sample(self._num_own_rows)
        if (probabilities := batch.pop("probability", None)) is not None:
            batch["weight"] = importance_weights(probabilities, self._beta(self.steps))
            batch["error"] = torch.zeros_like(batch["weight"])
        if self._demonstrations is not None:
            batch = self._demonstrations.extend(batch, self.steps)
        if self.spec.device.startswith("cuda"):
            # A copy from pinned memory runs asynchronously.
            batch = batch.pin_memory().to(self.spec.device, non_blocking=True)
        elif self.spec.device != "cpu":
            batch = batch.to(self.spec.device)
        if self._random_shift is not None:
            for key in ("state", "next_state"):
                batch[key] = self._random_shift(batch[key])
        return batch

    def learn(self) -> dict[str, float] | None:
        """Perform the updates that became due since the last call, after the burn-in.

        Returns:
            Means over the updates: ``loss``, ``q`` (the values of the actions taken) and
            ``grad_norm``; and ``skipped``, the number of updates that were not finite. If all were
            skipped, only ``skipped``. None if no update was due.

        Raises:
            FloatingPointError: too many updates in a row were skipped.
        """
        since, self._learned_at = self._learned_at, self.steps
        if crossings(self._config.sync_every, since, self.steps):
            self.network.sync_target()
            self._learner.sync()
        if self.steps < self._config.burnin:
            return None
        since = max(since, self._config.burnin - 1)
        due = crossings(self._config.learn_every, since, self.steps)
        if not due or not len(self._require_replay()):
            return None
        self._learner.set_learning_rate(self._learning_rate(self.steps))
        return self._perform_updates(due)

    def start_at(self, steps: int) -> None:
        """Continue the schedules and intervals as after ``steps`` steps."""
        self.steps = self._learned_at = self._exploration.steps = steps

    @torch.inference_mode()
    def action_values(self, states: States) -> NDArray[np.float32]:
        """Return the Q value of each action."""
        # A copy, since the states may be read-only or overwritten by the environments.
        tensor = torch.tensor(states, device=self.spec.device)
        network = self._learner.compute_network if self.training else self._evaluation_network
        values: NDArray[np.float32] = network.online(tensor).cpu().numpy()
        return values

    def policy_state_dict(self) -> dict[str, Any]:
        """Return the tensors needed to act, which exclude those of the target network."""
        return without_target(self._evaluation_network.state_dict())

    def load_policy_state_dict(self, weights: dict[str, Any]) -> None:
        """Restore what `policy_state_dict` returned, or what the tutorial's code saved.

        Raises:
            ValueError: a name or a shape differs.
        """
        known = translate(weights) if is_tutorial(weights) else weights
        super().load_policy_state_dict(with_target(known, self.network.state_dict()))

    def close(self) -> None:
        """Release the replay memory and stop the threads."""
        super().close()
        if self._demonstrations is not None:
            self._demonstrations.close()

    @property
    def _num_own_rows(self) -> int:
        """Number of transitions of a batch that the agent experienced itself."""
        demonstrations = self._demonstrations
        demonstrated = 0 if demonstrations is None else demonstrations.num_rows
        return self._config.batch_size - demonstrated

    @property
    def _evaluation_network(self) -> QNetwork:
        """The network for evaluation and play, always in float32."""
        return self.network if self._average is None else self._average.network

    def _greedy(self, states: States) -> Actions:
        actions: Actions = self.action_values(states).argmax(axis=1)
        return actions

    def _update(self) -> dict[str, float] | None:
        batch = self.recall()
        loss_fn = partial(
            double_q_loss, self._learner.compute_network,
            double=self._config.double_q, margin=self._config.demonstration_margin,
        )  # fmt: skip
        scalars = self._learner.update(loss_fn, batch)
        if scalars is None:
            return None
        if (errors := batch.get("error")) is not None:
            own = slice(self._num_own_rows)
            self._require_replay().update_priorities(batch["index"][own].cpu(), errors[own].cpu())
        return scalars
