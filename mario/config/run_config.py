"""The configuration of a training run: one frozen dataclass is flags, presets and saved file."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Literal, TypeVar

from agents import Agent, AgentConfig
from mario.errors import UsageError, unknown
from mario.system.plugins import load_plugin
from wrappers import WrapperConfig

H = TypeVar("H", bound=AgentConfig)

DEFAULT_EPISODES = 40_000
DEFAULT_GAME = "SuperMarioBros-1-1-v0"
AGENTS = {
    "ddqn": "agents.ddqn.agent:DDQN",
    "ppo": "agents.ppo.agent:PPO",
    "reinforce": "agents.reinforce.agent:REINFORCE",
}
DEFAULT_PRESETS = {"ddqn": "mario", "ppo": "mario-ppo", "reinforce": "pong-karpathy"}
"""The preset of each agent that is used when none is named."""


@dataclass(frozen=True)
class EvaluationConfig:
    """How the agent is examined while it trains: greedily, from all starts alike."""

    every: int = 25_000
    """Decisions between two evaluations; there is also one at the end of training."""
    episodes: int = 20
    """Episodes of one evaluation; 0 for no evaluation at all."""
    confirm_episodes: int = 100
    """Episodes that an agent which clears levels must have played to take the best one's place."""
    noop_max: int = 30
    """Episodes start with 0 to this many frames without a button, with each number as often."""
    epsilon: float = 0.0
    """Share of the decisions that are random; a few make each episode of a game without chance
    another one."""
    target_clear_rate: float | None = None
    """Clear rate at which the run is complete, once an agent has it confirmed; none to go on."""

    def __post_init__(self) -> None:
        at_least("--evaluation.every", self.every, 1)
        at_least("--evaluation.episodes", self.episodes, 0)
        at_least("--evaluation.confirm-episodes", self.confirm_episodes, 0)
        at_least("--evaluation.noop-max", self.noop_max, 0)
        between_0_and_1("--evaluation.epsilon", self.epsilon)
        if self.target_clear_rate is not None and not 0 < self.target_clear_rate <= 1:
            raise UsageError(
                f"--evaluation.target-clear-rate must be above 0 and up to 1, got {self.target_clear_rate}"
            )
        if self.target_clear_rate is not None and not self.episodes:
            raise UsageError(
                "--evaluation.target-clear-rate needs evaluations; give --evaluation.episodes"
            )


@dataclass(frozen=True)
class DiagnosticsConfig:
    """When a run that goes wrong is warned of."""

    check_every: int = 10_000
    """Decisions that are looked at together."""
    patience: int = 500_000
    """Decisions without progress that are nothing to worry about."""
    repeat_after: int = 500_000
    """Decisions before the same warning is given again."""

    def __post_init__(self) -> None:
        for name in ("check_every", "patience", "repeat_after"):
            at_least(f"--diagnostics.{name}", getattr(self, name), 1)


@dataclass(frozen=True)
class TrainConfig(Generic[H]):
    """Everything that a training run is made from."""

    hyper: H
    """Hyper-parameters of the agent."""
    game: str = DEFAULT_GAME
    """Game to train on: an id of Gymnasium's registry, or module:id for a game of your own."""
    agent: str = "ddqn"
    """Agent to train: ddqn, ppo, reinforce, or module:Class for an Agent of your own."""
    preset: str | None = None
    """Named set of defaults; flags override it."""
    actions: str | None = None
    """Action set: right-only, simple, complex, tutorial or buttons, for Atari minimal or full, or
    your own as lists of buttons; None for the game's own."""
    episodes: int | None = None
    """Episodes of the run in total, also when it is resumed; 40,000 if neither this nor steps."""
    steps: int | None = None
    """Decisions of the run in total, over all games, also when it is resumed."""
    num_envs: int = 1
    """Games played at a time."""
    seed: int = 0
    """Seed of everything that is drawn at random."""
    warm_start: Path | None = None
    """Checkpoint whose weights the agent starts with, trained on any game with as many actions."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the network runs; auto takes a GPU if there is one."""
    threads: int | None = None
    """Threads that the network learns with; None for the cores that no game's process needs."""
    emulator: Literal["auto", "native", "nes-py"] = "auto"
    """Emulator behind NES games."""
    save_dir: Path = Path("checkpoints")
    """Folder in which the run's own folder is made."""
    save_seconds: float = 60.0
    """Seconds between two saves of all that resuming needs (last.chkpt)."""
    save_every: int = 500_000
    """Decisions between two checkpoints that are kept for good (mario_net_<n>.chkpt)."""
    log_every: int = 20
    """Episodes between two lines of the log."""
    tensorboard: bool = True
    """Write TensorBoard events into the run's folder."""
    wrappers: WrapperConfig = field(default_factory=WrapperConfig)
    """What the agent sees of the game."""
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    """How the agent is examined while it trains."""
    diagnostics: DiagnosticsConfig = field(default_factory=DiagnosticsConfig)
    """When a run that goes wrong is warned of."""

    def __post_init__(self) -> None:
        for name in ("episodes", "steps"):
            if (total := getattr(self, name)) is not None:
                at_least(f"--{name}", total, 1)
        for name in ("num_envs", "save_every", "log_every"):
            at_least(f"--{name.replace('_', '-')}", getattr(self, name), 1)
        if self.threads is not None:
            at_least("--threads", self.threads, 1)
        at_least("--seed", self.seed, 0)
        at_least("--save-seconds", self.save_seconds, 0)

    @property
    def total_episodes(self) -> int | None:
        """Episodes at which the run ends, None if only decisions count."""
        if self.episodes is None and self.steps is None:
            return DEFAULT_EPISODES
        return self.episodes


@dataclass(frozen=True)
class TrainFlags(TrainConfig[H]):
    """The flags of ``mario-train``: the configuration of a run, new or to be gone on with."""

    resume: Path | None = None
    """Folder of a run to go on with; everything but totals and saving is as it was. What is given
    beside it counts from then on."""


MAY_CHANGE = frozenset(
    {"episodes", "steps", "device", "save_dir", "save_seconds", "save_every", "log_every"}
    | {"tensorboard", "evaluation", "diagnostics", "preset", "threads"}
)
"""What may differ when a run is resumed: nothing that changes what is learned."""


def at_least(name: str, value: float, least: float) -> None:
    """Refuse a number below its least sensible value.

    Raises:
        UsageError: ``value`` is less than ``least``, or not a number.
    """
    if not value >= least:
        raise UsageError(f"{name} must be at least {least:,}, got {value}")


def between_0_and_1(name: str, value: float) -> None:
    """Refuse what cannot be a share.

    Raises:
        UsageError: ``value`` does not lie between 0 and 1.
    """
    if not 0 <= value <= 1:
        raise UsageError(f"{name} must lie between 0 and 1, got {value}")


def agent_class(name: str) -> type[Agent]:
    """Find an agent by its name, or a user's own by ``module:Class``.

    Raises:
        UsageError: there is no such agent.
    """
    if ":" not in name and name not in AGENTS:
        raise unknown("agent", name, AGENTS)
    module_name, _, class_name = AGENTS.get(name, name).partition(":")
    try:
        found = getattr(load_plugin(module_name), class_name)
    except ImportError as error:
        raise UsageError(f"--agent {name}: {error}; is its folder on PYTHONPATH?") from None
    except AttributeError:
        raise UsageError(f"--agent {name}: {module_name} has no {class_name!r}") from None
    if not (isinstance(found, type) and issubclass(found, Agent)):
        raise UsageError(f"--agent {name}: {class_name} is not a subclass of agents.Agent")
    return found
