"""Proximal policy optimization: learns probabilities of actions from the latest steps of many games."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict
from torch import Tensor

from agents.agent import EPISODE_START, Actions, Agent, AgentConfig, AgentSpec, States, Transitions
from agents.compute.data_parallel import DataParallel
from agents.compute.learner import Learner
from agents.compute.precision import ComputeCopy, resolve_precision
from agents.networks.actor_critic import ActorCritic
from agents.ppo.actor import ActionSample, Actor
from agents.ppo.advantages import explained_variance
from agents.ppo.build import build_adam, build_policy, build_rollout, build_schedule
from agents.ppo.config import PPOConfig
from agents.ppo.loss import MEANS, PPOLoss, prepare
from agents.ppo.rollout_buffer import RolloutBuffer, dealt


class PPO(Agent):
    """Acts by probabilities, and moves them a little towards what turned out better than expected.

    Schulman et al. 2017, https://arxiv.org/abs/1707.06347, as OpenAI's baselines have it in ppo2.
    The program's loop learns while the games run: by then the first action after a rollout is
    chosen, by the policy before. So it is learned from as what it is, with the chance it had.

    Args:
        spec: the games and the machine.
        network: on ``spec.device``.
        rollout: empty; None for an agent that only plays.
        optimizer: of all of ``network``, in the order of its parameters.
        parallel: shares the work of learning.
        config: everything else.

    Attributes:
        decisions: how many steps were cached, crashed ones left out.
        rollout: the latest of them.
        network: what it has learned.
    """

    Config: ClassVar[type[AgentConfig]] = PPOConfig
    transient: ClassVar[tuple[str, ...]] = ("_crew", "_twin", "_choice")
    reported_metrics: ClassVar[tuple[str, ...]] = (*MEANS, "explained_variance")

    def __init__(
        self,
        spec: AgentSpec,
        network: ActorCritic,
        rollout: RolloutBuffer | None,
        optimizer: torch.optim.Optimizer,
        parallel: DataParallel,
        config: PPOConfig,
    ) -> None:
        super().__init__(spec)
        self.network = network
        self.rollout = rollout
        self.decisions = 0
        self._config, self._optimizer = config, optimizer
        precision = config.precision if spec.training else "float32"
        self._twin = ComputeCopy(network.body, resolve_precision(precision, spec.device), parallel)
        self._actor = Actor(network, self._twin, spec.device, spec.seed)
        self._crew = parallel
        self._updates = Learner(
            optimizer, list(network.parameters()), self._twin, parallel, config.max_grad_norm
        )
        self._order = np.random.default_rng((spec.seed, 1))
        self._learned_at = 0
        self._choice: ActionSample | None = None
        self.train(spec.training)

    @classmethod
    def build(cls, spec: AgentSpec, config: AgentConfig) -> Self:
        """Make an agent and its collaborators; torch's own generators are left as they are.

        Raises:
            TypeError: ``config`` is of another kind of agent.
            ValueError: there are not enough steps or games for the minibatches.
        """
        if not isinstance(config, PPOConfig):
            raise TypeError(f"config is {config!r}; give a PPOConfig")
        network = build_policy(spec, config)
        rollout = build_rollout(spec, config, network.state_size) if spec.training else None
        parallel = DataParallel.of(spec)
        return cls(spec, network, rollout, build_adam(network, parallel, config), parallel, config)

    @property
    def describe_replay(self) -> str:
        """One line on the size of the rollout."""
        if self.rollout is None:
            return super().describe_replay
        horizon, games = self.rollout.horizon, self.spec.num_envs
        return (
            f"memory: the latest {horizon * games:,} decisions, {horizon:,} of each game, "
            f"{self.rollout.nbytes / 1e9:.2f} GB"
        )

    def train(self, mode: bool = True) -> None:
        """Learn from now on, or only play: new episodes, with rng of their own."""
        super().train(mode)
        self._actor.train(mode)

    def carry_recurrent_state(self, indices: NDArray[np.int64]) -> None:
        """Let what is remembered go with its games, and forget it where an episode begins."""
        self._actor.carry_recurrent_state(indices)

    def action_values(self, states: States) -> NDArray[np.float32]:
        """The chance of each action, in states that `act` was last asked for if it was."""
        recurrent_state = None if self._choice is None else self._choice.recurrent_state
        return self._actor.probabilities(states, recurrent_state)

    @property
    def action_values_name(self) -> str:
        """What `action_values` gives."""
        return "chance"

    def act(self, states: States) -> Actions:
        """Draw one action per game; when it plays and is ``deterministic``, take the greedy."""
        greedy = self._config.deterministic and not self.training
        self._choice = self._actor.choose(states, greedy)
        return self._choice.actions

    def cache(self, transitions: Transitions) -> None:
        """Remember one step of every game, the one that `act` was last asked for.

        Raises:
            RuntimeError: `act` was not asked, or the rollout waits to be learned from.
        """
        rollout, choice = self._kept(), self._choice
        if choice is None:
            raise RuntimeError("act was not asked for the step that is cached; call it before")
        tensor = partial(torch.tensor, device=self.spec.device)
        valid, ended, terminated = transitions.valid, transitions.ended, transitions.terminated
        cut_off = ended | (rollout.length == rollout.horizon - 1)
        bootstrapped = cut_off & valid & ~terminated
        taken, happened = tensor(transitions.actions), tensor(valid)
        log_probs, values = choice.output.log_probs[:, 0], choice.output.values[:, 0]
        step = {
            "state": choice.states,
            "action": taken,
            "log_prob": log_probs.gather(1, taken[:, None]).squeeze(1),
            "value": values,
            "next_value": self._actor.values(transitions.next_states, bootstrapped),
            # no advantage in what never happened; the step before it is bootstrapped from its value
            "reward": torch.where(happened, tensor(transitions.rewards), values),
            "terminated": tensor(terminated | ~valid),
            "ended": tensor(ended),
            "happened": happened,
        }
        rollout.add(step, choice.recurrent_state)
        self._choice = None
        if ended.any():
            self.carry_recurrent_state(np.where(ended, EPISODE_START, np.arange(len(ended))))
        self.decisions += int(np.count_nonzero(valid))

    def recall(self) -> TensorDict:
        """The latest steps and what is to be learned from them, see `RolloutBuffer.sequences`."""
        config, whole = self._config, self.network.state_size > 0
        return self._kept().sequences(config.gamma, config.gae_lambda, whole=whole)

    def learn(self) -> dict[str, float] | None:
        """Learn once the rollout is full, then forget it.

        Returns:
            LossFn over the updates: `MEANS` and the length of the gradient; how much of the
            returns' variance the values foresaw; the learning rate and the clip range; and how
            many updates were made and how many were skipped. None while it is not time.

        Raises:
            FloatingPointError: the updates are no longer finite.
        """
        if not self._kept().full:
            return None
        rate, clip, bonus = (
            build_schedule(self._config, name)(self._learned_at)
            for name in ("learning_rate", "clip_range", "entropy_coef")
        )
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        value_clip = clip if self._config.clip_value_loss else math.inf
        loss = PPOLoss(clip, value_clip, self._config.value_coef, bonus)
        batch = self.recall()
        rounds = list(self._go_over(batch, loss))
        self._kept().clear()
        self._learned_at = self.decisions
        return _summary(rounds) | {
            "explained_variance": explained_variance(batch["value"], batch["return"]),
            "learning_rate": rate,
            "clip_range": clip,
        }

    def close(self) -> None:
        """Let go of the threads."""
        self._crew.close()

    def _kept(self) -> RolloutBuffer:
        if self.rollout is None:
            raise RuntimeError("an agent that only plays has no rollout; give training=True")
        return self.rollout

    def _go_over(self, batch: TensorDict, loss: PPOLoss) -> Iterator[list[float] | None]:
        """Make the updates of all epochs; gives what `Learner.make` gives."""

        def means(part: TensorDict) -> Tensor:
            """What the loss makes of a part, seen through the policy as it is now."""
            return loss(
                self._actor.look(part["state"], part["recurrent_state"], part["begins"]), part
            )

        for _ in range(self._config.epochs):
            order = self._order.permutation(len(batch))
            for index in np.array_split(order, self._config.minibatches):
                chosen = dealt(batch, torch.as_tensor(index, device=self.spec.device))
                found = self._updates.make(
                    means, prepare(chosen, self._config.normalize_advantages)
                )
                yield found
                limit = self._config.target_kl
                if limit is not None and found and found[MEANS.index("approx_kl")] > limit:
                    return


def _summary(rounds: list[list[float] | None]) -> dict[str, float]:
    """The means over the updates that were made, by name, and their number."""
    made = [numbers for numbers in rounds if numbers is not None]
    means = np.mean(made, axis=0).tolist() if made else ()
    return dict(zip((*MEANS, "grad_norm"), means, strict=False)) | {
        "updates": float(len(made)),
        "skipped": float(len(rounds) - len(made)),
    }
