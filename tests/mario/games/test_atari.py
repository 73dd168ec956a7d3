"""Atari games in ALE."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from mario.errors import UsageError
from mario.games import make_game


def play(game, actions):
    """Return the screen and the reward of each frame."""
    return [game.step(int(action))[:2] for action in actions]


@pytest.mark.parametrize(
    ("name", "num_actions", "sticky"),
    [("ALE/Pong-v5", 6, 0.25), ("BreakoutNoFrameskip-v4", 4, 0.0), ("ALE/MsPacman-v5", 9, 0.25)],
)
def test_every_game_of_ale_can_be_made(name, num_actions, sticky) -> None:
    game = make_game(name)
    assert (game.spec.id, game.action_space.n) == (name, num_actions)
    assert game.spec.kwargs["repeat_action_probability"] == sticky
    assert game.metadata["render_fps"] == 60
    observation, info = game.reset(seed=1)
    assert observation.shape == (210, 160, 3)
    assert info["ending"] == ""


@pytest.mark.filterwarnings("ignore:.*render:UserWarning")
def test_gymnasiums_environment_checker_accepts_the_game() -> None:
    check_env(make_game("ALE/Pong-v5", render_mode="rgb_array").unwrapped)


def test_a_game_depends_only_on_its_seed() -> None:
    game = make_game("ALE/Pong-v5")
    actions = np.random.default_rng(0).integers(6, size=150)
    runs = []
    for seed in (3, 3, 4):
        game.reset(seed=seed)
        runs.append(np.stack([screen for screen, _ in play(game, actions)]))
    np.testing.assert_array_equal(runs[0], runs[1])
    assert (runs[1] != runs[2]).any()  # by sticky actions


def test_no_op_frames_are_played_before_the_first_observation() -> None:
    game = make_game("BreakoutNoFrameskip-v4")
    game.reset(seed=1, options={"noops": 3})
    after = play(game, [1] * 30)[-1][0]
    game.reset(seed=1)
    play(game, [0] * 3)
    np.testing.assert_array_equal(after, play(game, [1] * 30)[-1][0])


def test_a_lost_game_ends_with_game_over() -> None:
    game = make_game("BreakoutNoFrameskip-v4")
    _, info = game.reset(seed=1)
    assert info["lives"] == 5
    terminated = False
    while not terminated:
        _, _, terminated, truncated, info = game.step(1)
    assert not truncated
    assert info == {"lives": 0, "ending": "game over"}


@pytest.mark.parametrize(
    ("actions", "names"),
    [
        ([["right"], ["left"]], ("RIGHT", "LEFT")),
        ([["NOOP"], ["fire", "left", "down"]], ("NOOP", "DOWNLEFTFIRE")),
        ("minimal", ("NOOP", "FIRE", "RIGHT", "LEFT")),
    ],
)
def test_actions_can_be_given_as_lists_of_buttons(actions, names) -> None:
    assert make_game("ALE/Breakout-v5", actions=actions).get_wrapper_attr("action_names") == names


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        ([["A"]], "unknown button 'a'; did you mean"),
        ([1], r"an action is a list of buttons, got 1; write \[1\]"),
        ([[1]], "unknown button '1'; did you mean"),
        (["fire"], r"an action is a list of buttons, got 'fire'; write \['fire'\]"),
        ([], "an action set needs at least one action"),
        ([["up", "down"]], r"no joystick can be held down\+up; choose one direction"),
    ],
)
def test_actions_that_a_joystick_does_not_have_are_refused(actions, message) -> None:
    with pytest.raises(UsageError, match=message):
        make_game("ALE/Pong-v5", actions=actions)


def test_an_unknown_game_is_reported_with_similar_names() -> None:
    with pytest.raises(UsageError, match="unknown game 'ALE/Pon-v5'; did you mean .*'ALE/Pong-v5'"):
        make_game("ALE/Pon-v5")
    assert "ale_py" in sys.modules
