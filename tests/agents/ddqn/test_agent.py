from __future__ import annotations

import numpy as np
import pytest
import torch
from corridors import SHAPE, TINY, Corridors, live, spec
from transitions import transitions

from agents.agent import AgentConfig
from agents.compute.learner import MOST_SKIPPED
from agents.ddqn.agent import DDQN
from agents.ddqn.config import DDQNConfig
from agents.networks.q_network import QNetwork


def changed(config: DDQNConfig = TINY, **change) -> DDQNConfig:
    return DDQNConfig(**vars(config) | change)


class TestActing:
    def test_it_is_greedy_when_it_plays(self, agents):
        agent = agents(training=False, num_envs=5)
        states = np.random.default_rng(0).integers(0, 256, (5, *SHAPE), dtype=np.uint8)
        best = agent.network.online(torch.tensor(states)).argmax(dim=1)
        actions = agent.act(states)
        assert (actions.dtype, actions.tolist()) == (np.int64, best.tolist())
        assert agent.exploration_rate == 0.0

    def test_it_explores_while_it_trains_and_only_then(self, agents):
        agent, states = agents(), np.zeros((1, *SHAPE), np.uint8)
        assert {int(agent.act(states)[0]) for _ in range(50)} == {0, 1, 2}
        rate = agent.exploration_rate
        assert rate == TINY.exploration_decay**50
        agent.train(False)
        assert len({int(agent.act(states)[0]) for _ in range(50)}) == 1
        agent.train()
        assert agent.exploration_rate == rate

    def test_a_game_that_does_not_explore_takes_the_best_for_its_own_state(self, agents):
        config = changed(exploration_start=0.5, exploration_decay=1.0)
        agent, plain = agents(config, num_envs=8), agents(training=False, num_envs=8)
        states = np.random.default_rng(1).integers(0, 256, (8, *SHAPE), dtype=np.uint8)
        middle = plain.network.online(torch.tensor(states)).mean(dim=0)
        for each in (agent, plain):  # so that not one action is the best in all states
            each.network.online_head[2].bias.data -= middle
        best = plain.act(states)
        assert len(set(best)) > 1
        agreed = np.mean([agent.act(states) == best for _ in range(400)], axis=0)
        np.testing.assert_allclose(agreed, 0.5 + 0.5 / 3, atol=0.1)

    def test_it_tells_the_values_that_it_plays_by(self, agents):
        agent = agents(training=False, num_envs=5)
        states = np.random.default_rng(2).integers(0, 256, (5, *SHAPE), dtype=np.uint8)
        values = agent.action_values(states)
        assert (values.dtype, values.shape) == (np.float32, (5, 3))
        assert (values.argmax(axis=1) == agent.act(states)).all()
        assert agent.action_values_name == "value"

    def test_states_may_be_read_only(self, agents):
        states = np.zeros((1, *SHAPE), np.uint8)
        states.flags.writeable = False
        agents(training=False).act(states)


class TestPrecision:
    def test_it_explores_in_what_the_configuration_says_and_plays_in_float32(
        self, agents, monkeypatch
    ):
        used = []
        online = QNetwork.online

        def noted(network, states):
            used.append(next(network.parameters()).dtype)
            return online(network, states)

        monkeypatch.setattr(QNetwork, "online", noted)
        greedy = {"precision": "bfloat16", "exploration_start": 0.0, "exploration_min": 0.0}
        agent = agents(changed(**greedy))
        states = np.zeros((1, *SHAPE), np.uint8)
        for mode in (True, False, True):
            agent.train(mode)
            agent.act(states)
        agents(changed(**greedy), training=False).act(states)
        assert used == [torch.bfloat16, torch.float32, torch.bfloat16, torch.float32]

    @pytest.mark.parametrize("separate", [False, True])
    def test_what_was_learned_synced_or_loaded_is_what_it_explores_with(self, agents, separate):
        agent = agents(changed(precision="bfloat16", separate_target=separate))
        live(agent, Corridors(), steps=50)
        agent.load_policy_state_dict(
            agents(changed(separate_target=separate), seed=1).policy_state_dict()
        )
        live(agent, Corridors(), steps=12)
        rounded = {name: each.bfloat16() for name, each in agent.network.state_dict().items()}
        followed = agent._twin.like.state_dict()
        assert all(torch.equal(followed[name], each) for name, each in rounded.items())

    def test_what_is_saved_is_float32_all_the_same(self, agents):
        agent = agents(changed(precision="bfloat16"))
        live(agent, Corridors(), steps=12)
        state = agent.state_dict()
        moments = [
            each for entry in state["optimizer"]["state"].values() for each in entry.values()
        ]
        assert {each.dtype for each in (*state["network"].values(), *moments)} == {torch.float32}


