"""The statistics of training that the console and TensorBoard show."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mario.metrics.episode_history import EpisodeHistory
from mario.system.announce import counted


@dataclass(frozen=True)
class TrainingSummary:
    """Statistics at one moment of training.

    Attributes:
        history: the episodes so far.
        step: agent steps so far.
        epsilon: exploration rate.
        steps_per_second: agent steps per second since the last summary.
        update_means: means of the training metrics since the last summary.
        known_metrics: names of the training metrics that have had a value. The others are left
            out of the console line.
    """

    history: EpisodeHistory
    step: int
    epsilon: float
    steps_per_second: float
    update_means: dict[str, float]
    known_metrics: Collection[str]

    def console_line(self, episodes: int) -> str:
        """Return one line for the console.

        Args:
            episodes: number of episodes so far.
        """
        history, means = self.history, self.history.means()
        parts = [
            counted(episodes, "episode"),
            counted(self.step, "step"),
            f"{self.steps_per_second:,.0f} steps/s",
            *([f"epsilon {self.epsilon:.3f}"] if self.epsilon else []),
            f"reward {means.pop('reward'):,.1f}",
            f"length {means.pop('length'):,.0f}",
            *(
                f"{name.replace('_', ' ')} {mean:.4g}"
                for name, mean in means.items()
                if name in self.known_metrics
            ),
        ]
        if history.best_x is not None:
            parts.append(f"cleared {history.clear_rate:.0%}")
            parts.append(f"best x {history.best_x:,.0f}")
        return " | ".join(parts)

    def scalars(self) -> dict[str, float]:
        """Return the scalars for TensorBoard, with the tags of Stable-Baselines3."""
        history, means = self.history, self.history.means()
        scalars = {
            "rollout/ep_rew_mean": means["reward"],
            "rollout/ep_len_mean": means["length"],
            "rollout/exploration_rate": self.epsilon,
            "time/fps": self.steps_per_second,
        }
        if history.best_x is not None:
            scalars["rollout/clear_rate"] = history.clear_rate
            scalars["rollout/best_x"] = history.best_x
        scalars |= {f"train/{name}": mean for name, mean in self.update_means.items()}
        endings = history.ending_rates()
        return scalars | {f"ending/{ending}": rate for ending, rate in endings.items()}
