"""Players in this process: their replay memory has no gaps, also after faults and resuming."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from cluster_runs import HYPER, config, learned, open_session, train_in_process

from mario.cluster.workers.player import PlayerWorker
from mario.errors import UsageError
from mario.runs.checkpoint import load

DDQN = replace(HYPER["ddqn"], learn_every=20, replay_capacity=4000, exploration_apex_base=0.4)


def players(folder, **changes):
    values = {"hyper": DDQN, "workers": 2, "cluster_mode": "players", "steps": 600}
    return config(folder, "ddqn", **values | changes)


class FragilePlayer(PlayerWorker):
    """Fails once, in its third chunk."""

    chunks = 0

    def play(self, *arguments):
        type(self).chunks += 1
        if type(self).chunks == 3:
            raise RuntimeError("the game broke")
        return super().play(*arguments)


def stored_frames(session):
    """Return the frames of each environment that the replay memory holds, by time."""
    ring = session.trainer.agent.replay.storage.ring
    return [
        np.array(ring.span("frame", env, int(ring.tails[env]), int(ring.heads[env])))
        for env in range(len(ring.heads))
    ]


def played_again(session):
    """Return the frames that the same actions show in environments without a cluster."""
    agent, fleet = session.trainer.agent, session._fleet
    ring = agent.replay.storage.ring
    frames = []
    for worker in fleet.workers.values():
        envs = worker._envs
        states, _ = envs.reset()
        first = worker._first_env
        columns = [
            ring.span("action", first + index, 0, int(ring.heads[first + index]))
            for index in range(envs.num_envs)
        ]
        shown = [[] for _ in columns]
        for time in range(min(map(len, columns))):
            for index, env_frames in enumerate(shown):
                env_frames.append(states[index, -1].ravel())
            states, *_ = envs.step(np.array([column[time] for column in columns], np.int64))
        frames += [np.array(env_frames) for env_frames in shown]
    return frames


@pytest.mark.parametrize("worker", [PlayerWorker, FragilePlayer])
def test_the_replay_memory_holds_what_the_players_saw_without_gaps(
    tmp_path, worker, monkeypatch, capsys
):
    monkeypatch.setattr(FragilePlayer, "chunks", 0)
    with open_session(players(tmp_path), make_worker=worker) as session:
        session.train()
        assert session.trainer.agent.replay.storage.check_valid() == (True, "")
        for stored, shown in zip(stored_frames(session), played_again(session), strict=True):
            count = min(len(stored), len(shown))
            assert count >= 64
            assert np.array_equal(stored[:count], shown[:count])
    assert ("is lost (RuntimeError: the game broke)" in capsys.readouterr().out) == (
        worker is FragilePlayer
    )


def test_a_resumed_run_continues_the_episodes_of_its_players(tmp_path):
    run = train_in_process(players(tmp_path), make_worker=PlayerWorker)
    before = load(run / "last.chkpt")["resume"]["envs"]["workers"]
    longer = players(tmp_path, steps=1000)
    with open_session(longer, run, make_worker=PlayerWorker) as session:
        assert session.trainer._worker_states() == before
        session.train()
        for stored, shown in zip(stored_frames(session), played_again(session), strict=True):
            count = min(len(stored), len(shown))
            assert np.array_equal(stored[:count], shown[:count])
    assert len(learned(run)) > 0


def test_only_ddqn_learns_from_players(tmp_path):
    with pytest.raises(UsageError, match="players needs agent ddqn, not ppo; use gradients"):
        open_session(config(tmp_path, "ppo", workers=2, cluster_mode="players"))
