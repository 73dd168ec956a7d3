from __future__ import annotations

import numpy as np
import pytest
import torch
from corridors import SHAPE, TINY, Corridors, live, spec
from transitions import transitions

from agents.agent import AgentConfig
from agents.compute.learner import MAX_SKIPPED_UPDATES
from agents.ddqn.agent import DDQN
from agents.ddqn.config import DDQNConfig
from agents.networks.q_network import QNetwork


def changed(config: DDQNConfig = TINY, **change) -> DDQNConfig:
    return DDQNConfig(**vars(config) | change)


class TestActing:
    def test_evaluation_is_greedy(self, agents):
        agent = agents(training=False, num_envs=5)
        states = np.random.default_rng(0).integers(0, 256, (5, *SHAPE), dtype=np.uint8)
        best = agent.network.online(torch.tensor(states)).argmax(dim=1)
        actions = agent.act(states)
        assert (actions.dtype, actions.tolist()) == (np.int64, best.tolist())
        assert agent.exploration_rate == 0.0

    def test_exploration_happens_only_in_training(self, agents):
        agent, states = agents(), np.zeros((1, *SHAPE), np.uint8)
        assert {int(agent.act(states)[0]) for _ in range(50)} == {0, 1, 2}
        rate = agent.exploration_rate
        assert rate == TINY.exploration_decay**50
        agent.train(False)
        assert len({int(agent.act(states)[0]) for _ in range(50)}) == 1
        agent.train()
        assert agent.exploration_rate == rate

    def test_envs_that_do_not_explore_take_their_own_greedy_action(self, agents):
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

    def test_action_values_are_those_used_for_acting(self, agents):
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
    def test_training_uses_the_configured_precision_and_evaluation_float32(
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
    def test_acting_uses_the_latest_weights_after_learning_syncing_and_loading(
        self, agents, separate
    ):
        agent = agents(changed(precision="bfloat16", separate_target=separate))
        live(agent, Corridors(), steps=50)
        agent.load_policy_state_dict(
            agents(changed(separate_target=separate), seed=1).policy_state_dict()
        )
        live(agent, Corridors(), steps=12)
        rounded = {name: each.bfloat16() for name, each in agent.network.state_dict().items()}
        followed = agent._learner.compute_network.state_dict()
        assert all(torch.equal(followed[name], each) for name, each in rounded.items())

    def test_saved_weights_are_float32(self, agents):
        agent = agents(changed(precision="bfloat16"))
        live(agent, Corridors(), steps=12)
        state = agent.state_dict()
        moments = [
            each
            for entry in state["learner"]["optimizer"]["state"].values()
            for each in entry.values()
        ]
        assert {each.dtype for each in (*state["network"].values(), *moments)} == {torch.float32}


class TestRhythm:
    @pytest.mark.parametrize("games", [1, 3, 8])
    def test_there_is_one_update_per_three_steps_after_the_burnin(self, agents, monkeypatch, games):
        agent, updates = agents(num_envs=games), []
        monkeypatch.setattr(agent, "_update", lambda: updates.append(agent.steps) or {})
        live(agent, Corridors(games), steps=72 // games)
        assert agent.steps == 72
        assert len(updates) == len(range(9, 73, 3))
        due = [-(-step // games) * games for step in range(9, 73, 3)]
        assert updates == due

    def test_learn_returns_scalars_only_when_it_updates(self, agents):
        learned = live(agents(), Corridors(), steps=12)
        assert learned[:8] == [None] * 8
        assert [round is None for round in learned[8:]] == [False, True, True, False]
        assert set(learned[8]) == {"loss", "q", "grad_norm", "skipped"}
        assert learned[8]["skipped"] == 0.0
        assert learned[8]["grad_norm"] > 0.0

    @pytest.mark.parametrize("games", [1, 3, 8])
    def test_the_target_is_synced_every_twenty_steps(self, agents, monkeypatch, games):
        agent, synced = agents(num_envs=games), []
        monkeypatch.setattr(agent.network, "sync_target", lambda: synced.append(agent.steps))
        live(agent, Corridors(games), steps=96 // games)
        assert synced == [-(-step // games) * games for step in (20, 40, 60, 80)]

    def test_the_target_is_constant_between_syncs(self, agents):
        agent = agents()
        head = agent.network.target_head[2].weight
        before = head.clone()
        live(agent, Corridors(), steps=19)
        assert torch.equal(head, before)
        assert not torch.equal(agent.network.online_head[2].weight, before)
        live(agent, Corridors(), steps=1)
        assert not torch.equal(head, before)

    def test_invalid_steps_are_not_counted(self, agents):
        agent, games = agents(num_envs=2), Corridors(2)
        states, valid = games.states, [True, False]
        agent.cache(transitions(states, [1, 1], [0, 0], [False] * 2, [True] * 2, states, valid))
        assert agent.steps == 1

    def test_learning_waits_for_transitions_to_sample(self, agents):
        agent = agents(changed(burnin=0, learn_every=1, n_step=4))
        learned = live(agent, Corridors(), steps=5)
        assert learned[:4] == [None] * 4
        assert learned[4] is not None


class TestNotFinite:
    def test_a_non_finite_update_is_skipped(self, agents):
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

    def test_too_many_skipped_updates_raise_an_error(self, agents):
        agent, games = agents(changed(sync_every=10**6)), Corridors()
        live(agent, games, steps=8)
        agent.network.target_head[2].bias.fill_(float("inf"))
        live(agent, games, steps=3 * (MAX_SKIPPED_UPDATES - 1))
        with pytest.raises(
            FloatingPointError, match=r"10 updates in a row .*loss (inf|nan).*lower"
        ):
            live(agent, games, steps=3)


def test_results_depend_on_the_seed_and_not_on_global_generators(agents):
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    first, same, other = agents(seed=5), agents(seed=5), agents(seed=6)
    assert torch.equal(torch.rand(3), expected)
    weights = [agent.network.online_head[2].weight for agent in (first, same, other)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


class TestWeights:
    def test_loaded_weights_act_like_the_original_agent(self, agents):
        teacher, player = agents(), agents(training=False, seed=9)
        live(teacher, Corridors(), steps=30)
        player.load_policy_state_dict(teacher.policy_state_dict())
        states = np.random.default_rng(0).integers(0, 256, (64, *SHAPE), dtype=np.uint8)
        teacher.train(False)
        np.testing.assert_array_equal(teacher.act(states), player.act(states))

    @pytest.mark.parametrize("separate", [False, True])
    def test_weights_omit_the_target_which_is_restored_from_the_online_network(
        self, agents, separate
    ):
        config = changed(separate_target=separate)
        teacher, player = agents(config), agents(config, seed=9)
        live(teacher, Corridors(), steps=30)
        weights = teacher.policy_state_dict()
        assert not [name for name in weights if "target" in name]
        player.load_policy_state_dict(weights)
        states = torch.randint(0, 256, (8, *SHAPE), dtype=torch.uint8)
        assert torch.equal(player.network.target(states), teacher.network.online(states))

    def test_weights_with_the_tutorials_names_are_loaded(self, agents):
        network = QNetwork((4, 84, 84), 2, separate_target=True)
        names = {"features": "", "target_features": "", "online_head": "", "target_head": ""}
        theirs = {}
        for name, tensor in network.state_dict().items():
            part, index, kind = name.split(".")
            assert part in names
            layer = int(index) + 7 * part.endswith("head")
            theirs[f"{'target' if 'target' in part else 'online'}.{layer}.{kind}"] = tensor
        config = DDQNConfig(separate_target=True)
        agent = agents(config, state_shape=(4, 84, 84), num_actions=2, training=False)
        agent.load_policy_state_dict(theirs)
        assert torch.equal(agent.network.target_head[2].weight, network.target_head[2].weight)

    def test_weights_of_another_shape_are_rejected(self, agents):
        with pytest.raises(ValueError, match=r"online_head.2.bias \(3,\), the network .* \(2,\)"):
            agents(num_actions=2).load_policy_state_dict(agents(num_actions=3).policy_state_dict())


class TestMemory:
    def test_the_description_states_size_and_folder(self, agents, tmp_path):
        config = changed(replay_capacity=1_000)
        agent = agents(config, state_shape=(4, 84, 84), folder=tmp_path)
        assert agent.replay_description == (
            f"memory: 1,000 transitions, 0.01 GB at {tmp_path} "
            "(7.3 kB each; the tutorial's layout would take 0.2 GB)"
        )
        assert agents(training=False).replay_description == "memory: none"

    def test_saving_frees_rows_for_two_per_step(self, agents):
        agent = agents()
        assert agent.replay.steps_until_overwrite() == (200 + 1 + 1 + 8) // 2
        live(agent, Corridors(), steps=230)
        assert agent.replay.steps_until_overwrite() == 0
        agent.replay.flush()
        agent.state_dict()
        agent.replay.mark_saved()
        assert agent.replay.steps_until_overwrite() == 8 // 2

    def test_an_evaluation_agent_has_no_replay(self, agents):
        agent = agents(training=False)
        with pytest.raises(
            RuntimeError, match="only plays has no replay memory; give training=True"
        ):
            agent.recall()
        assert agent.persistent_parts() == []


def test_a_config_of_another_agent_is_rejected():
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
def test_it_learns_the_optimal_policy(agents, config):
    learner = changed(
        batch_size=32, burnin=100, sync_every=100, learn_every=4, replay_capacity=2_000,
        learning_rate=1e-3, exploration_decay=0.998, **config,
    )  # fmt: skip
    agent, games = agents(learner, num_envs=4, num_actions=2), Corridors(4)
    live(agent, games, steps=600)
    agent.train(False)
    alone, values = Corridors(), []
    for _ in range(3):
        values.append(agent.network.online(torch.tensor(alone.states)).max().item())
        step = alone.step(agent.act(alone.states))
    assert step.terminated.item(), "three steps lead to the end"
    assert values == pytest.approx([0.81, 0.9, 1.0], abs=0.15)
