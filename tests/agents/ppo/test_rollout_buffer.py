from __future__ import annotations

import io

import pytest
import torch
from tensordict import TensorDict

from agents.ppo.rollout_buffer import RolloutBuffer, select_rows

HORIZON, GAMES, CARRIED = 4, 3, 2


def rollout(**change) -> RolloutBuffer:
    shape = {"horizon": HORIZON, "num_envs": GAMES, "state_shape": (1, 2, 2), "state_size": CARRIED}
    return RolloutBuffer(**shape | change)


def step(number: int, ended=(), terminated=(), games: int = GAMES) -> TensorDict:
    """Return a step whose numbers encode its time and environment."""
    positions = 10.0 * number + torch.arange(games)
    marks = {
        name: torch.tensor([game in those for game in range(games)])
        for name, those in (("ended", ended), ("terminated", terminated))
    }
    columns = {name: positions.clone() for name in ("log_prob", "value", "next_value", "reward")}
    columns["next_value"] += 0.5
    state = positions.to(torch.uint8)[:, None, None, None].expand(games, 1, 2, 2)
    return TensorDict(
        {"state": state, "action": torch.arange(games), "valid": torch.ones(games) > 0}
        | columns
        | marks,
        batch_size=[games],
    )


def filled(**marks) -> RolloutBuffer:
    made = rollout()
    for number in range(HORIZON):
        recurrent_state = torch.full((GAMES, CARRIED), float(number + 1))
        made.add(step(number, **(marks if number == 1 else {})), recurrent_state)
    return made


def test_a_full_buffer_rejects_more_steps():
    made = filled()
    assert made.full
    with pytest.raises(
        RuntimeError, match=r"the rollout buffer is full \(4 steps\); learn from it first"
    ):
        made.add(step(9), torch.zeros(GAMES, CARRIED))
    made.clear()
    assert made.length == 0


def test_whole_sequences_are_the_envs_with_their_initial_recurrent_state():
    found = filled(ended=[1]).sequences(1.0, 1.0, recurrent=True)
    assert found.batch_size == (GAMES,)
    assert found["value"].tolist() == [[g, 10 + g, 20 + g, 30 + g] for g in range(GAMES)]
    assert found["state"].shape == (GAMES, HORIZON, 1, 2, 2)
    assert found["recurrent_state"].tolist() == [[1.0, 1.0]] * GAMES
    assert found["episode_start"].tolist() == [
        [False] * 4, [False, False, True, False], [False] * 4,
    ]  # fmt: skip


def test_without_recurrence_every_step_is_a_sequence():
    found = filled().sequences(1.0, 1.0, recurrent=False)
    assert found.batch_size == (HORIZON * GAMES,)
    assert found["value"][:4].tolist() == [[0.0], [1.0], [2.0], [10.0]]
    assert found["state"].shape == (HORIZON * GAMES, 1, 1, 2, 2)


@pytest.mark.parametrize("recurrent", [True, False])
def test_selecting_rows_equals_indexing(recurrent):
    found = filled(ended=[1]).sequences(0.9, 0.8, recurrent=recurrent)
    index = torch.tensor([2, 0])
    mine, theirs = select_rows(found, index), found[index]
    assert mine.batch_size == theirs.batch_size
    assert (mine == theirs).all()
    assert set(mine.keys()) == set(theirs.keys())


def test_both_layouts_have_the_same_advantages():
    made = filled(ended=[0, 1], terminated=[0])
    by_game = made.sequences(0.9, 0.8, recurrent=True)["advantage"]
    by_step = made.sequences(0.9, 0.8, recurrent=False)["advantage"]
    assert torch.equal(by_game, by_step.view(HORIZON, GAMES).T)


def test_the_next_value_within_an_episode_is_the_stored_value():
    """With lambda 0, an advantage is a single temporal-difference error."""
    made = filled(ended=[0, 1], terminated=[0])
    advantages = made.sequences(1.0, 0.0, recurrent=True)["advantage"]
    assert advantages[2].tolist() == [12.0, 22.0, 32.0, 32.5]  # the last by its own next value
    assert advantages[1, 1] == 11.5  # cut short
    assert advantages[0, 1] == 0.0  # the game ended
    returns = made.sequences(1.0, 0.0, recurrent=True)["return"]
    assert returns[2].tolist() == [14.0, 34.0, 54.0, 64.5]


def test_a_partial_rollout_survives_saving_and_loading():
    made, after = rollout(), rollout()
    for number in range(3):
        made.add(step(number, ended=[2]), torch.ones(GAMES, CARRIED))
    file = io.BytesIO()
    torch.save(made.state_dict(), file)
    file.seek(0)
    after.load_state_dict(torch.load(file, weights_only=True))
    assert after.length == 3
    for each in (made, after):
        each.add(step(3), torch.zeros(GAMES, CARRIED))
    one, other = (each.sequences(0.9, 0.8, recurrent=True) for each in (made, after))
    assert (one == other).all()


@pytest.mark.parametrize("change", [{"num_envs": 2}, {"horizon": 2}, {"state_size": 4}])
def test_a_rollout_of_another_shape_is_rejected(change):
    with pytest.raises(ValueError, match="resume with the num_envs and horizon of the run"):
        rollout(**change).load_state_dict(filled().state_dict())


def test_the_size_is_that_of_the_columns():
    assert rollout().nbytes == HORIZON * GAMES * (4 + 8 + 4 * 4 + 3)
