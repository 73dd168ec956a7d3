"""Acting by a policy: draws actions by their chances, carries on what is remembered of games."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from agents.agent import BEGINS, Actions, States
from agents.policies import ActorCritic, Outlook
from agents.precision import Twin
from agents.randomness import generator_state, set_generator_state


@dataclass
class Strand:
    """What acting goes on from: where the dice are, and what is carried from the last step."""

    dice: np.random.Generator
    carried: Tensor | None = None


class Choice(NamedTuple):
    """Actions and what led to them.

    Attributes:
        actions: one for each game, int64 ``(games,)``.
        states: what was seen, on the device.
        outlook: what the policy made of the states, as sequences of one step.
        carried: what was carried into the step.
    """

    actions: Actions
    states: Tensor
    outlook: Outlook
    carried: Tensor


class Actor:
    """Acts by a policy, in episodes that it learns from or in others, that leave no trace.

    Args:
        network: the policy.
        twin: its body in the numbers to learn with. It plays in float32 whatever those are, or a
            score would depend on the machine.
        device: where the network is.
        seed: seeds the dice.

    Attributes:
        strand: of what is played now.
    """

    def __init__(
        self, network: ActorCritic, twin: Twin[nn.Sequential], device: str, seed: int
    ) -> None:
        self._network, self._twin, self._device, self._seed = network, twin, device, seed
        self._body = twin.like
        self.strand = self._in_training = self._fresh()

    def train(self, mode: bool) -> None:
        """Go on where training stands, or begin new episodes with dice of their own."""
        self._body = self._twin.like if mode else self._network.body
        self.strand = self._in_training if mode else self._fresh()

    def carry(self, places: NDArray[np.int64]) -> None:
        """Let what is carried go with its games, and forget it where an episode begins.

        Args:
            places: see `agents.agent.Agent.carry`.
        """
        carried = self.strand.carried
        if carried is not None:
            where = torch.as_tensor(places, device=self._device)
            moved = carried[where.clamp(min=0)]
            self.strand.carried = moved.masked_fill((where == BEGINS)[:, None], 0.0)

    @torch.no_grad()
    def choose(self, states: States, likeliest: bool) -> Choice:
        """Choose an action for each game, and carry on.

        Args:
            states: uint8 ``(games, *state_shape)``, of the games that were last carried on.
            likeliest: takes the likeliest action in place of drawing one.
        """
        carried = self._carried(len(states))
        seen = self._on_device(states)
        outlook = self._look_once(seen, carried)
        self.strand.carried = outlook.carried
        log_probs = outlook.log_probs[:, 0].cpu().numpy()
        best: Actions = log_probs.argmax(axis=1)
        actions = best if likeliest else draw(np.exp(log_probs), self.strand.dice)
        return Choice(actions, seen, outlook, carried)

    @torch.no_grad()
    def chances(self, states: States, carried: Tensor | None) -> NDArray[np.float32]:
        """The chance of each action, ``(games, num_actions)``.

        Args:
            states: uint8 ``(games, *state_shape)``.
            carried: into them; None for what would be now.
        """
        carried = self._carried(len(states)) if carried is None else carried
        outlook = self._look_once(self._on_device(states), carried)
        chances: NDArray[np.float32] = outlook.log_probs[:, 0].exp().cpu().numpy()
        return chances

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
        if wanted.any() and self.strand.carried is not None:
            index = torch.as_tensor(wanted, device=self._device)
            outlook = self._look_once(self._on_device(states[wanted]), self.strand.carried[index])
            values[index] = outlook.values[:, 0]
        return values

    def look(self, states: Tensor, carried: Tensor, begins: Tensor) -> Outlook:
        """What the policy makes of sequences, see `ActorCritic.forward`.

        Args:
            states: uint8 ``(sequences, time, *state_shape)``.
            carried: into each sequence.
            begins: whether an episode begins with a step.
        """
        features = self._body(states.flatten(0, 1)).float().unflatten(0, states.shape[:2])
        outlook: Outlook = self._network(features, carried, begins)
        return outlook

    def state_dict(self) -> dict[str, Any]:
        """Where training stands."""
        carried = self._in_training.carried
        return {
            "dice": generator_state(self._in_training.dice),
            "carried": None if carried is None else carried.cpu(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state_dict` was taken."""
        set_generator_state(self._in_training.dice, state["dice"])
        carried = state["carried"]
        self._in_training.carried = None if carried is None else carried.to(self._device)

    def _carried(self, games: int) -> Tensor:
        if self.strand.carried is None:
            return torch.zeros(games, self._network.state_size, device=self._device)
        return self.strand.carried

    def _on_device(self, states: States) -> Tensor:
        # a copy, since the states may be read-only or written to by the games
        return torch.tensor(states, device=self._device)

    def _look_once(self, states: Tensor, carried: Tensor) -> Outlook:
        begins = torch.zeros(len(states), 1, dtype=torch.bool, device=self._device)
        return self.look(states.unsqueeze(1), carried, begins)

    def _fresh(self) -> Strand:
        return Strand(np.random.default_rng(self._seed))


def draw(chances: NDArray[np.floating[Any]], dice: np.random.Generator) -> Actions:
    """Draw one action for each game by its chances.

    Args:
        chances: ``(games, actions)``; each row sums to 1.
        dice: where one number is drawn for each game.

    Returns:
        int64 ``(games,)``.

    >>> draw(np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]), np.random.default_rng(0)).tolist()
    [1, 0]
    """
    upper = np.cumsum(chances[:, :-1], axis=1, dtype=np.float64)
    actions: Actions = (dice.random(len(chances))[:, None] >= upper).sum(axis=1)
    return actions
