from __future__ import annotations

import numpy as np
import pytest
import torch
from naive_replay import CONTINUES, GAMMA, TERMINATED, TRUNCATED, NaiveEnv, save
from tensordict import TensorDict
from torchrl.data import RandomSampler, TensorDictReplayBuffer
from torchrl.data.replay_buffers.storages import Storage
from transitions import transitions

from agents.replay.frame_replay import FrameReplay
from agents.replay.frame_storage import FrameStorage
from agents.replay.samplers import PrioritizedSampler, UniformSampler

KEYS = "state", "action", "reward", "terminated", "truncated", "next_state", "valid"


def make_storage(folder, n_step: int = 2) -> FrameStorage:
    return FrameStorage(folder, (4, 2, 2), num_envs=2, capacity=40, n_step=n_step, gamma=GAMMA)


def steps(count: int):
    """Yield steps of two environments whose episodes end now and then."""
    envs = [NaiveEnv(4), NaiveEnv(4)]
    for step in range(count):
        first = TERMINATED if step % 9 == 4 else CONTINUES
        second = TRUNCATED if step % 7 == 4 else CONTINUES
        both = [env.step(outcome) for env, outcome in zip(envs, first + second, strict=True)]
        yield transitions(*map(np.array, zip(*both, strict=True)))


def to_tensordict(step) -> TensorDict:
    columns = {key: torch.from_numpy(value) for key, value in zip(KEYS, step[:-1], strict=True)}
    return TensorDict(columns, batch_size=[2])


@pytest.fixture
def storage(tmp_path):
    """A storage that was overwritten several times."""
    storage = make_storage(tmp_path / "filled")
    for step in steps(100):
        storage.append(step)
    yield storage
    storage.close()


def make_samplers():
    return [
        ("TorchRL's uniform", lambda storage: RandomSampler()),
        ("uniform", lambda storage: UniformSampler(seed=3)),
        ("prioritized", lambda storage: PrioritizedSampler(storage, alpha=0.5, seed=3)),
    ]


@pytest.mark.parametrize(("name", "make_sampler"), make_samplers())
class TestInReplayBuffer:
    """In a `TensorDictReplayBuffer`, with TorchRL's own writer."""

    @pytest.fixture
    def buffer(self, tmp_path, make_sampler) -> TensorDictReplayBuffer:
        storage = make_storage(tmp_path / "buffer")
        buffer = TensorDictReplayBuffer(
            storage=storage, sampler=make_sampler(storage), batch_size=16
        )
        for step in steps(100):
            buffer.extend(to_tensordict(step))
        return buffer

    def test_it_stores_the_same_transitions_as_append(self, buffer, storage, name):
        assert isinstance(buffer.storage, Storage)
        assert len(buffer) == len(storage) == len(storage.indices())
        np.testing.assert_array_equal(buffer.storage.indices(), storage.indices())
        index = storage.indices()
        assert (buffer[index] == storage.get(index)).all()

    def test_only_stored_transitions_are_sampled_and_all_of_them(self, buffer, name):
        sampled = torch.cat([buffer.sample()["index"] for _ in range(100)])
        np.testing.assert_array_equal(np.unique(sampled), np.sort(buffer.storage.indices()))

    def test_a_batch_holds_the_transitions_of_its_index(self, buffer, name):
        batch = buffer.sample()
        stored = buffer.storage.get(batch["index"])
        assert (batch.select(*stored.keys()) == stored).all()

    def test_its_state_is_restored_with_the_rows_from_the_folder(
        self, buffer, tmp_path, make_sampler, name
    ):
        buffer.storage.flush()
        again = make_storage(tmp_path / "buffer")
        restored = TensorDictReplayBuffer(storage=again, sampler=make_sampler(again), batch_size=16)
        restored.load_state_dict(buffer.state_dict())
        torch.manual_seed(1)
        expected = [buffer.sample() for _ in range(3)]
        torch.manual_seed(1)
        for batch in expected:
            assert (restored.sample() == batch).all()

    def test_it_can_be_emptied_and_filled_again(self, buffer, storage, name):
        buffer.empty()
        assert len(buffer) == 0
        for step in steps(100):
            buffer.extend(to_tensordict(step))
        assert buffer.storage.check_valid() == (True, "")
        np.testing.assert_array_equal(buffer.storage.indices(), storage.indices())
        assert buffer.sample()["state"].shape == (16, 4, 2, 2)


def test_a_replay_buffer_and_a_frame_replay_draw_the_same_samples(tmp_path):
    storages = [make_storage(tmp_path / name) for name in "ab"]
    samplers = [PrioritizedSampler(storage, alpha=0.5, seed=3) for storage in storages]
    replay = FrameReplay(storages[0], samplers[0])
    buffer = TensorDictReplayBuffer(storage=storages[1], sampler=samplers[1], batch_size=8)
    for number, step in enumerate(steps(60)):
        replay.cache(step)
        buffer.extend(to_tensordict(step))
        if number > 3:
            batch, other = replay.sample(8), buffer.sample()
            assert (batch == other.select(*batch.keys())).all()
            errors = torch.linspace(-1, 3, 8)
            replay.update_priorities(batch["index"], errors)
            buffer.update_priority(other["index"], errors)


