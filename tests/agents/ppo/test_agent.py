from __future__ import annotations

from dataclasses import replace

import corridors
import numpy as np
import pytest
import torch
from corridors import Corridors
from cues import TINY, Cues, live, score, spec
from transitions import transitions

from agents.agent import EPISODE_START, AgentConfig
from agents.ddqn.config import DDQNConfig
from agents.ppo.agent import PPO
from agents.ppo.config import PPOConfig

LEARNING = replace(TINY, horizon=12, minibatches=4, epochs=4, learning_rate=3e-3)


@pytest.fixture
def agents():
    """Build agents and close them after the test."""
    made = []

    def make(config: PPOConfig = TINY, where=spec, **change) -> PPO:
        made.append(PPO.build(where(**change), config))
        return made[-1]

    yield make
    for agent in made:
        agent.close()


def parameters(agent: PPO) -> torch.Tensor:
    return torch.cat([each.detach().flatten() for each in agent.network.parameters()])


class TestLearning:
    @pytest.mark.parametrize("precision", ["float32", "bfloat16"])
    def test_it_learns_the_shortest_path(self, agents, precision):
        config = replace(TINY, precision=precision)
        agent = agents(config, corridors.spec, num_envs=8)
        live(agent, Corridors(8), steps=160)
        agent.train(False)
        games = Corridors(1)
        for ended in (False, False, True):
            assert games.step(agent.act(games.states)).terminated.item() is ended

    @pytest.mark.parametrize("policy", ["lstm", "lnlstm"])
    def test_a_recurrent_policy_solves_a_memory_task(self, agents, policy):
        agent = agents(replace(LEARNING, policy=policy), num_envs=16)
        live(agent, Cues(16), steps=245)
        assert score(agent, Cues(32, seed=9), steps=30) == 1.0

    def test_a_feedforward_policy_cannot_solve_the_memory_task(self, agents):
        agent = agents(LEARNING, num_envs=16)
        live(agent, Cues(16), steps=245)
        assert score(agent, Cues(32, seed=9), steps=30) == pytest.approx(0.5, abs=0.15)

    def test_it_learns_when_the_rollout_is_full_and_returns_metrics(self, agents):
        agent = agents(num_envs=2)
        learned = live(agent, Cues(2), steps=17)
        assert [number for number, each in enumerate(learned) if each] == [8, 16]
        assert set(learned[8]) == {
            "loss", "policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction",
            "grad_norm", "explained_variance", "learning_rate", "clip_range", "updates", "skipped",
        }  # fmt: skip
        assert set(PPO.reported_metrics) < set(learned[8])
        assert learned[8]["updates"] == TINY.epochs * TINY.minibatches
        assert learned[8]["entropy"] == pytest.approx(np.log(2), abs=0.01)
        assert agent.steps == 34

    @pytest.mark.parametrize("policy", ["cnn", "lnlstm"])
    def test_results_barely_depend_on_the_number_of_threads(self, agents, policy):
        one, two = (
            agents(replace(TINY, policy=policy), num_envs=8, threads=threads) for threads in (1, 2)
        )
        start = parameters(one)
        for agent in (one, two):
            live(agent, Cues(8), steps=9)
        assert (parameters(one) - start).norm() > 0.01
        assert (parameters(one) - parameters(two)).norm() < 0.01 * (parameters(one) - start).norm()

    def test_updates_stop_early_at_the_target_kl(self, agents):
        agent = agents(replace(TINY, epochs=50, target_kl=0.02, learning_rate=0.01), num_envs=4)
        (learned,) = filter(None, live(agent, Cues(4), steps=9))
        assert 1 < learned["updates"] < 100

    def test_no_update_is_made_beyond_the_target_kl(self, agents):
        # the second minibatch already sees a policy that has moved
        agent = agents(replace(TINY, epochs=50, target_kl=1e-9, learning_rate=0.01), num_envs=4)
        (learned,) = filter(None, live(agent, Cues(4), steps=9))
        assert learned["updates"] == 1
        assert learned["approx_kl"] <= 1e-9

    def test_schedules_use_the_step_before_the_rollout(self, agents):
        config = replace(
            TINY, learning_rate=1e-3, learning_rate_end=0.0, clip_range=0.4, clip_range_end=0.2,
            schedule_steps=32,
        )  # fmt: skip
        learned = list(filter(None, live(agents(config, num_envs=2), Cues(2), steps=25)))
        assert [each["learning_rate"] for each in learned] == [1e-3, 5e-4, 0.0]
        assert [each["clip_range"] for each in learned] == pytest.approx([0.4, 0.3, 0.2])


