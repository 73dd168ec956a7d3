"""Double DQN: learns the value of each action, from steps drawn out of a replay memory."""

from __future__ import annotations

from functools import partial
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict

from agents.agent import Actions, Agent, AgentConfig, AgentSpec, States, Transitions
from agents.compute.averaging import WeightAverage
from agents.compute.data_parallel import DataParallel
from agents.compute.learner import Learner
from agents.compute.precision import ComputeCopy, resolve_precision
from agents.ddqn.build import (
    build_exploration,
    build_learning_rate,
    build_memory,
    build_network,
    build_optimizer,
    build_shift,
)
from agents.ddqn.config import DDQNConfig
from agents.ddqn.exploration import GREEDY, EpsilonGreedy
from agents.ddqn.loss import loss_and_value
from agents.ddqn.targets import importance_weights
from agents.networks.q_network import QNetwork, with_target, without_target
from agents.networks.tutorial_cnn import is_tutorial, translate
from agents.replay.augmentation import RandomShift
from agents.replay.frame_replay import FrameReplay
from agents.schedules import Linear, crossings

NAMES = ("loss", "q", "grad_norm")
"""What an update reported_metrics."""


class DDQN(Agent):
    """Acts by the highest value, and learns values by Double Q-learning.

    Van Hasselt et al. 2015, https://arxiv.org/abs/1509.06461, with the loss, the optimizer and the
    rhythm of https://pytorch.org/tutorials/intermediate/mario_rl_tutorial.html. Several games at a
    time make as many decisions a step; what goes by decisions then happens several times a step.

    Args:
        spec: the games and the machine.
        network: on ``spec.device``.
        replay: None for an agent that only plays.
        optimizer: of the online part of ``network``.
        parallel: shares the work of learning.
        exploration: when to try something random.
        config: everything else.
        shift: moves the states that are learned from, if they are to be moved.

    Attributes:
        decisions: how many steps were cached, crashed ones left out.
        replay: what it learns from.
        network: what it has learned.
    """

    Config: ClassVar[type[AgentConfig]] = DDQNConfig
    transient: ClassVar[tuple[str, ...]] = ("_crew", "_twin")

    def __init__(
        self,
        spec: AgentSpec,
        network: QNetwork,
        replay: FrameReplay | None,
        optimizer: torch.optim.Optimizer,
        parallel: DataParallel,
        exploration: EpsilonGreedy,
        config: DDQNConfig,
        shift: RandomShift | None = None,
    ) -> None:
        super().__init__(spec)
        self.network = network
        self.replay = replay
        self.decisions = 0
        self._optimizer = optimizer
        self._exploration = exploration
        self._config = config
        self._shift = shift
        self._beta = Linear(config.priority_beta, 1.0, config.priority_beta_steps)
        self._learning_rate = build_learning_rate(config)
        learning = [each for each in network.parameters() if each.requires_grad]
        # playing is in float32 whatever learning is in, or a score would depend on the machine
        precision = config.precision if spec.training else "float32"
        self._twin = ComputeCopy(network, resolve_precision(precision, spec.device), parallel)
        self._crew = parallel
        self._updates = Learner(optimizer, learning, self._twin, parallel, config.max_grad_norm)
        over = config.weight_average_updates if spec.training else 0
        self._average = WeightAverage(network, over) if over else None
        self._learned_at = 0
        self.train(spec.training)

    @classmethod
    def build(cls, spec: AgentSpec, config: AgentConfig) -> Self:
        """Make an agent and its collaborators; torch's own generators are left as they are.

        Raises:
            InsufficientDiskSpace: the disk has no room for the memory.
            TypeError: ``config`` is of another kind of agent.
        """
        if not isinstance(config, DDQNConfig):
            raise TypeError(f"config is {config!r}; give a DDQNConfig")
        network = build_network(spec, config)
        replay = build_memory(spec, config) if spec.training else None
        parallel = DataParallel.of(spec)
        optimizer = build_optimizer(network, parallel, config)
        exploration, shift = build_exploration(spec, config), build_shift(spec, config)
        return cls(spec, network, replay, optimizer, parallel, exploration, config, shift)

    @property
    def exploration_rate(self) -> float:
        """Share of actions that are random at present; 0 while it only plays."""
        return self._exploration.rate if self.training else 0.0

    @property
    def describe_replay(self) -> str:
        """One line on the memory's size and place, and what the tutorial's would take."""
        return super().describe_replay if self.replay is None else self.replay.describe()

    def act(self, states: States) -> Actions:
        """Choose one action per game; a game that explores is not shown to the network."""
        if not self.training:
            return self._best(states)
        actions = self._exploration.choose(len(states))
        greedy = np.flatnonzero(actions == GREEDY)
        if greedy.size:
            actions[greedy] = self._best(states[greedy])
        return actions

    def cache(self, transitions: Transitions) -> None:
        """Store one transition of every environment and count those that are valid."""
        self._require_replay().cache(transitions)
        self.decisions += int(np.count_nonzero(transitions.valid))

    def recall(self) -> TensorDict:
        """Draw transitions; the memory's ``sample`` says what they consist of.

        Those drawn by priority have a ``weight``, and an ``error``, which learning is to set.
        """
        memory = self._require_replay()
        batch = memory.sample(self._config.batch_size)
        if (probabilities := batch.get("probability")) is not None:
            batch["weight"] = importance_weights(probabilities, self._beta(self.decisions))
            batch["error"] = torch.zeros_like(batch["weight"])
        if self.spec.device != "cpu":
            # from pinned memory it crosses to the device while the next lines of Python run
            batch = batch.pin_memory().to(self.spec.device, non_blocking=True)
        if self._shift is not None:
            for side in ("state", "next_state"):
                batch[side] = self._shift(batch[side])
        return batch

    def learn(self) -> dict[str, float] | None:
        """Make the updates that are due since the last call, after the burn-in.

        Returns:
            LossFn over the updates: ``loss``, ``q`` (the values that were corrected) and
            ``grad_norm``; and ``skipped``, how many were not made because the loss or the gradient
            was not finite. Only that, when none was made; None when none was due.

        Raises:
            FloatingPointError: too many in a row were skipped.
        """
        since, self._learned_at = self._learned_at, self.decisions
        if crossings(self._config.sync_every, since, self.decisions):
            self.network.sync_target()
            self._twin.sync()
        if self.decisions < self._config.burnin:
            return None
        since = max(since, self._config.burnin - 1)
        due = crossings(self._config.learn_every, since, self.decisions)
        if not due or not len(self._require_replay()):
            return None
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate(self.decisions)
        rounds = [self._update() for _ in range(due)]
        made = [scalars for scalars in rounds if scalars is not None]
        names = made[0] if made else ()
        means = {name: sum(each[name] for each in made) / len(made) for name in names}
        return means | {"skipped": float(due - len(made))}

    @torch.inference_mode()
    def action_values(self, states: States) -> NDArray[np.float32]:
        """The value of each action."""
        # a copy, since the states may be read-only or written to by the games
        seen = torch.tensor(states, device=self.spec.device)
        network = self._twin.like if self.training else self._acting_network
        values: NDArray[np.float32] = network.online(seen).cpu().numpy()
        return values

    def policy_state_dict(self) -> dict[str, Any]:
        """Return the tensors that it acts with after training; the target is not needed."""
        return without_target(self._acting_network.state_dict())

    def load_policy_state_dict(self, weights: dict[str, Any]) -> None:
        """Restore what `policy_state_dict` returned, or what the tutorial's code saved.

        Raises:
            ValueError: a name or a shape differs.
        """
        known = translate(weights) if is_tutorial(weights) else weights
        super().load_policy_state_dict(with_target(known, self.network.state_dict()))

    def close(self) -> None:
        """Let go of the memory and the threads."""
        self._crew.close()
        if self.replay is not None:
            self.replay.close()

    def _require_replay(self) -> FrameReplay:
        if self.replay is None:
            raise RuntimeError("an agent that only plays has no replay memory; give training=True")
        return self.replay

    @property
    def _acting_network(self) -> QNetwork:
        """The network that acts when the agent is not training."""
        return self.network if self._average is None else self._average.like

    def _best(self, states: States) -> Actions:
        best: Actions = self.action_values(states).argmax(axis=1)
        return best

    def _update(self) -> dict[str, float] | None:
        batch = self.recall()
        means = partial(loss_and_value, self._twin.like, double=self._config.double_q)
        numbers = self._updates.make(means, batch)
        if numbers is None:
            return None
        if self._average is not None:
            self._average.follow()
        if (errors := batch.get("error")) is not None:
            self._require_replay().update_priorities(batch["index"].cpu(), errors.cpu())
        return dict(zip(NAMES, numbers, strict=True))