def test_several_steps_are_stored_in_the_order_of_time(tmp_path, storage):
    buffer = TensorDictReplayBuffer(storage=make_storage(tmp_path / "buffer"), batch_size=8)
    data = torch.cat([to_tensordict(step) for step in steps(100)])
    for part in data.split(50):
        buffer.extend(part)
    index = storage.indices()
    assert (buffer[index] == storage.get(index)).all()


def test_a_single_environment_can_add_step_by_step(tmp_path):
    storage = FrameStorage(tmp_path, (4, 2, 2), num_envs=1, capacity=9)
    buffer = TensorDictReplayBuffer(storage=storage, batch_size=2)
    for step in steps(5):
        buffer.add(to_tensordict(step)[0].exclude("valid"))
    assert len(buffer) == 4


def test_it_is_indexed_by_integers_lists_tensors_and_slices(storage):
    index = storage.indices()
    expected = storage.get(index)
    assert (storage[index[3].item()] == expected[3]).all()
    assert (storage[index[2:4].tolist()] == expected[2:4]).all()
    assert (storage[torch.from_numpy(index)] == expected).all()
    assert (storage[:] == expected).all()
    assert (storage[5:9:2] == expected[5:9:2]).all()
    assert all((row == other).all() for row, other in zip(storage, expected, strict=True))


def test_it_contains_only_transitions_that_are_complete_and_not_overwritten(storage):
    index = storage.indices()
    assert storage.contains(index).all()
    assert index[0] in storage
    everything = np.arange(index.max() + 9)
    np.testing.assert_array_equal(everything[storage.contains(everything)], np.sort(index))
    with pytest.raises(IndexError, match=r"transitions 0 are not all stored; see indices\(\)"):
        storage[0]


def test_stored_transitions_cannot_be_changed(storage):
    with pytest.raises(NotImplementedError, match="cannot be changed; use extend"):
        storage[0] = to_tensordict(next(steps(1)))
    for refused in (storage.dumps, storage.loads):
        with pytest.raises(NotImplementedError, match=r"use flush\(\) and state_dict\(\)"):
            refused("folder")


def test_an_incomplete_step_is_refused(storage):
    with pytest.raises(ValueError, match="batch size 1; give a multiple of 2"):
        storage.set(0, to_tensordict(next(steps(1)))[:1])


def test_damage_is_found(storage):
    column = storage.ring.table["age"]
    column[1, (storage.ring.heads[1] - 1) % column.shape[1]] += 1
    assert storage.check_valid() == (
        False,
        "environment 1 has ages that do not count up from 0",
    )
    storage.ring.table["stamp"][0] = 0
    assert storage.check_valid() == (
        False,
        "environment 0 has rows that do not belong in its window",
    )


def test_a_transition_takes_no_more_than_its_frame_and_a_margin():
    storage = FrameStorage(None, (4, 84, 84), num_envs=8, capacity=4_000)
    blocks = sum(file.stat().st_blocks * 512 for file in storage.folder.iterdir())
    assert storage.nbytes / storage.max_size < 7_300
    assert blocks == pytest.approx(storage.nbytes, abs=4096 * 8)
    storage.close()


def test_only_a_temporary_folder_is_removed(tmp_path):
    temporary, lasting = (FrameStorage(folder, (1, 2, 2), 1, 9) for folder in (None, tmp_path))
    for storage in (temporary, lasting):
        storage.close()
        storage.close()
    assert not temporary.folder.exists()
    assert lasting.folder.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"state_shape": (84, 84)}, r"state_shape is \(84, 84\); give \(stack, height, width\)"),
        ({"capacity": 0}, "capacity is 0; give 1 or more"),
        ({"num_envs": 0}, "num_envs is 0; give 1 or more"),
        ({"n_step": -1}, "n_step is -1; give 1 or more"),
    ],
)
def test_arguments_out_of_range_are_refused(tmp_path, change, message):
    with pytest.raises(ValueError, match=message):
        FrameStorage(tmp_path, **{"state_shape": (4, 2, 2), "num_envs": 1, "capacity": 5} | change)


def test_saving_through_a_replay_marks_the_storage_as_saved(storage):
    replay = FrameReplay(storage, UniformSampler())
    before = storage.steps_until_overwrite()
    save(replay)
    assert storage.steps_until_overwrite() == storage.ring.rows_until_overwrite // 2 > before


def test_environments_can_be_stored_one_by_one_and_at_another_pace(tmp_path, storage):
    separate = make_storage(tmp_path / "separate")
    recorded = list(steps(100))
    for env, order in ((1, recorded[:50]), (0, recorded), (1, recorded[50:])):
        for step in order:
            rows = type(step)(*(column[env : env + 1] for column in step[:-1]))
            separate.append(rows, envs=np.array([env]))
    assert separate.check_valid() == (True, "")
    assert len(separate) == len(storage)
    assert separate.indices().tolist() == storage.indices().tolist()
    index = storage.indices()
    assert all(map(torch.equal, separate.read(index).values(), storage.read(index).values()))
    with pytest.raises(ValueError, match="transitions are of 2 environments; give 1"):
        separate.append(recorded[0], envs=np.array([0]))
    separate.close()