class TestSteps:
    def test_the_first_update_starts_at_the_acting_policy(self, agents):
        agent = agents(replace(TINY, policy="lnlstm", epochs=1, minibatches=1), num_envs=3)
        for learned in filter(None, live(agent, Cues(3), steps=9)):
            assert learned["approx_kl"] == pytest.approx(0.0, abs=1e-9)
            assert learned["clip_fraction"] == 0.0

    def test_recurrent_states_continue_across_episodes_and_rollouts(self, agents):
        """What learning sees of a step is what acting saw of it, in every rollout."""
        agent = agents(replace(TINY, policy="lstm", learning_rate=1e-12), num_envs=3)
        games = Cues(3)
        for rollout in range(3):
            live(agent, games, steps=8)
            batch = agent.recall()
            assert batch["episode_start"].any()
            seen = agent._actor.evaluate(
                batch["state"], batch["recurrent_state"], batch["episode_start"]
            )
            torch.testing.assert_close(seen.values, batch["value"], atol=1e-5, rtol=1e-4)
            assert batch["recurrent_state"].any() == (rollout > 0)
            # the next act of `live` learns, which forgets the rollout

    @pytest.mark.parametrize(
        ("terminated", "truncated", "follows"),
        [(True, False, 0), (False, True, 1), (False, False, 1)],
    )
    def test_only_termination_stops_the_bootstrap(self, agents, terminated, truncated, follows):
        agent = agents(replace(TINY, policy="lstm", horizon=1, minibatches=1, gae_lambda=0.0))
        games = Cues()
        actions = agent.act(games.states)
        last = np.random.default_rng(0).integers(0, 256, games.states.shape, dtype=np.uint8)
        expected = agent._actor.values(last, np.ones(1, bool))
        assert expected.abs() > 1e-3
        agent.cache(transitions(games.states, actions, [1], [terminated], [truncated], last))
        torch.testing.assert_close(agent.recall()["return"][0], 1 + follows * TINY.gamma * expected)

    def test_nothing_is_learned_from_invalid_steps(self, agents):
        agent = agents(replace(TINY, horizon=3, minibatches=1))
        for step, crashed in enumerate((False, True, False)):
            states = np.full((1, 1, 36, 36), 50 * step, np.uint8)
            agent.act(states)
            agent.cache(transitions(states, [1], [1], [False], [crashed], states, [not crashed]))
        batch = agent.recall()
        before, lost, after = batch["advantage"].flatten().tolist()
        values = batch["value"].flatten()
        assert lost == 0.0
        assert before == pytest.approx(float(1 + TINY.gamma * values[1] - values[0]))
        assert after == pytest.approx(float(1 + TINY.gamma * values[2] - values[2]), abs=1e-5)
        assert batch["valid"].flatten().tolist() == [True, False, True]
        assert agent.steps == 2

    def test_an_action_changed_by_a_subclass_gets_its_own_probability(self, agents):
        agent = agents(num_envs=2)
        games = Cues(2)
        agent.act(games.states)
        taken = np.array([0, 1])
        agent.cache(games.step(taken))
        state = agent.state_dict()["rollout"]
        view = agent._actor.evaluate(
            state["state"], torch.zeros(1, 0), torch.zeros(1, 2, dtype=torch.bool)
        )
        expected = view.log_probs[0, [0, 1], taken]
        torch.testing.assert_close(state["log_prob"][0], expected)

    def test_caching_without_acting_is_rejected(self, agents):
        agent, games = agents(), Cues()
        actions = agent.act(games.states)
        agent.cache(games.step(actions))
        with pytest.raises(RuntimeError, match=r"call act\(\) before it"):
            agent.cache(games.step(actions))


