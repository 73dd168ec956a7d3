"""Acting by a policy: draws actions by their probabilities, carries on what is remembered of games."""

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
    """What acting goes on from: where the rng are, and what is recurrent_state from the last step."""

    rng: np.random.Generator
    recurrent_state: Tensor | None = None


class ActionSample(NamedTuple):
    """Actions and what led to them.

    Attributes:
        actions: one for each game, int64 ``(games,)``.
        states: what was seen, on the device.
        output: what the policy made of the states, as sequences of one step.
        recurrent_state: what was recurrent_state into the step.
    """

    actions: Actions
    states: Tensor
    output: PolicyOutput
    recurrent_state: Tensor


class Actor:
    """Acts by a policy, in episodes that it learns from or in others, that leave no trace.

    Args:
        network: the policy.
        compute_copy: its body in the numbers to learn with. It plays in float32 whatever those are, or a
            score would depend on the machine.
        device: where the network is.
        seed: seeds the rng.

    Attributes:
        strand: of what is played now.
    """

    def __init__(
        self, network: ActorCritic, compute_copy: ComputeCopy[nn.Sequential], device: str, seed: int
    ) -> None:
        self._network, self._twin, self._device, self._seed = network, compute_copy, device, seed
        self._body = compute_copy.like
        self.strand = self._in_training = self._fresh()

    def train(self, mode: bool) -> None:
        """Go on where training stands, or begin new episodes with rng of their own."""
        self._body = self._twin.like if mode else self._network.body
        self.strand = self._in_training if mode else self._fresh()

    def carry_recurrent_state(self, indices: NDArray[np.int64]) -> None:
        """Let what is recurrent_state go with its games, and forget it where an episode begins.

        Args:
            indices: see `agents.agent.Agent.carry_recurrent_state`.
        """
        recurrent_state = self.strand.recurrent_state
        if recurrent_state is not None:
            where = torch.as_tensor(indices, device=self._device)
            moved = recurrent_state[where.clamp(min=0)]
            self.strand.recurrent_state = moved.masked_fill((where == EPISODE_START)[:, None], 0.0)

    @torch.no_grad()
    def choose(self, states: States, greedy: bool) -> ActionSample:
        """Choose an action for each game, and carry on.

        Args:
            states: uint8 ``(games, *state_shape)``, of the games that were last recurrent_state on.
            greedy: takes the greedy action in place of drawing one.
        """
        recurrent_state = self._carried(len(states))
        seen = self._on_device(states)
        output = self._look_once(seen, recurrent_state)
        self.strand.recurrent_state = output.recurrent_state
        log_probs = output.log_probs[:, 0].cpu().numpy()
        best: Actions = log_probs.argmax(axis=1)
        actions = best if greedy else draw(np.exp(log_probs), self.strand.rng)
        return ActionSample(actions, seen, output, recurrent_state)

    @torch.no_grad()
    def probabilities(self, states: States, recurrent_state: Tensor | None) -> NDArray[np.float32]:
        """The chance of each action, ``(games, num_actions)``.

        Args:
            states: uint8 ``(games, *state_shape)``.
            recurrent_state: into them; None for what would be now.
        """
        recurrent_state = self._carried(len(states)) if recurrent_state is None else recurrent_state
        output = self._look_once(self._on_device(states), recurrent_state)
        probabilities: NDArray[np.float32] = output.log_probs[:, 0].exp().cpu().numpy()
        return probabilities

    @torch.no_grad()
    def values(self, states: States, wanted: NDArray[np.bool_]) -> Tensor:
        """Value states that came of the last `choose`.

        Args:
            states: uint8 ``(games, *state_shape)``.
            wanted: of which games, bool ``(games,)``.

        Returns:
            ``(games,)``, 0 where none is wanted.
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
        """What the policy makes of sequences, see `ActorCritic.forward`.

        Args:
            states: uint8 ``(sequences, time, *state_shape)``.
            recurrent_state: into each sequence.
            begins: whether an episode begins with a step.
        """
        features = self._body(states.flatten(0, 1)).float().unflatten(0, states.shape[:2])
        output: PolicyOutput = self._network(features, recurrent_state, begins)
        return output

    def state_dict(self) -> dict[str, Any]:
        """Where training stands."""
        recurrent_state = self._in_training.recurrent_state
        return {
            "rng": generator_state(self._in_training.rng),
            "recurrent_state": None if recurrent_state is None else recurrent_state.cpu(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state_dict` was taken."""
        set_generator_state(self._in_training.rng, state["rng"])
        recurrent_state = state["recurrent_state"]
        self._in_training.recurrent_state = (
            None if recurrent_state is None else recurrent_state.to(self._device)
        )

    def _carried(self, games: int) -> Tensor:
        if self.strand.recurrent_state is None:
            return torch.zeros(games, self._network.state_size, device=self._device)
        return self.strand.recurrent_state

    def _on_device(self, states: States) -> Tensor:
        # a copy, since the states may be read-only or written to by the games
        return torch.tensor(states, device=self._device)

    def _look_once(self, states: Tensor, recurrent_state: Tensor) -> PolicyOutput:
        begins = torch.zeros(len(states), 1, dtype=torch.bool, device=self._device)
        return self.look(states.unsqueeze(1), recurrent_state, begins)

    def _fresh(self) -> ActorState:
        return ActorState(np.random.default_rng(self._seed))


def draw(probabilities: NDArray[np.floating[Any]], rng: np.random.Generator) -> Actions:
    """Draw one action for each game by its probabilities.

    Args:
        probabilities: ``(games, actions)``; each row sums to 1.
        rng: where one number is drawn for each game.

    Returns:
        int64 ``(games,)``.

    >>> draw(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]), np.random.default_rng(0)).tolist()
    [1, 0]
    """
    upper = np.cumsum(probabilities[:, :-1], axis=1, dtype=np.float64)
    actions: Actions = (rng.random(len(probabilities))[:, None] >= upper).sum(axis=1)
    return actions
