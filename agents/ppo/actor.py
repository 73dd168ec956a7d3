"""Acting with a policy: sample actions and keep the recurrent state between steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.agent import EPISODE_START, Actions, States
from agents.compute.precision import ComputeCopy
from agents.networks.actor_critic import ActorCritic, PolicyOutput
from agents.rng import generator_state, set_generator_state


@dataclass
class ActorState:
    """The random generator and the recurrent state after the last step."""

    rng: np.random.Generator
    recurrent_state: Tensor | None = None


class ActionSample(NamedTuple):
    """Actions and the data they were chosen from.

    Attributes:
        actions: Chosen actions, int64 ``(num_envs,)``.
        states: The states, on the device.
        output: Output of the policy for the states, as sequences of one step.
        recurrent_state: Recurrent state before the step.
    """

    actions: Actions
    states: Tensor
    output: PolicyOutput
    recurrent_state: Tensor


class Actor:
    """Act with a policy, in training episodes or in others that do not affect training.

    Args:
        network: The policy.
        compute_copy: Its body in the precision of learning. Evaluation always uses float32, so that
            scores do not depend on the machine.
        device: Device of the network.
        seed: Seed of the random generator.

    Attributes:
        strand: The state of the current episodes.
    """

    def __init__(
        self, network: ActorCritic, compute_copy: ComputeCopy[nn.Sequential], device: str, seed: int
    ) -> None:
        self._network, self._twin, self._device, self._seed = network, compute_copy, device, seed
        self._body = compute_copy.like
        self.strand = self._in_training = self._fresh()

    def train(self, mode: bool) -> None:
        """Continue the training episodes, or start new episodes with a separate generator."""
        self._body = self._twin.like if mode else self._network.body
        self.strand = self._in_training if mode else self._fresh()

    def carry_recurrent_state(self, indices: NDArray[np.int64]) -> None:
        """Reorder the recurrent state, and reset it where an episode starts.

        Args:
            indices: See `agents.agent.Agent.carry_recurrent_state`.
        """
        recurrent_state = self.strand.recurrent_state
        if recurrent_state is not None:
            where = torch.as_tensor(indices, device=self._device)
            moved = recurrent_state[where.clamp(min=0)]
            self.strand.recurrent_state = moved.masked_fill((where == EPISODE_START)[:, None], 0.0)

    @torch.no_grad()
    def choose(self, states: States, greedy: bool) -> ActionSample:
        """Choose an action in each environment and update the recurrent state.

        Args:
            states: uint8 ``(num_envs, *state_shape)``, in the order of the recurrent state.
            greedy: Choose the most probable action instead of sampling one.
        """
        recurrent_state = self._current_state(len(states))
        seen = self._on_device(states)
        output = self._look_once(seen, recurrent_state)
        self.strand.recurrent_state = output.recurrent_state
        log_probs = output.log_probs[:, 0].cpu().numpy()
        best: Actions = log_probs.argmax(axis=1)
        actions = best if greedy else draw(np.exp(log_probs), self.strand.rng)
        return ActionSample(actions, seen, output, recurrent_state)

    @torch.no_grad()
    def probabilities(self, states: States, recurrent_state: Tensor | None) -> NDArray[np.float32]:
        """Return the probability of each action, ``(num_envs, num_actions)``.

        Args:
            states: uint8 ``(num_envs, *state_shape)``.
            recurrent_state: Recurrent state before the step; None for the current one.
        """
        if recurrent_state is None:
            recurrent_state = self._current_state(len(states))
        output = self._look_once(self._on_device(states), recurrent_state)
        probabilities: NDArray[np.float32] = output.log_probs[:, 0].exp().cpu().numpy()
        return probabilities

    @torch.no_grad()
    def values(self, states: States, wanted: NDArray[np.bool_]) -> Tensor:
        """Return the values of the states that follow the last `choose`.

        Args:
            states: uint8 ``(num_envs, *state_shape)``.
            wanted: Mask of the environments to compute values for, bool ``(num_envs,)``.

        Returns:
            ``(num_envs,)``, 0 outside of the mask.
        """
        values = torch.zeros(len(states), device=self._device)
        if wanted.any() and self.strand.recurrent_state is not None:
            index = torch.as_tensor(wanted, device=self._device)
            output = self._look_once(
                self._on_device(states[wanted]), self.strand.recurrent_state[index]
            )
            values[index] = output.values[:, 0]
        return values

    def look(self, states: Tensor, recurrent_state: Tensor, begins: Tensor) -> PolicyOutput:
        """Evaluate the policy on sequences, see `ActorCritic.forward`.

        Args:
            states: uint8 ``(sequences, time, *state_shape)``.
            recurrent_state: Recurrent state before each sequence.
            begins: Whether an episode starts at a step, bool ``(sequences, time)``.
        """
        features = self._body(states.flatten(0, 1)).float().unflatten(0, states.shape[:2])
        output: PolicyOutput = self._network(features, recurrent_state, begins)
        return output

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the training episodes."""
        recurrent_state = self._in_training.recurrent_state
        return {
            "rng": generator_state(self._in_training.rng),
            "recurrent_state": None if recurrent_state is None else recurrent_state.cpu(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        set_generator_state(self._in_training.rng, state["rng"])
        recurrent_state = state["recurrent_state"]
        self._in_training.recurrent_state = (
            None if recurrent_state is None else recurrent_state.to(self._device)
        )

    def _current_state(self, num_envs: int) -> Tensor:
        if self.strand.recurrent_state is None:
            return torch.zeros(num_envs, self._network.state_size, device=self._device)
        return self.strand.recurrent_state

    def _on_device(self, states: States) -> Tensor:
        # copy: the states may be read-only, or overwritten by the environments
        return torch.tensor(states, device=self._device)

    def _look_once(self, states: Tensor, recurrent_state: Tensor) -> PolicyOutput:
        begins = torch.zeros(len(states), 1, dtype=torch.bool, device=self._device)
        return self.look(states.unsqueeze(1), recurrent_state, begins)

    def _fresh(self) -> ActorState:
        return ActorState(np.random.default_rng(self._seed))


def draw(probabilities: NDArray[np.floating[Any]], rng: np.random.Generator) -> Actions:
    """Sample one action per environment.

    Args:
        probabilities: ``(num_envs, num_actions)``; each row sums to 1.
        rng: Random generator, of which one number per environment is used.

    Returns:
        int64 ``(num_envs,)``.

    >>> draw(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]), np.random.default_rng(0)).tolist()
    [1, 0]
    """
    upper = np.cumsum(probabilities[:, :-1], axis=1, dtype=np.float64)
    actions: Actions = (rng.random(len(probabilities))[:, None] >= upper).sum(axis=1)
    return actions
