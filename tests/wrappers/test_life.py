"""Pressing the fire button, and episodes that end with a life."""

from __future__ import annotations

import gymnasium as gym

from wrappers import FireReset, TerminalOnLifeLoss, WrapperConfig, wrap

FIRE, WAIT, LOSE = 0, 1, 2


class LivesGame(gym.Env):
    """Three lives. Observations count the steps, the fire button earns 1, calls are recorded."""

    observation_space = action_space = gym.spaces.Discrete(100)
    fire = FIRE

    def __init__(self) -> None:
        self.tape = []

    def reset(self, *, seed=None, options=None):
        self.tape.append(("reset", seed))
        self.steps, self.lives = 0, 3
        return 0, {"lives": 3, "ending": ""}

    def step(self, action):
        self.tape.append(action)
        self.steps += 1
        self.lives -= action == LOSE
        terminated = self.lives == 0
        info = {"lives": self.lives, "ending": "game over" if terminated else ""}
        return self.steps, float(action == FIRE), terminated, False, info


class SlowGameOver(LivesGame):
    """A game that shows 0 lives for one step before it is over, like Qbert."""

    def step(self, action):
        was_lost = self.lives == 0
        observation, reward, _, _, info = super().step(action if self.lives else WAIT)
        return observation, reward, was_lost, False, info


class FireEndsGame(LivesGame):
    """A game that the fire button ends."""

    def step(self, action):
        observation, reward, terminated, truncated, info = super().step(action)
        return observation, reward, terminated or action == FIRE, truncated, info


def test_zero_lives_before_the_game_is_over_do_not_end_the_episode() -> None:
    env = TerminalOnLifeLoss(SlowGameOver())
    env.reset()
    for _ in range(2):
        assert env.step(LOSE)[4]["ending"] == "life"
        env.reset()
    assert not env.step(LOSE)[2]
    assert env.step(WAIT)[2]


def test_a_game_that_the_fire_button_ends_is_reset_again() -> None:
    game = FireEndsGame()
    env = FireReset(game, FIRE)
    assert env.reset(seed=3)[0] == 0
    assert game.tape == [("reset", 3), FIRE, ("reset", 3)]
    assert not env.step(WAIT)[2]


def test_fire_is_pressed_at_the_start_and_after_each_life_except_the_last() -> None:
    game = LivesGame()
    env = FireReset(game, FIRE)
    assert env.reset(seed=7)[0] == 1
    observation, reward, terminated, _, info = env.step(LOSE)
    assert (observation, reward, terminated, info["lives"]) == (3, 1.0, False, 2)
    env.step(WAIT)
    env.step(LOSE)
    assert env.step(LOSE)[2]
    assert game.tape == [("reset", 7), FIRE, LOSE, FIRE, WAIT, LOSE, FIRE, LOSE]


def test_an_episode_ends_with_a_life_and_the_game_continues() -> None:
    game = LivesGame()
    env = TerminalOnLifeLoss(game)
    env.reset(seed=1)
    assert not env.step(WAIT)[2]
    observation, _, terminated, truncated, info = env.step(LOSE)
    assert (observation, terminated, truncated, info["ending"]) == (2, True, False, "life")
    observation, info = env.reset(seed=2)
    assert (observation, info) == (2, {"lives": 2, "ending": ""})
    assert game.tape == [("reset", 1), WAIT, LOSE]


def test_the_last_life_ends_the_game() -> None:
    game = LivesGame()
    env = TerminalOnLifeLoss(game)
    env.reset(seed=1)
    for ending in ("life", "life", "game over"):
        assert env.step(LOSE)[4]["ending"] == ending
        env.reset(seed=2)
    assert game.tape[-2:] == [LOSE, ("reset", 2)]


def test_a_reset_before_the_end_of_an_episode_resets_the_game() -> None:
    game = LivesGame()
    env = TerminalOnLifeLoss(game)
    env.reset(seed=1)
    env.step(LOSE)
    env.reset()
    env.step(WAIT)
    env.reset(seed=3)
    assert game.tape[-1] == ("reset", 3)


class ImageGame(LivesGame):
    """The same game with images, whose color is the step."""

    observation_space = gym.spaces.Box(0, 255, (84, 84, 3), "uint8")

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.image(), {"lives": 3, "ending": ""}

    def step(self, action):
        return self.image(), *super().step(action)[1:]

    def image(self):
        return self.observation_space.low + self.observation_space.dtype.type(self.steps)


def test_episode_statistics_are_those_of_whole_games() -> None:
    config = WrapperConfig(skip=1, fire_reset=True, terminal_on_life_loss=True, reward_clip=0.5)
    env = wrap(ImageGame(), config)
    env.reset()
    assert "episode" not in env.step(LOSE)[4]
    env.reset()
    assert "episode" not in env.step(LOSE)[4]
    env.reset()
    _, _, _, _, info = env.step(LOSE)
    assert (info["episode"]["r"], info["episode"]["l"]) == (2.0, 3)
