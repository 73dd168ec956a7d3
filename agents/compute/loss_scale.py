"""Loss scaling, which keeps float16 gradients from overflowing."""

from __future__ import annotations

from typing import Any

MAX_SCALE = 1.0
"""The compiled float16 layers scale their gradients themselves, so the loss need not be scaled up.
The scale starts at 1, which changes nothing, and never exceeds it."""
MIN_SCALE = 2.0**-16
GROWTH_INTERVAL = 2000
"""Number of consecutive updates with finite gradients after which the scale is doubled."""


class LossScale:
    """A factor of the loss that is halved whenever gradients overflow.

    Micikevicius et al. 2018, https://arxiv.org/abs/1710.03740, section 3.2; the interval is that of
    `torch.amp.GradScaler`. All scales are powers of two, so that scaling is exact.

    Args:
        dynamic: whether the scale may change; only float16 needs it.

    >>> scale = LossScale(dynamic=True)
    >>> scale.update(finite=False)
    >>> scale.value
    0.5
    """

    def __init__(self, dynamic: bool) -> None:
        self.value = MAX_SCALE
        self._dynamic = dynamic
        self._finite_updates = 0

    def update(self, finite: bool) -> None:
        """Halve the scale if the gradients of an update overflowed; otherwise let it recover."""
        if not self._dynamic:
            return
        self._finite_updates = self._finite_updates + 1 if finite else 0
        if not finite:
            self.value = max(self.value / 2, MIN_SCALE)
        elif self._finite_updates % GROWTH_INTERVAL == 0:
            self.value = min(self.value * 2, MAX_SCALE)

    def state_dict(self) -> dict[str, Any]:
        """Return the scale and the number of consecutive finite updates."""
        return {"value": self.value, "finite_updates": self._finite_updates}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what `state_dict` returned."""
        self.value, self._finite_updates = state["value"], state["finite_updates"]
