"""Configuration of a training run: one frozen dataclass for flags, presets and ``config.yaml``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Generic, Literal, TypeVar

import tyro

from agents import AgentConfig
from mario.config.correction_config import CorrectionConfig
from mario.config.env_config import (
    DEFAULT_GAME,
    NOOP_LIMIT,
    Device,
    EmulatorName,
    EndingRewardConfig,
    EnvConfig,
    StartCurriculumConfig,
)
from mario.config.teaching_config import TeachingConfig
from mario.config.validation import (
    require_at_least,
    require_at_most,
    require_positive,
    require_probability,
)
from mario.errors import UsageError
from wrappers import WrapperConfig

MAX_SEED = 2**62
MAX_ENVS = 1024
MAX_THREADS = 1024
MAX_EPISODES = 1_000_000
"""Largest number of episodes of one evaluation."""

EMPTY_DEFAULT = tyro.conf.arg(help_behavior_hint="(default: none)")
"""Help of a flag without values by default, where tyro would print "(default: )"."""

H = TypeVar("H", bound=AgentConfig)

DEFAULT_EPISODES = 40_000
DEFAULT_PRESETS = {
    "dagger": "mario-dagger",
    "ddqn": "mario",
    "distill": "mario-distill",
    "ppo": "mario-ppo",
    "reinforce": "pong-karpathy",
}
"""Default preset of each agent, used if ``--preset`` is not given."""


@dataclass(frozen=True)
class EvaluationConfig:
    """Periodic evaluation of the greedy policy during training."""

    every: int = 25_000
    """Agent steps between two evaluations. The final agent is always evaluated."""
    episodes: int = 20
    """Episodes per evaluation; 0 disables evaluation."""
    confirm_episodes: int = 100
    """Episodes that an agent which clears levels must play in total before it can become the
    best agent."""
    noop_max: int = 30
    """Each episode starts with 0 to this many no-op frames. The numbers of no-ops are spread
    evenly over the episodes."""
    epsilon: float = 0.0
    """Probability of a random action in each step. Makes the episodes of a deterministic game
    differ."""
    repeat_action_probability: float = 0.0
    """Probability, in each frame, of repeating the previous frame's action (sticky actions)."""
    target_clear_rate: float | None = None
    """Stop training when the best agent has reached this clear rate; None to train until the
    totals are reached."""

    def __post_init__(self) -> None:
        require_at_least("--evaluation.every", self.every, 1)
        require_at_least("--evaluation.episodes", self.episodes, 0)
        require_at_least("--evaluation.confirm-episodes", self.confirm_episodes, 0)
        require_at_least("--evaluation.noop-max", self.noop_max, 0)
        for name in ("episodes", "confirm_episodes"):
            flag = f"--evaluation.{name.replace('_', '-')}"
            require_at_most(flag, getattr(self, name), MAX_EPISODES, "the run would not go on")
        require_at_most("--evaluation.noop-max", self.noop_max, *NOOP_LIMIT)
        require_probability("--evaluation.epsilon", self.epsilon)
        require_probability(
            "--evaluation.repeat-action-probability", self.repeat_action_probability
        )
        target = self.target_clear_rate
        if target is not None and not 0 < target <= 1:
            raise UsageError(
                f"--evaluation.target-clear-rate must be above 0 and at most 1, got {target}"
            )
        if target is not None and not self.episodes:
            raise UsageError(
                f"--evaluation.target-clear-rate {target} needs evaluations, but "
                "--evaluation.episodes is 0; set it to 1 or more"
            )


@dataclass(frozen=True)
class DiagnosticsConfig:
    """Warnings about training that makes no progress or diverges."""

    check_every: int = 10_000
    """Agent steps between two checks."""
    patience: int = 500_000
    """Agent steps without progress before a warning."""
    repeat_after: int = 500_000
    """Agent steps before the same warning is repeated."""

    def __post_init__(self) -> None:
        for name in ("check_every", "patience", "repeat_after"):
            require_at_least(f"--diagnostics.{name.replace('_', '-')}", getattr(self, name), 1)