class TestPlaying:
    def test_evaluation_is_greedy_if_deterministic_and_sampled_otherwise(self, agents):
        states = np.zeros((200, 1, 36, 36), np.uint8)
        assert len(set(agents(training=False).act(states))) == 1
        drawing = agents(replace(TINY, deterministic=False), training=False)
        assert set(drawing.act(states)) == {0, 1}

    def test_evaluating_during_training_changes_nothing(self, agents):
        config = replace(TINY, policy="lstm", deterministic=False)
        uninterrupted, evaluated = agents(config, num_envs=2), agents(config, num_envs=2)
        games = Cues(2), Cues(2)
        for agent, own in zip((uninterrupted, evaluated), games, strict=True):
            live(agent, own, steps=5)
        score(evaluated, Cues(7), steps=4)
        for agent, own in zip((uninterrupted, evaluated), games, strict=True):
            live(agent, own, steps=12)
        assert torch.equal(parameters(uninterrupted), parameters(evaluated))

    def test_an_evaluation_agent_needs_no_rollout(self, agents):
        agent = agents(replace(TINY, policy="lstm", minibatches=8), training=False)
        assert agent.replay_description == "memory: none"
        with pytest.raises(RuntimeError, match="an agent that only plays has no rollout"):
            agent.learn()

    def test_loaded_weights_act_like_the_original_agent(self, agents):
        config = replace(TINY, policy="lnlstm", precision="bfloat16")
        agent, other = agents(config, num_envs=2), agents(config, num_envs=2, seed=1)
        live(agent, Cues(2), steps=9)
        other.load_policy_state_dict(agent.policy_state_dict())
        for each in (agent, other):
            each.carry_recurrent_state(np.full(2, EPISODE_START))
        states = Cues(2, seed=3).states
        views = [each._actor.choose(states, True).output for each in (agent, other)]
        assert torch.equal(views[0].log_probs, views[1].log_probs)

    @pytest.mark.parametrize("policy", ["cnn", "lstm"])
    def test_action_values_are_the_acting_probabilities(self, agents, policy):
        agent = agents(replace(TINY, policy=policy), training=False, num_envs=2)
        games = Cues(2)
        for _ in range(2):
            action, probabilities = agent.act(games.states), agent.action_values(games.states)
            np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
            assert (probabilities.argmax(axis=1) == action).all()
            games.step(action)
        assert agent.action_values_name == "probability"

    def test_weights_of_another_network_are_rejected(self, agents):
        with pytest.raises(ValueError, match=r"weights have actor\.weight \(2, 32\)"):
            agents(replace(TINY, policy="lstm"), num_envs=2).load_policy_state_dict(
                agents().policy_state_dict()
            )


class TestBuilding:
    def test_the_network_depends_on_the_seed_and_not_on_torchs_generator(self, agents):
        before = torch.get_rng_state()
        one, same, other = (agents(seed=seed) for seed in (1, 1, 2))
        assert torch.equal(torch.get_rng_state(), before)
        assert torch.equal(parameters(one), parameters(same))
        assert not torch.equal(parameters(one), parameters(other))

    @pytest.mark.parametrize(
        ("policy", "complaint"),
        [
            ("cnn", "minibatches is 40; give at most 24, the number of steps"),
            ("lstm", "minibatches is 40; give at most 3, the number of environments"),
        ],
    )
    def test_too_many_minibatches_are_rejected(self, agents, policy, complaint):
        with pytest.raises(ValueError, match=complaint):
            agents(replace(TINY, policy=policy, minibatches=40), num_envs=3)

    @pytest.mark.parametrize("config", [DDQNConfig(), AgentConfig()])
    def test_a_config_of_another_agent_is_rejected(self, agents, config):
        with pytest.raises(TypeError, match="give a PPOConfig"):
            agents(config)

    def test_the_description_states_the_rollout_size(self, agents):
        assert agents(num_envs=3).replay_description == (
            "memory: the latest 24 steps, 8 of each environment, 0.00 GB"
        )
