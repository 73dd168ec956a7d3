"""Transitions of demonstrations in the batches of DDQN, as in DQfD.

Hester et al. 2018, Deep Q-learning from Demonstrations, https://arxiv.org/abs/1704.03732.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from tensordict import TensorDict

from agents.replay.frame_replay import FrameReplay
from agents.schedules import Schedule
from agents.transitions import Transitions


class DemonstrationSampler:
    """Adds transitions of demonstrations to training batches.

    The transitions have a replay memory of their own, from which none is ever removed. It is not
    saved with the agent: a resumed run fills it from the same demonstrations again.

    Args:
        replay: a replay memory of one environment, filled by `fill_replay`.
        num_rows: number of transitions to add to each batch.
        coefficient: weight of the large-margin loss, as a function of the agent's steps.

    Attributes:
        num_rows: the argument.
    """

    def __init__(self, replay: FrameReplay, num_rows: int, coefficient: Schedule) -> None:
        self.num_rows = num_rows
        self._replay, self._coefficient = replay, coefficient

    def __len__(self) -> int:
        """Return the number of transitions of the demonstrations."""
        return len(self._replay)

    def extend(self, batch: TensorDict, steps: int) -> TensorDict:
        """Return a batch with transitions of demonstrations after its own rows.

        Args:
            batch: a batch of `FrameReplay.sample`, whose further columns are extended by ones.
            steps: the agent's steps so far.

        Returns:
            The longer batch, with the column ``margin_coef``, float32: the weight of the
            large-margin loss, 0 for the rows of ``batch``.
        """
        rows = self._replay.sample(self.num_rows)
        for key in batch.keys() - rows.keys():
            rows[key] = torch.ones(self.num_rows, dtype=batch[key].dtype)
        batch["margin_coef"] = torch.zeros(len(batch))
        rows["margin_coef"] = torch.full((self.num_rows,), self._coefficient(steps))
        extended: TensorDict = torch.cat([batch, rows.select(*batch.keys())])
        return extended

    def state_dict(self) -> dict[str, Any]:
        """Return the state of the random generator and the number of transitions."""
        return {"sampler": self._replay.sampler.state_dict(), "size": len(self)}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned.

        Raises:
            ValueError: the state belongs to other demonstrations.
        """
        if state["size"] != len(self):
            raise ValueError(
                f"the run has {state['size']} transitions of demonstrations, these demonstrations "
                f"have {len(self)}; resume with the demonstrations of the run"
            )
        self._replay.sampler.load_state_dict(state["sampler"])

    def close(self) -> None:
        """Release the replay memory."""
        self._replay.close()


def fill_replay(replay: FrameReplay, demonstrations: Iterable[Transitions], n_step: int) -> None:
    """Store the transitions of demonstrations.

    Args:
        replay: a replay memory of one environment.
        demonstrations: the transitions of all demonstrations in order.
        n_step: number of steps of the n-step return.

    Raises:
        ValueError: there are no transitions.
    """
    last: Transitions | None = None
    for last in demonstrations:
        replay.cache(last)
    if last is None:
        raise ValueError("the demonstrations have no transitions; give longer ones")
    # A transition can be sampled only after the rows that follow it. Invalid rows never are.
    invalid = np.zeros(1, np.bool_)
    for _ in range(n_step):
        replay.cache(last._replace(valid=invalid, terminated=invalid, truncated=~invalid))
