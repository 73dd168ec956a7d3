"""Acts with a policy: samples actions and keeps the recurrent state between steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from agents.agent import EPISODE_START
from agents.networks.actor_critic import ActorCritic, PolicyOutput
from agents.rng import generator_state, set_generator_state
from agents.transitions import Actions, States


@dataclass
class ActorState:
    """The random generator, and the recurrent state after the last step."""

    rng: np.random.Generator
    recurrent_state: Tensor | None = None


class ActionSample(NamedTuple):
    """Actions and the data they were chosen from.

    Attributes:
        actions: int64 ``(num_envs,)``.
        states: the states, on the device.
        output: the policy's output for the states, as sequences of one step.
        recurrent_state: recurrent state before the step.
    """

    actions: Actions
    states: Tensor
    output: PolicyOutput
    recurrent_state: Tensor


class Actor:
    """Acts with a policy, in training episodes or in separate evaluation episodes.

    Args:
        network: the policy.
        training_body: computes the features of states like ``network.body``, in the precision of
            learning. Outside training, actions are always computed in float32, so that scores do
            not depend on the hardware.
        device: the device of the network.
        seed: seed of the random generator.

    Attributes:
        state: state of the current episodes.
    """

    def __init__(
        self,
        network: ActorCritic,
        training_body: Callable[[Tensor], Tensor],
        device: str,
        seed: int,
    ) -> None:
        self._network, self._training_body = network, training_body
        self._device, self._seed = device, seed
        self._training = True
        self.state = self._training_state = self._initial_state()

    def train(self, mode: bool) -> None:
        """Resume the training episodes, or start evaluation episodes with their own generator."""
        self._training = mode
        self.state = self._training_state if mode else self._initial_state()

    def carry_recurrent_state(self, indices: NDArray[np.int64]) -> None:
        """Reorder the recurrent state, and reset it where an episode starts.

        Args:
            indices: see `agents.agent.Agent.carry_recurrent_state`.
        """
        recurrent_state = self.state.recurrent_state
        if recurrent_state is not None:
            index = torch.as_tensor(indices, device=self._device)
            reordered = recurrent_state[index.clamp(min=0)]
            episode_starts = (index == EPISODE_START)[:, None]
            self.state.recurrent_state = reordered.masked_fill(episode_starts, 0.0)

    @torch.no_grad()
    def choose(self, states: States, greedy: bool) -> ActionSample:
        """Choose an action in each environment and update the recurrent state.

        Args:
            states: uint8 ``(num_envs, *state_shape)``, in the order of the recurrent state.
            greedy: choose the most probable action instead of sampling one.
        """
        recurrent_state = self._recurrent_state(len(states))
        states_on_device = self._to_device(states)
        output = self._evaluate_step(states_on_device, recurrent_state)
        self.state.recurrent_state = output.recurrent_state
        log_probs = output.log_probs[:, 0].cpu().numpy()
        if greedy:
            actions: Actions = log_probs.argmax(axis=1)
        else:
            actions = sample_actions(np.exp(log_probs), self.state.rng)
        return ActionSample(actions, states_on_device, output, recurrent_state)

    @torch.no_grad()
    def probabilities(self, states: States, recurrent_state: Tensor | None) -> NDArray[np.float32]:
        """Return the probability of each action, ``(num_envs, num_actions)``.

        Args:
            states: uint8 ``(num_envs, *state_shape)``.
            recurrent_state: recurrent state before the step; None for the current one.
        """
        if recurrent_state is None:
            recurrent_state = self._recurrent_state(len(states))
        output = self._evaluate_step(self._to_device(states), recurrent_state)
        probabilities: NDArray[np.float32] = output.log_probs[:, 0].exp().cpu().numpy()
        return probabilities

    @torch.no_grad()
    def values(self, states: States, mask: NDArray[np.bool_]) -> Tensor:
        """Return the values of the states reached by the actions of the last `choose`.

        Args:
            states: uint8 ``(num_envs, *state_shape)``.
            mask: environments to compute values for, bool ``(num_envs,)``.

        Returns:
            ``(num_envs,)``, 0 where the mask is False.
        """
        values = torch.zeros(len(states), device=self._device)
        if mask.any() and self.state.recurrent_state is not None:
            index = torch.as_tensor(mask, device=self._device)
            output = self._evaluate_step(
                self._to_device(states[mask]), self.state.recurrent_state[index]
            )
            values[index] = output.values[:, 0]
        return values

    def evaluate(
        self, states: Tensor, recurrent_state: Tensor, episode_starts: Tensor
    ) -> PolicyOutput:
        """Return the policy's output for sequences, see `ActorCritic.forward`.

        Args:
            states: uint8 ``(sequences, time, *state_shape)``.
            recurrent_state: recurrent state before each sequence.
            episode_starts: True at the first step of an episode, bool ``(sequences, time)``.
        """
        body = self._training_body if self._training else self._network.body
        features = body(states.flatten(0, 1)).float().unflatten(0, states.shape[:2])
        output: PolicyOutput = self._network(features, recurrent_state, episode_starts)
        return output

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the training episodes."""
        recurrent_state = self._training_state.recurrent_state
        return {
            "rng": generator_state(self._training_state.rng),
            "recurrent_state": None if recurrent_state is None else recurrent_state.cpu(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        set_generator_state(self._training_state.rng, state["rng"])
        recurrent_state = state["recurrent_state"]
        self._training_state.recurrent_state = (
            None if recurrent_state is None else recurrent_state.to(self._device)
        )

    def _recurrent_state(self, num_envs: int) -> Tensor:
        if self.state.recurrent_state is None:
            return torch.zeros(num_envs, self._network.state_size, device=self._device)
        return self.state.recurrent_state

    def _to_device(self, states: States) -> Tensor:
        # A copy, since the states may be read-only or overwritten by the environments.
        return torch.tensor(states, device=self._device)

    def _evaluate_step(self, states: Tensor, recurrent_state: Tensor) -> PolicyOutput:
        episode_starts = torch.zeros(len(states), 1, dtype=torch.bool, device=self._device)
        return self.evaluate(states.unsqueeze(1), recurrent_state, episode_starts)

    def _initial_state(self) -> ActorState:
        return ActorState(np.random.default_rng(self._seed))


def sample_actions(probabilities: NDArray[np.floating[Any]], rng: np.random.Generator) -> Actions:
    """Sample one action per environment.

    Args:
        probabilities: ``(num_envs, num_actions)``; each row sums to 1.
        rng: random generator, which draws one number per environment.

    Returns:
        int64 ``(num_envs,)``.

    >>> rng = np.random.default_rng(0)
    >>> sample_actions(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]), rng).tolist()
    [1, 0]
    """
    upper_bounds = np.cumsum(probabilities[:, :-1], axis=1, dtype=np.float64)
    actions: Actions = (rng.random(len(probabilities))[:, None] >= upper_bounds).sum(axis=1)
    return actions