class TestRhythm:
    @pytest.mark.parametrize("games", [1, 3, 8])
    def test_there_is_an_update_for_every_third_decision_after_the_burn_in(
        self, agents, monkeypatch, games
    ):
        agent, updates = agents(num_envs=games), []
        monkeypatch.setattr(agent, "_update", lambda: updates.append(agent.decisions) or {})
        live(agent, Corridors(games), steps=72 // games)
        assert agent.decisions == 72
        assert len(updates) == len(range(9, 73, 3))
        due = [-(-decision // games) * games for decision in range(9, 73, 3)]
        assert updates == due

    def test_nothing_is_learned_between_updates_and_named_scalars_at_one(self, agents):
        learned = live(agents(), Corridors(), steps=12)
        assert learned[:8] == [None] * 8
        assert [round is None for round in learned[8:]] == [False, True, True, False]
        assert set(learned[8]) == {"loss", "q", "grad_norm", "skipped"}
        assert learned[8]["skipped"] == 0.0
        assert learned[8]["grad_norm"] > 0.0

    @pytest.mark.parametrize("games", [1, 3, 8])
    def test_the_target_is_synced_whenever_twenty_decisions_are_full(
        self, agents, monkeypatch, games
    ):
        agent, synced = agents(num_envs=games), []
        monkeypatch.setattr(agent.network, "sync_target", lambda: synced.append(agent.decisions))
        live(agent, Corridors(games), steps=96 // games)
        assert synced == [-(-decision // games) * games for decision in (20, 40, 60, 80)]

    def test_the_target_stands_still_in_between(self, agents):
        agent = agents()
        head = agent.network.target_head[2].weight
        before = head.clone()
        live(agent, Corridors(), steps=19)
        assert torch.equal(head, before)
        assert not torch.equal(agent.network.online_head[2].weight, before)
        live(agent, Corridors(), steps=1)
        assert not torch.equal(head, before)

    def test_a_crashed_game_is_no_decision(self, agents):
        agent, games = agents(num_envs=2), Corridors(2)
        states, valid = games.states, [True, False]
        agent.cache(transitions(states, [1, 1], [0, 0], [False] * 2, [True] * 2, states, valid))
        assert agent.decisions == 1

    def test_it_waits_when_there_is_nothing_to_draw(self, agents):
        agent = agents(changed(burnin=0, learn_every=1, n_step=4))
        learned = live(agent, Corridors(), steps=5)
        assert learned[:4] == [None] * 4
        assert learned[4] is not None


class TestNotFinite:
    def test_an_update_is_skipped_and_changes_nothing(self, agents):
        agent, games = agents(), Corridors()
        live(agent, games, steps=12)
        sick = agent.network.target_head[2].bias
        sick.fill_(float("nan"))
        before = [each.clone() for each in agent.network.parameters() if each.requires_grad]
        assert live(agent, games, steps=3)[-1] == {"skipped": 1.0}
        after = [each for each in agent.network.parameters() if each.requires_grad]
        assert all(map(torch.equal, before, after))
        sick.zero_()
        assert live(agent, games, steps=3)[-1]["skipped"] == 0.0

    def test_too_many_in_a_row_stop_it_with_one_line(self, agents):
        agent, games = agents(changed(sync_every=10**6)), Corridors()
        live(agent, games, steps=8)
        agent.network.target_head[2].bias.fill_(float("inf"))
        live(agent, games, steps=3 * (MOST_SKIPPED - 1))
        with pytest.raises(
            FloatingPointError, match=r"10 updates in a row .*loss (inf|nan).*lower"
        ):
            live(agent, games, steps=3)


def test_the_seed_decides_and_the_global_generators_are_left_alone(agents):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first, same, other = agents(seed=5), agents(seed=5), agents(seed=6)
    assert torch.equal(torch.rand(3), expected)
    weights = [agent.network.online_head[2].weight for agent in (first, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


class TestWeights:
    def test_what_one_agent_learned_another_plays(self, agents):
        teacher, player = agents(), agents(training=False, seed=9)
        live(teacher, Corridors(), steps=30)
        player.load_policy_state_dict(teacher.policy_state_dict())
        states = np.random.default_rng(0).integers(0, 256, (64, *SHAPE), dtype=np.uint8)
        teacher.train(False)
        np.testing.assert_array_equal(teacher.act(states), player.act(states))

    @pytest.mark.parametrize("separate", [False, True])
    def test_they_leave_out_the_target_which_becomes_what_is_online(self, agents, separate):
        config = changed(separate_target=separate)
        teacher, player = agents(config), agents(config, seed=9)
        live(teacher, Corridors(), steps=30)
        weights = teacher.policy_state_dict()
        assert not [name for name in weights if "target" in name]
        player.load_policy_state_dict(weights)
        states = torch.randint(0, 256, (8, *SHAPE), dtype=torch.uint8)
        assert torch.equal(player.network.target(states), teacher.network.online(states))

    def test_the_tutorials_names_are_understood(self, agents):
        network = QNetwork((4, 84, 84), 2, separate_target=True)
        names = {"features": "", "target_features": "", "online_head": "", "target_head": ""}
        theirs = {}
        for name, tensor in network.state_dict().items():
            part, place, kind = name.split(".")
            assert part in names
            layer = int(place) + 7 * part.endswith("head")
            theirs[f"{'target' if 'target' in part else 'online'}.{layer}.{kind}"] = tensor
        config = DDQNConfig(separate_target=True)
        agent = agents(config, state_shape=(4, 84, 84), num_actions=2, training=False)
        agent.load_policy_state_dict(theirs)
        assert torch.equal(agent.network.target_head[2].weight, network.target_head[2].weight)

    def test_those_of_another_game_are_refused(self, agents):
        with pytest.raises(ValueError, match=r"online_head.2.bias \(3,\), the network .* \(2,\)"):
            agents(num_actions=2).load_policy_state_dict(agents(num_actions=3).policy_state_dict())


class TestMemory:
    def test_its_size_and_place_are_told_before_training(self, agents, tmp_path):
        config = changed(replay_capacity=1_000)
        agent = agents(config, state_shape=(4, 84, 84), folder=tmp_path)
        assert agent.describe_replay == (
            f"memory: 1,000 transitions, 0.01 GB at {tmp_path} "
            "(7.3 kB each; the tutorial's layout would take 0.2 GB)"
        )
        assert agents(training=False).describe_replay == "memory: none"

    def test_room_is_left_for_two_rows_a_step_and_a_save_makes_more(self, agents):
        agent = agents()
        assert agent.replay.steps_until_overwrite() == (200 + 1 + 1 + 8) // 2
        live(agent, Corridors(), steps=230)
        assert agent.replay.steps_until_overwrite() == 0
        agent.replay.flush()
        agent.state_dict()
        agent.replay.mark_saved()
        assert agent.replay.steps_until_overwrite() == 8 // 2

    def test_an_agent_that_only_plays_has_none(self, agents):
        agent = agents(training=False)
        with pytest.raises(
            RuntimeError, match="only plays has no replay memory; give training=True"
        ):
            agent.recall()
        assert agent.persistent_parts() == []


def test_another_kind_of_configuration_is_refused():
    with pytest.raises(TypeError, match=r"config is AgentConfig\(\); give a DDQNConfig"):
        DDQN.build(spec(), AgentConfig())


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"n_step": 3},
        {"separate_target": True},
        {"precision": "bfloat16"},
        {"precision": "auto"},
        {"dueling": True},
        {"priority_alpha": 0.6, "priority_beta_steps": 1_600},
        {"random_shift": 1},
    ],
)
def test_it_finds_the_way_that_is_known_to_be_best(agents, config):
    learner = changed(
        batch_size=32, burnin=100, sync_every=100, learn_every=4, replay_capacity=2_000,
        learning_rate=1e-3, exploration_decay=0.998, **config,
    )  # fmt: skip
    agent, games = agents(learner, num_envs=4, num_actions=2), Corridors(4)
    live(agent, games, steps=400)
    agent.train(False)
    alone, values = Corridors(), []
    for _ in range(3):
        values.append(agent.network.online(torch.tensor(alone.states)).max().item())
        step = alone.step(agent.act(alone.states))
    assert step.terminated.item(), "three steps lead to the end"
    assert values == pytest.approx([0.81, 0.9, 1.0], abs=0.15)
