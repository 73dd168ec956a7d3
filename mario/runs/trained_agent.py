"""A trained agent from a checkpoint, and the environments in which it can play."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import gymnasium as gym

from agents import Agent, AgentConfig, DDQNConfig
from agents.networks.tutorial_cnn import STATE_SIDE
from mario.config.env_config import (
    DEFAULT_GAME,
    EndingRewardConfig,
    EnvConfig,
    StartCurriculumConfig,
)
from mario.config.serialization import from_dict
from mario.errors import UsageError
from mario.runs.agent_factory import agent_class, agent_reference, make_agent
from mario.runs.checkpoint import Checkpoint, is_tutorial, load
from mario.runs.checkpoint_fit import check_fits
from mario.runs.file_kind import CheckpointError
from mario.runs.tutorial_checkpoint import tutorial_settings
from mario.vector.base import GameVectorEnv
from mario.vector.make import make_env, make_vector_env, preferred_num_envs
from wrappers import WrapperConfig

Policy = Literal["greedy", "sampled"]


@dataclass(frozen=True)
class TrainedAgent:
    """The content of a checkpoint.

    Attributes:
        path: the file.
        policy_state: tensors for `agents.Agent.load_policy_state_dict`.
        agent: name of the agent.
        hyper: hyperparameters of the agent.
        env_config: configuration of the training environment.
        state_shape: shape of a state.
        num_actions: number of actions.
        trained_game: ID of the game that the agent was trained on.
        steps: agent steps of training; 0 if the file does not contain them.
        epsilon: probability of a random action in the evaluations during training.
        device: device of the network, see `mario.runs.agent_factory.resolve_device`.
        repeat_action_probability: probability of a sticky action in each frame of an evaluation.
    """

    path: Path
    policy_state: dict[str, Any]
    agent: str
    hyper: AgentConfig
    env_config: EnvConfig
    state_shape: tuple[int, ...]
    num_actions: int
    trained_game: str
    steps: int
    epsilon: float = 0.0
    device: str = "cpu"
    repeat_action_probability: float = 0.0

    @property
    def game(self) -> str:
        """ID of the game to play."""
        return self.env_config.game

    def evaluation_config(self, emulator: str = "auto", noop_max: int = 30) -> EnvConfig:
        """Return the configuration of an environment in which to evaluate the agent.

        Args:
            emulator: name of the emulator.
            noop_max: maximum number of no-op frames at the start of an episode.
        """
        config = self.env_config.for_evaluation(noop_max, self.repeat_action_probability)
        return replace(config, emulator=emulator)

    def with_options(self, repeat_action_probability: float, policy: Policy | None) -> Self:
        """Return the agent with other options for evaluation.

        Args:
            repeat_action_probability: probability of a sticky action in each frame.
            policy: ``"greedy"`` for the most probable action, ``"sampled"`` for one that is drawn,
                None for the setting of the agent.

        Raises:
            UsageError: the agent has no probabilities to draw from.
        """
        trained = replace(self, repeat_action_probability=repeat_action_probability)
        if policy is not None and hasattr(self.hyper, "deterministic"):
            deterministic: Any = {"deterministic": policy == "greedy"}
            return replace(trained, hyper=replace(self.hyper, **deterministic))
        if policy == "sampled":
            raise UsageError(
                f"--policy sampled: {self.agent} has no probabilities to draw from; "
                "use --epsilon for random actions"
            )
        return trained

    def make_env(
        self,
        emulator: str = "auto",
        *,
        noop_max: int = 0,
        inner: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]] | None = None,
    ) -> gym.Env[Any, Any]:
        """Make one environment in which to evaluate the agent.

        Args:
            emulator: name of the emulator.
            noop_max: maximum number of no-op frames at the start of an episode.
            inner: wraps the game before all other wrappers, see `mario.vector.make.make_env`.

        Raises:
            UsageError: the game cannot be made, or not with the actions of the agent.
        """
        with self._naming_the_trained_game():
            return make_env(self.evaluation_config(emulator, noop_max), inner)

    def make_vector_env(
        self,
        emulator: str = "auto",
        *,
        episodes: int,
        noop_max: int = 30,
        noop_min: int = 0,
        num_envs: int | None = None,
        seed: int = 0,
        report: Callable[[str], None] = lambda line: None,
    ) -> GameVectorEnv:
        """Make environments in which to evaluate the agent.

        Args:
            emulator: name of the emulator.
            episodes: number of episodes of the evaluation.
            noop_max: maximum number of no-op frames at the start of an episode. The numbers of
                no-ops are spread evenly over the episodes.
            noop_min: minimum number of no-op frames.
            num_envs: number of environments; None for the number that runs fastest.
            seed: seed of the episodes.
            report: called with one line for each environment that crashes.

        Raises:
            UsageError: the game cannot be made, or not with the actions of the agent.
        """
        env_config = self.evaluation_config(emulator, noop_max)
        with self._naming_the_trained_game():
            return make_vector_env(
                env_config,
                num_envs=min(num_envs or preferred_num_envs(env_config), episodes),
                seed=seed,
                stratified_episodes=episodes,
                noop_min=noop_min,
                report=report,
            )

    def make_agent(self, env: gym.Env[Any, Any] | GameVectorEnv, *, seed: int = 0) -> Agent:
        """Make the agent with its trained weights, for evaluation only.

        Args:
            env: the environment, or a vector of environments.
            seed: seed of the agent.

        Raises:
            UsageError: the spaces of the environment differ from those in training.
        """
        agent = make_agent(
            self.agent, env, self.hyper, device=self.device, seed=seed, training=False
        )
        for name, trained, given in (
            ("actions", self.num_actions, agent.spec.num_actions),
            ("state shape", self.state_shape, agent.spec.state_shape),
        ):
            if trained != given:
                raise UsageError(
                    f"{self.path} was trained on {self.trained_game} with {name} {trained}, but "
                    f"{self.game} has {given}; omit --game to play {self.trained_game}"
                )
        self.load_into(agent)
        return agent

    @contextmanager
    def _naming_the_trained_game(self) -> Iterator[None]:
        """Context whose errors name the trained game, if another game is to be played."""
        try:
            yield
        except UsageError as error:
            if self.game == self.trained_game:
                raise
            raise UsageError(
                f"{self.path} was trained on {self.trained_game} with {self.num_actions} actions "
                f"and cannot play {self.game} ({error}); omit --game to play {self.trained_game}"
            ) from None

    def load_into(self, agent: Agent) -> None:
        """Load the trained weights into an agent.

        Raises:
            CheckpointError: the weights do not fit the layers or the actions of the agent.
        """
        try:
            agent.load_policy_state_dict(self.policy_state)
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise CheckpointError(
                f"checkpoint {self.path} does not fit its agent: {reason}"
            ) from None


def load_agent(
    path: Path | str,
    *,
    game: str | None = None,
    agent: str | type[Agent] | None = None,
    device: str = "cpu",
) -> TrainedAgent:
    """Load a trained agent from a checkpoint of this program or of the PyTorch tutorial.

    Args:
        path: the file.
        game: ID of the game to play; None for the game of the training.
        agent: class or ``module:Class`` if the agent is not a built-in one. The module of such an
            agent, or of such a game, is only imported if the caller gives it, because the file
            alone must not decide which code is run.
        device: device of the network, see `mario.runs.agent_factory.resolve_device`.

    Raises:
        UsageError: the checkpoint cannot be used.
    """
    path = Path(path)
    checkpoint = load(path)
    if is_tutorial(checkpoint):
        return replace(_from_tutorial(path, checkpoint, game), device=device)
    name = checkpoint["agent"]
    for flag, stored, given in (("agent", name, agent), ("game", checkpoint["game"], game)):
        if ":" in stored and given is None:
            raise UsageError(
                f"{path} needs the module {stored}, which may run any code; "
                f"add --{flag} {stored} if you trust it"
            )
    try:
        kind = agent_reference(agent or name)
        trained = TrainedAgent(
            path=path,
            policy_state=checkpoint["model"],
            agent=kind,
            hyper=from_dict(agent_class(kind).Config, checkpoint["hyper"], "hyper."),
            env_config=_env_config(checkpoint, game),
            state_shape=tuple(checkpoint["state_shape"]),
            num_actions=checkpoint["num_actions"],
            trained_game=checkpoint["game"],
            steps=checkpoint["steps"],
            epsilon=(checkpoint.get("evaluation") or {}).get("epsilon", 0.0),
            device=device,
        )
    except ValueError as error:
        raise CheckpointError(f"checkpoint {path} is refused: {error}") from None
    check_fits(trained)
    return trained


def _env_config(checkpoint: Checkpoint, game: str | None) -> EnvConfig:
    """Return the configuration of the training environment, with another game if one is given."""
    return EnvConfig(
        game=game or checkpoint["game"],
        actions=checkpoint["actions"],
        wrappers=from_dict(WrapperConfig, checkpoint["wrappers"], "wrappers."),
        start_curriculum=from_dict(
            StartCurriculumConfig, checkpoint["start_curriculum"], "start_curriculum."
        ),
        ending_reward=from_dict(EndingRewardConfig, checkpoint["ending_reward"], "ending_reward."),
    )


def _from_tutorial(path: Path, checkpoint: Checkpoint, game: str | None) -> TrainedAgent:
    """Complete a tutorial checkpoint, which has no configuration, with the tutorial's settings."""
    weights = checkpoint["model"]
    actions, num_actions, stack = tutorial_settings(path, weights)
    return TrainedAgent(
        path=path,
        policy_state=weights,
        agent="ddqn",
        hyper=DDQNConfig(separate_target=True),
        env_config=EnvConfig(game or DEFAULT_GAME, actions, wrappers=WrapperConfig(stack=stack)),
        state_shape=(stack, STATE_SIDE, STATE_SIDE),
        num_actions=num_actions,
        trained_game=DEFAULT_GAME,
        steps=0,
    )
