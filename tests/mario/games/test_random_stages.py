"""A random level in each episode."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from mario.errors import UsageError
from mario.games.random_stages import RandomStages
from mario.games.super_mario_bros import SuperMarioBros

STAGES = ["1-1", "2-1", "3-2"]


@pytest.fixture
def game() -> Iterator[RandomStages]:
    game = RandomStages(stages=STAGES, actions="right-only")
    yield game
    game.close()


def play_stages(game: RandomStages, episodes: int, **options) -> list[str]:
    infos = [game.reset(options=options)[1] for _ in range(episodes)]
    return [f"{info['world']}-{info['stage']}" for info in infos]


def test_exactly_the_given_stages_are_drawn(game: RandomStages) -> None:
    game.reset(seed=0)
    assert set(play_stages(game, 20)) == set(STAGES)


def test_the_same_seed_draws_the_same_stages(game: RandomStages) -> None:
    draws = []
    for _ in range(2):
        game.reset(seed=7)
        draws.append(play_stages(game, 8))
    assert draws[0] == draws[1]


def test_stages_given_to_reset_apply_to_one_episode(game: RandomStages) -> None:
    assert play_stages(game, 2, stages=["4-1"]) == ["4-1", "4-1"]
    assert set(play_stages(game, 5)) <= set(STAGES)


def test_a_stage_behaves_like_the_single_level(game: RandomStages) -> None:
    alone = SuperMarioBros(level="3-2", actions="right-only")
    screen, info = alone.reset(options={"noops": 5})
    mixed, mixed_info = game.reset(options={"stages": ["3-2"], "noops": 5})
    np.testing.assert_array_equal(mixed, screen)
    assert mixed_info == info
    assert [game.step(3)[1] for _ in range(50)] == [alone.step(3)[1] for _ in range(50)]


def test_it_has_the_attributes_of_a_single_level(game: RandomStages) -> None:
    assert game.action_space.n == 5
    assert game.action_names[-1] == "right+A+B"
    assert game.metadata["emulator"] == game.game.emulator.name
    assert game.render() is None


@pytest.mark.parametrize("stages", [["9-9"], []])
def test_unknown_stages_are_reported(game: RandomStages, stages: list[str]) -> None:
    with pytest.raises(UsageError, match="unknown stage"):
        game.reset(options={"stages": stages})