@dataclass(frozen=True)
class TrainConfig(Generic[H]):
    """The complete configuration of a training run."""

    hyper: H
    """Hyperparameters of the agent."""
    game: str = DEFAULT_GAME
    """Game to train on: a Gymnasium environment ID, or module:ID for a game of your own."""
    agent: str = "ddqn"
    """Agent to train: dagger, ddqn, distill, ppo, reinforce, or module:Class for an agent of your
    own."""
    preset: str | None = None
    """Named set of defaults, which other flags override. None for the agent's default preset."""
    callback: tyro.conf.UseAppendAction[tuple[str, ...]] = ()
    """Callback of your own that is called during training, as module:Class. May be repeated."""
    actions: str | None = None
    """Action set. NES games: right-only, simple, complex, tutorial or buttons; Atari: minimal or
    full; or your own as JSON lists of buttons. None for the default of the game."""
    episodes: int | None = None
    """Total number of episodes of the run, including those before a resume. 40,000 if none of
    this, --steps and --minutes is given."""
    steps: int | None = None
    """Total number of agent steps of the run over all environments, including those before a
    resume."""
    minutes: float | None = None
    """Total time of the run, including the time before a resume. A final evaluation may follow."""
    num_envs: int = 1
    """Number of environments that run in parallel."""
    seed: int = 0
    """Seed of all random number generators."""
    demos: Annotated[tuple[str, ...], EMPTY_DEFAULT] = ()
    """Demonstration files of an NES game: some episodes start at points along them. DDQN also
    learns from them with --hyper.demonstration-share. Or search, to find some first."""
    teachers: Annotated[tuple[str, ...], EMPTY_DEFAULT] = ()
    """Checkpoints of trained agents that one agent imitates (distill). It trains on the games of
    all of them, and --game is the one that mario-play shows by default."""
    noise: Annotated[tuple[float, ...], EMPTY_DEFAULT] = ()
    """Probabilities of a random action in place of the agent's, one per environment in turn: 0 0.01
    0.03 disturbs two thirds of the environments. Makes the agent robust."""
    warm_start: Path | None = None
    """Checkpoint whose weights initialize the agent. It may come from another game that has the
    same number of actions."""
    device: Device = "auto"
    """Device of the network; auto uses a GPU (cuda, or mps on Apple's processors) if there is
    one."""
    threads: int | None = None
    """CPU threads for learning; None for the cores that no environment process uses."""
    emulator: EmulatorName = "auto"
    """Emulator of NES games; auto prefers the native one."""
    cluster: str | None = None
    """Train over a Ray cluster: auto to start Ray on this machine, or HOST:PORT of its head. The
    flags, such as --num-envs and batch sizes, are totals over all workers."""
    workers: int | None = None
    """Workers of the cluster, among which the environments are divided; None for as many as the
    cluster has cores for."""
    cluster_mode: Literal["gradients", "players"] = "gradients"
    """What workers send: gradients that they compute, or (ddqn only) the steps that they play,
    from which one learner in this process learns."""
    worker_timeout: float = 60.0
    """Seconds after which a worker that does not answer is replaced."""
    save_dir: Path = Path("runs")
    """Folder in which the folder of the run is created."""
    save_seconds: float = 60.0
    """Seconds between two saves of the full training state (last.chkpt)."""
    save_every: int = 500_000
    """Agent steps between two numbered checkpoints (mario_net_<n>.chkpt), which are kept."""
    log_every: int = 20
    """Episodes between two lines in the log."""
    tensorboard: bool = True
    """Write TensorBoard event files."""
    wrappers: WrapperConfig = field(default_factory=WrapperConfig)
    """Preprocessing of observations and rewards."""
    start_curriculum: StartCurriculumConfig = field(default_factory=StartCurriculumConfig)
    """Episodes that start shortly before the point where an earlier episode was lost."""
    ending_reward: EndingRewardConfig = field(default_factory=EndingRewardConfig)
    """Rewards for how an episode ends."""
    corrections: CorrectionConfig = field(default_factory=CorrectionConfig)
    """How failures are corrected, for agents that learn from corrections (dagger)."""
    teaching: TeachingConfig = field(default_factory=TeachingConfig)
    """How the teachers of an agent teach, for agents that imitate others (distill)."""
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    """Periodic evaluation."""
    diagnostics: DiagnosticsConfig = field(default_factory=DiagnosticsConfig)
    """Warnings about training that goes wrong."""

    def __post_init__(self) -> None:
        for name in ("episodes", "steps", "threads", "workers"):
            if (value := getattr(self, name)) is not None:
                require_at_least(f"--{name}", value, 1)
        if self.minutes is not None:
            require_positive("--minutes", self.minutes)
        for name in ("num_envs", "save_every", "log_every"):
            require_at_least(f"--{name.replace('_', '-')}", getattr(self, name), 1)
        require_at_least("--seed", self.seed, 0)
        for rate in self.noise:
            require_probability("--noise", rate)
        require_at_least("--save-seconds", self.save_seconds, 0)
        require_at_most("--seed", self.seed, MAX_SEED, "random generators have 64-bit seeds")
        require_at_most("--num-envs", self.num_envs, MAX_ENVS, "more take longer than they learn")
        require_at_most("--save-seconds", self.save_seconds, 86_400, "a day of work could be lost")
        require_at_most(
            "--worker-timeout", self.worker_timeout, 86_400, "a lost worker would go unnoticed"
        )
        if self.threads is not None:
            require_at_most("--threads", self.threads, MAX_THREADS, "no machine has more cores")
        require_at_least("--worker-timeout", self.worker_timeout, 1)
        if self.workers is not None and self.cluster is None:
            raise UsageError(f"--workers {self.workers} needs --cluster; add --cluster auto")

    @property
    def env_config(self) -> EnvConfig:
        """Configuration of the training environments."""
        return EnvConfig(
            game=self.game,
            actions=self.actions,
            emulator=self.emulator,
            wrappers=self.wrappers,
            start_curriculum=self.start_curriculum,
            ending_reward=self.ending_reward,
        )

    @property
    def total_episodes(self) -> int | None:
        """Number of episodes after which the run is complete; None if others limit it."""
        if self.episodes is None and self.steps is None and self.minutes is None:
            return DEFAULT_EPISODES
        return self.episodes


@dataclass(frozen=True)
class TrainFlags(TrainConfig[H]):
    """The flags of ``mario-train``: the configuration of a new or resumed run."""

    resume: Path | None = None
    """Folder of the run to resume, or of a list of levels. Its configuration is kept, except for
    the flags that are given as well."""
    levels: Annotated[tuple[str, ...], EMPTY_DEFAULT] = ()
    """Train several levels, each in a run of its own: all for those of Super Mario Bros., names of
    levels such as 1-1 5-3, or IDs of games. With --cluster, each level is a job of one worker."""
    parallel: int = 1
    """Levels of --levels that are trained at the same time, each with a share of the cores."""


RESUME_OVERRIDES = frozenset(
    {"episodes", "steps", "minutes", "device", "save_dir", "save_seconds", "save_every"}
    | {"log_every", "tensorboard", "evaluation", "diagnostics", "preset", "threads", "callback"}
    | {"cluster", "worker_timeout"}
)
"""Fields that may change when a run is resumed, because they do not affect what is learned."""
