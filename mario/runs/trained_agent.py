"""A trained agent out of a checkpoint: what it plays, how it sees, and the agent itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gymnasium as gym

from agents import Agent, AgentConfig, DDQNConfig
from agents.networks.tutorial_cnn import STATE_SIDE, from_tutorial
from mario.config.env_config import EndingRewardConfig, EnvConfig, StartCurriculumConfig
from mario.config.run_config import DEFAULT_GAME
from mario.config.serialization import from_dict
from mario.errors import UsageError
from mario.runs.agent_factory import agent_class, make_agent
from mario.runs.checkpoint import Checkpoint, CheckpointError, is_tutorial, load
from mario.vector.base import GameVectorEnv
from mario.vector.make import make_env, make_vector_env, preferred_num_envs
from wrappers import WrapperConfig

ACTION_SETS = {2: "tutorial", 5: "right-only", 7: "simple", 12: "complex"}
"""The action set that a tutorial's file was trained with, by the size of its last layer."""


@dataclass(frozen=True)
class TrainedAgent:
    """A checkpoint that was read and understood.

    Attributes:
        path: the file.
        weights: what `agents.Agent.load_weights` takes.
        agent: name of the agent.
        hyper: its hyper-parameters.
        env_config: its training environment.
        state_shape: shape of what it sees.
        num_actions: how many actions it chooses from.
        steps: decisions it was trained for; 0 where the file does not say.
        epsilon: share of random decisions that it was last examined with.
    """

    path: Path
    weights: dict[str, Any]
    agent: str
    hyper: AgentConfig
    env_config: EnvConfig
    state_shape: tuple[int, ...]
    num_actions: int
    steps: int
    epsilon: float = 0.0

    @property
    def game(self) -> str:
        """Id of the game."""
        return self.env_config.game

    def evaluation_config(self, emulator: str = "auto", noop_max: int = 30) -> EnvConfig:
        """Return the configuration of an environment in which to evaluate the agent.

        Args:
            emulator: Name of the emulator.
            noop_max: Greatest number of no-op frames at the start of an episode.
        """
        return replace(self.env_config.for_evaluation(noop_max), emulator=emulator)

    def make_env(
        self,
        emulator: str,
        *,
        noops: int = 0,
        inner: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]] | None = None,
    ) -> gym.Env[Any, Any]:
        """Make its game as it sees it, see `mario.vector.make.make_env`.

        Args:
            emulator: name of the emulator.
            noops: each episode starts with 0 to this many frames without a button.
            inner: wraps the bare game first.
        """
        return make_env(self.evaluation_config(emulator, noops), inner)

    def make_vector_env(
        self,
        emulator: str = "auto",
        *,
        episodes: int,
        noops: int = 30,
        num_envs: int | None = None,
        seed: int = 0,
        report: Callable[[str], None] = lambda line: None,
    ) -> GameVectorEnv:
        """Make its game as it sees it, many at a time, to be played from all starts alike.

        Args:
            emulator: name of the emulator.
            episodes: how many are to be played.
            noops: each starts with 0 to this many frames without a button, with each as often.
            num_envs: games played at a time; None for as many as is fastest.
            seed: decides which starts come once more than others.
            report: is told, in a line, of what is otherwise than asked for.
        """
        env_config = self.evaluation_config(emulator, noops)
        return make_vector_env(
            env_config,
            num_envs=min(num_envs or preferred_num_envs(env_config), episodes),
            seed=seed,
            stratified=True,
            report=report,
        )

    def make_agent(self, games: gym.Env[Any, Any] | GameVectorEnv, *, seed: int = 0) -> Agent:
        """Make the agent and give it its weights; it only plays and never learns.

        Raises:
            UsageError: the games do not fit what it was trained on.
        """
        agent = make_agent(self.agent, self.hyper, games, seed=seed, training=False)
        spec = agent.spec
        for what, mine, theirs in (
            ("actions", self.num_actions, spec.num_actions),
            ("shape of states", self.state_shape, spec.state_shape),
        ):
            if mine != theirs:
                raise UsageError(
                    f"{self.path} was trained with {what} {mine}, this game has {theirs}; "
                    f"leave --game out to play {self.game}"
                )
        self.load_into(agent)
        return agent

    def load_into(self, agent: Agent) -> None:
        """Give its weights to an agent.

        Raises:
            CheckpointError: they are of another kind of agent, or of other actions or layers.
        """
        try:
            agent.load_policy_state_dict(self.weights)
        except (RuntimeError, ValueError, KeyError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise CheckpointError(
                f"checkpoint {self.path} does not fit its agent: {reason}"
            ) from None


def load_agent(path: Path, *, game: str | None = None, agent: str | None = None) -> TrainedAgent:
    """Read a checkpoint, ours or the tutorial's.

    Args:
        path: the file.
        game: plays this game in place of the one that it was trained on.
        agent: ``module:Class`` of a user's own agent; a file alone never decides which code is run.

    Raises:
        UsageError: it cannot be used; says why.
    """
    checkpoint = load(path)
    if is_tutorial(checkpoint):
        return _of_tutorial(path, checkpoint, game)
    name = checkpoint["agent"]
    for flag, value, given in (("agent", name, agent), ("game", checkpoint["game"], game)):
        if ":" in value and given is None:
            raise UsageError(
                f"{path} needs code of its maker's; add --{flag} {value} if you trust it"
            )
    try:
        return TrainedAgent(
            path=path,
            weights=checkpoint["model"],
            agent=agent or name,
            hyper=from_dict(agent_class(agent or name).Config, checkpoint["hyper"], "hyper."),
            env_config=_env_config(checkpoint, game),
            state_shape=tuple(checkpoint["state_shape"]),
            num_actions=checkpoint["num_actions"],
            steps=checkpoint["steps"],
            epsilon=(checkpoint.get("evaluation") or {}).get("epsilon", 0.0),
        )
    except ValueError as error:
        raise CheckpointError(f"checkpoint {path} is refused: {error}") from None


def _env_config(checkpoint: Checkpoint, game: str | None) -> EnvConfig:
    """Return the training environment that a checkpoint describes, with another game if given."""
    return EnvConfig(
        game=game or checkpoint["game"],
        actions=checkpoint["actions"],
        wrappers=from_dict(WrapperConfig, checkpoint["wrappers"], "wrappers."),
        start_curriculum=from_dict(
            StartCurriculumConfig, checkpoint["start_curriculum"], "start_curriculum."
        ),
        ending_reward=from_dict(EndingRewardConfig, checkpoint["ending_reward"], "ending_reward."),
    )


def _of_tutorial(path: Path, checkpoint: Checkpoint, game: str | None) -> TrainedAgent:
    """What a file of the tutorial's own code leaves unsaid is what the tutorial says."""
    weights = checkpoint["model"]
    try:
        from_tutorial(weights)
    except (ValueError, AttributeError) as error:
        raise CheckpointError(f"checkpoint {path} is refused: {error}") from None
    num_actions, frames = len(weights["online.9.bias"]), weights["online.0.weight"].shape[1]
    actions = ACTION_SETS.get(num_actions)
    if actions is None:
        raise CheckpointError(
            f"checkpoint {path} has {num_actions} actions, but the known action sets have "
            f"{', '.join(map(str, ACTION_SETS))}"
        )
    return TrainedAgent(
        path=path,
        weights=weights,
        agent="ddqn",
        hyper=DDQNConfig(separate_target=True),
        env_config=EnvConfig(game or DEFAULT_GAME, actions, wrappers=WrapperConfig(stack=frames)),
        state_shape=(frames, STATE_SIDE, STATE_SIDE),
        num_actions=num_actions,
        steps=0,
    )
