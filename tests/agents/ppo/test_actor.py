from __future__ import annotations

import numpy as np
import pytest
import torch
from cues import SHAPE

from agents.agent import EPISODE_START
from agents.compute.precision import ComputeCopy
from agents.networks.actor_critic import ActorCritic
from agents.ppo.actor import Actor, sample_actions

GAMES = 3


def actor(kind: str = "lstm", dtype=torch.float32) -> Actor:
    torch.manual_seed(0)
    network = ActorCritic(SHAPE, 3, kind, hidden_size=8, lstm_size=5)
    torch.nn.init.normal_(network.actor.weight)
    return Actor(network, ComputeCopy(network.body, dtype).network, "cpu", seed=0)


def states(seed: int, games: int = GAMES) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (games, *SHAPE), dtype=np.uint8)


def seen(made: Actor, *seeds: int) -> torch.Tensor:
    """Return the values of the last of several consecutive states."""
    return [made.choose(states(seed), greedy=True) for seed in seeds][-1].output.values


def test_actions_are_sampled_by_their_probabilities():
    probabilities = np.tile([0.2, 0.5, 0.3], (30_000, 1))
    counts = np.bincount(sample_actions(probabilities, np.random.default_rng(0)), minlength=3)
    np.testing.assert_allclose(counts / len(probabilities), [0.2, 0.5, 0.3], atol=0.01)


def test_rounding_never_samples_a_missing_action():
    class One:
        def random(self, count):
            return np.full(count, 1 - 2**-53)

    assert sample_actions(np.full((1, 3), 0.33, np.float32), One()).tolist() == [2]


def test_greedy_takes_the_most_probable_action():
    made = actor()
    choice = made.choose(states(0), greedy=True)
    assert (choice.actions == choice.output.log_probs[:, 0].argmax(dim=1).numpy()).all()


def test_earlier_states_matter_only_to_recurrent_policies():
    for kind, matters in (("cnn", False), ("lstm", True), ("lnlstm", True)):
        same = torch.allclose(seen(actor(kind), 1, 9), seen(actor(kind), 2, 9))
        assert same is not matters


@pytest.mark.parametrize("kind", ["lstm", "lnlstm"])
def test_a_new_episode_resets_the_recurrent_state(kind):
    made = actor(kind)
    seen(made, 1, 2)
    made.carry_recurrent_state(np.array([EPISODE_START, 1, EPISODE_START]))
    after, fresh = seen(made, 9), seen(actor(kind), 9)
    assert torch.equal(after[[0, 2]], fresh[[0, 2]])
    assert not torch.equal(after[1], fresh[1])


def test_the_recurrent_state_follows_its_env_when_others_are_dropped():
    made, all_of_them = actor(), actor()
    for each in (made, all_of_them):
        seen(each, 1, 2)
    made.carry_recurrent_state(np.array([2, 0]))
    expected = seen(all_of_them, 9)[[2, 0]]
    found = made.choose(states(9)[[2, 0]], greedy=True).output.values
    torch.testing.assert_close(found, expected)


def test_probabilities_are_those_used_for_acting():
    made = actor()
    seen(made, 1)
    choice = made.choose(states(2), greedy=True)
    probabilities = made.probabilities(states(2), choice.recurrent_state)
    np.testing.assert_allclose(probabilities, choice.output.log_probs[:, 0].exp(), rtol=1e-6)
    assert (probabilities.argmax(axis=1) == choice.actions).all()
    assert not np.allclose(made.probabilities(states(2), None), probabilities)


def test_evaluation_does_not_affect_training():
    straight, interrupted = actor(), actor()
    for each in (straight, interrupted):
        seen(each, 1)
    interrupted.train(False)
    interrupted.choose(states(5, games=7), greedy=False)
    interrupted.train(True)
    assert torch.equal(seen(interrupted, 2), seen(straight, 2))
    for _ in range(5):
        one, other = (each.choose(states(3), False).actions for each in (straight, interrupted))
        assert (one == other).all()


def test_evaluation_is_reproducible():
    made, played = actor(), []
    for _ in range(2):
        made.train(False)
        played.append([made.choose(states(n), greedy=False).actions.tolist() for n in range(9)])
    assert played[0] == played[1]


def test_evaluation_uses_float32_and_training_the_compute_copy():
    exact, rough = actor(), actor(dtype=torch.bfloat16)
    assert not torch.equal(seen(rough, 1), seen(exact, 1))
    for each in (exact, rough):
        each.train(False)
    assert torch.equal(seen(rough, 1), seen(exact, 1))


def test_values_equal_those_of_the_next_step():
    made = actor()
    seen(made, 1)
    values = made.values(states(2), np.array([True, False, True]))
    after = seen(made, 2)[:, 0]
    torch.testing.assert_close(values[[0, 2]], after[[0, 2]])
    assert values[1] == 0
