"""Proximal policy optimization: learns a policy from the latest steps of several environments."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from tensordict import TensorDict
from torch import Tensor, nn

from agents.agent import EPISODE_START, Agent, AgentConfig, AgentSpec
from agents.compute.learner import Learner
from agents.networks.actor_critic import ActorCritic
from agents.ppo.actor import ActionSample, Actor
from agents.ppo.build import build_learner, build_network, build_rollout, build_schedule
from agents.ppo.config import PPOConfig
from agents.ppo.gae import explained_variance
from agents.ppo.loss import MEANS, PPOLoss, prepare_minibatch
from agents.ppo.rollout_buffer import RolloutBuffer, select_rows
from agents.transitions import Actions, States, Transitions


class PPO(Agent):
    """Samples actions from a policy, and improves it in small steps.

    Schulman et al. 2017, https://arxiv.org/abs/1707.06347, as in ``ppo2`` of OpenAI Baselines. The
    training loop calls `learn` while the environments step. At that time, the policy before the
    update has already chosen the first action of the next rollout. The loss uses the probability
    that this older policy assigned to the action.

    Args:
        spec: the environments and the hardware.
        network: the policy and its value function, on ``spec.device``.
        rollout: an empty rollout buffer; None for an agent that is only evaluated.
        learner: computes with ``network.body`` and updates all parameters of ``network``.
        config: all other hyperparameters.

    Attributes:
        network: the policy and its value function.
        rollout: the steps since the last update.
        steps: number of valid transitions cached.
    """

    Config: ClassVar[type[AgentConfig]] = PPOConfig
    reported_metrics: ClassVar[tuple[str, ...]] = (*MEANS, "explained_variance")
    transient: ClassVar[tuple[str, ...]] = ("_last_sample",)

    def __init__(
        self,
        spec: AgentSpec,
        network: ActorCritic,
        rollout: RolloutBuffer | None,
        learner: Learner[nn.Sequential],
        config: PPOConfig,
    ) -> None:
        super().__init__(spec)
        self.network = network
        self.rollout = rollout
        self.steps = 0
        self._learned_at = 0
        self._config = config
        self._learner = learner
        self._actor = Actor(network, self._training_body, spec.device, spec.seed)
        self._shuffle_rng = np.random.default_rng((spec.seed, 1))
        self._last_sample: ActionSample | None = None
        self.train(spec.training)

    @classmethod
    def build(cls, spec: AgentSpec, config: AgentConfig) -> Self:
        """Create an agent and its parts, without using torch's global random generators.

        Raises:
            TypeError: ``config`` is not a `PPOConfig`.
            ValueError: a rollout has fewer sequences than minibatches.
        """
        if not isinstance(config, PPOConfig):
            raise TypeError(f"config is {config!r}; give a PPOConfig")
        network = build_network(spec, config)
        rollout = build_rollout(spec, config, network.state_size) if spec.training else None
        return cls(spec, network, rollout, build_learner(spec, network, config), config)

    @property
    def replay_description(self) -> str:
        """One line on the size of the rollout buffer."""
        if self.rollout is None:
            return super().replay_description
        horizon, num_envs = self.rollout.horizon, self.spec.num_envs
        return (
            f"memory: the latest {horizon * num_envs:,} steps, {horizon:,} of each environment, "
            f"{self.rollout.nbytes / 1e9:.2f} GB"
        )

    def train(self, mode: bool = True) -> None:
        """Resume the training episodes, or start evaluation episodes with their own generator."""
        super().train(mode)
        self._actor.train(mode)

    def carry_recurrent_state(self, indices: NDArray[np.int64]) -> None:
        """Reorder the recurrent state, and reset it where an episode starts."""
        self._actor.carry_recurrent_state(indices)

    def action_values(self, states: States) -> NDArray[np.float32]:
        """Return the probability of each action, ``(num_envs, num_actions)``.

        Args:
            states: states of the last `act`, if `cache` was not called since then; otherwise the
                current states. uint8 ``(num_envs, *state_shape)``.
        """
        sample = self._last_sample
        recurrent_state = None if sample is None else sample.recurrent_state
        return self._actor.probabilities(states, recurrent_state)

    @property
    def action_values_name(self) -> str:
        """The name of what `action_values` returns."""
        return "probability"

    def act(self, states: States) -> Actions:
        """Sample one action per environment, or take the most probable one.

        The most probable action is taken outside training if ``config.deterministic`` is True.
        """
        greedy = self._config.deterministic and not self.training
        self._last_sample = self._actor.choose(states, greedy)
        return self._last_sample.actions

    def cache(self, transitions: Transitions) -> None:
        """Store one transition of every environment, from the states of the last `act`.

        Raises:
            RuntimeError: `act` was not called before, the rollout is full, or the agent has none.
        """
        rollout, sample = self._require_rollout(), self._last_sample
        if sample is None:
            raise RuntimeError("cache() needs a step that act() chose; call act() before it")
        rollout.add(self._rollout_step(transitions, sample, rollout), sample.recurrent_state)
        self._last_sample = None
        ended = transitions.ended
        if ended.any():
            self.carry_recurrent_state(np.where(ended, EPISODE_START, np.arange(len(ended))))
        self.steps += int(np.count_nonzero(transitions.valid))

    def recall(self) -> TensorDict:
        """Return the rollout with advantages and returns, see `RolloutBuffer.sequences`."""
        config, recurrent = self._config, self.network.state_size > 0
        return self._require_rollout().sequences(
            config.gamma, config.gae_lambda, recurrent=recurrent
        )

    def learn(self) -> dict[str, float] | None:
        """Learn from the rollout once it is full, then clear it.

        Returns:
            Means over the updates: `MEANS` and ``grad_norm``; ``explained_variance`` of the
            returns by the values; ``learning_rate`` and ``clip_range``; and the numbers of
            ``updates`` performed and ``skipped``. None while the rollout is not full.

        Raises:
            FloatingPointError: too many updates in a row were not finite.
        """
        if not self._require_rollout().full:
            return None
        learning_rate, clip_range, entropy_coef = (
            build_schedule(self._config, name)(self._learned_at)
            for name in ("learning_rate", "clip_range", "entropy_coef")
        )
        self._learner.set_learning_rate(learning_rate)
        value_clip_range = clip_range if self._config.clip_value_loss else math.inf
        loss = PPOLoss(clip_range, value_clip_range, self._config.value_coef, entropy_coef)
        batch = self.recall()
        updates = list(self._updates(batch, loss))
        self._require_rollout().clear()
        self._learned_at = self.steps
        return _summarize(updates) | {
            "explained_variance": explained_variance(batch["value"], batch["return"]),
            "learning_rate": learning_rate,
            "clip_range": clip_range,
        }

    def start_at(self, steps: int) -> None:
        """Continue the schedules as after ``steps`` steps."""
        self.steps = self._learned_at = steps

    def close(self) -> None:
        """Stop the threads."""
        self._learner.close()

    def _training_body(self, states: Tensor) -> Tensor:
        features: Tensor = self._learner.compute_network(states)
        return features

    def _require_rollout(self) -> RolloutBuffer:
        if self.rollout is None:
            raise RuntimeError("an agent that only plays has no rollout; give training=True")
        return self.rollout

    def _rollout_step(
        self, transitions: Transitions, sample: ActionSample, rollout: RolloutBuffer
    ) -> dict[str, Tensor]:
        """Return the columns of a step, see `RolloutBuffer.add`."""
        tensor = partial(torch.tensor, device=self.spec.device)
        valid, terminated = transitions.valid, transitions.terminated
        no_next_step = transitions.ended | (rollout.length == rollout.horizon - 1)
        bootstrapped = no_next_step & valid & ~terminated
        actions = tensor(transitions.actions)
        log_probs, values = sample.output.log_probs[:, 0], sample.output.values[:, 0]
        return {
            "state": sample.states,
            "action": actions,
            "log_prob": log_probs.gather(1, actions[:, None]).squeeze(1),
            "value": values,
            "next_value": self._actor.values(transitions.next_states, bootstrapped),
            # An invalid step has the advantage 0; the step before it bootstraps from its value.
            "reward": torch.where(tensor(valid), tensor(transitions.rewards), values),
            "terminated": tensor(terminated | ~valid),
            "ended": tensor(transitions.ended),
            "valid": tensor(valid),
        }

    def _updates(self, batch: TensorDict, loss: PPOLoss) -> Iterator[dict[str, float] | None]:
        """Perform the updates of all epochs, and yield what `Learner.step` returns.

        A minibatch on which the KL divergence exceeds ``target_kl`` ends the updates of the rollout
        and is not used itself. Stable-Baselines3 does the same at 1.5 times ``target_kl``.
        """

        def loss_fn(part: TensorDict) -> dict[str, Tensor]:
            """Return the loss of the current policy."""
            output = self._actor.evaluate(
                part["state"], part["recurrent_state"], part["episode_start"]
            )
            return loss(output, part)

        target_kl = self._config.target_kl
        for _ in range(self._config.epochs):
            permutation = self._shuffle_rng.permutation(len(batch))
            for index in np.array_split(permutation, self._config.minibatches):
                minibatch = select_rows(batch, torch.as_tensor(index, device=self.spec.device))
                prepare_minibatch(minibatch, self._config.normalize_advantages)
                means = self._learner.accumulate(loss_fn, minibatch)
                if target_kl is not None and float(means["approx_kl"]) > target_kl:
                    self._learner.discard()
                    return
                yield self._learner.step()


def _summarize(updates: list[dict[str, float] | None]) -> dict[str, float]:
    """Return the means over the performed updates, and the numbers of updates."""
    made = [scalars for scalars in updates if scalars is not None]
    means = np.mean([list(scalars.values()) for scalars in made], axis=0) if made else []
    return dict(zip(made[0] if made else (), map(float, means), strict=True)) | {
        "updates": float(len(made)),
        "skipped": float(len(updates) - len(made)),
    }
