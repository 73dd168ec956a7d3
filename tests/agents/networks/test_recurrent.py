from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from agents.networks.recurrent import LSTM, Feedforward

SEQUENCES, TIME, INPUT_SIZE, HIDDEN_SIZE = 3, 5, 4, 6


def features(time: int = TIME) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(SEQUENCES, time, INPUT_SIZE, generator=generator)


def recurrent_state() -> torch.Tensor:
    return torch.randn(SEQUENCES, 2 * HIDDEN_SIZE, generator=torch.Generator().manual_seed(1))


def episode_starts(*indices: tuple[int, int]) -> torch.Tensor:
    """Return a mask ``(sequences, time)`` that is True at the given indices."""
    mask = torch.zeros(SEQUENCES, TIME, dtype=torch.bool)
    for index in indices:
        mask[index] = True
    return mask


@pytest.fixture(params=[False, True], ids=["lstm", "lnlstm"])
def core(request) -> LSTM:
    torch.manual_seed(2)
    core = LSTM(INPUT_SIZE, HIDDEN_SIZE, layer_norm=request.param)
    for parameter in core.parameters():  # gains of 1 and biases of 0 would hide errors
        nn.init.normal_(parameter, 0.3, 0.5)
    return core


def test_it_equals_torchs_lstm_except_for_the_order_of_gates():
    torch.manual_seed(3)
    core = LSTM(INPUT_SIZE, HIDDEN_SIZE, layer_norm=False)
    reference = nn.LSTM(INPUT_SIZE, HIDDEN_SIZE, batch_first=True)
    order = torch.cat([torch.arange(HIDDEN_SIZE) + HIDDEN_SIZE * gate for gate in (0, 1, 3, 2)])
    nn.init.normal_(core.bias)
    with torch.no_grad():
        reference.weight_ih_l0.copy_(core.incoming.weight[order])
        reference.weight_hh_l0.copy_(core.returning.weight[order])
        reference.bias_ih_l0.copy_(core.bias[order])
        reference.bias_hh_l0.zero_()
    cells, output = recurrent_state().chunk(2, dim=1)
    expected, _ = reference(features(), (output[None].contiguous(), cells[None].contiguous()))
    outputs, _ = core(features(), recurrent_state(), episode_starts())
    torch.testing.assert_close(outputs, expected)


def normalize(x: np.ndarray, gain: np.ndarray, shift: np.ndarray) -> np.ndarray:
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * gain + shift


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_with_layer_norm_it_equals_lnlstm_of_baselines():
    """``lnlstm`` of OpenAI Baselines, transcribed to NumPy."""
    torch.manual_seed(4)
    core = LSTM(INPUT_SIZE, HIDDEN_SIZE, layer_norm=True)
    for parameter in core.parameters():
        nn.init.normal_(parameter, 0.3, 0.5)
    w = {name: parameter.detach().numpy() for name, parameter in core.named_parameters()}
    x, starts = features().numpy(), episode_starts((0, 0), (1, 2)).numpy()
    c, h = np.split(recurrent_state().numpy(), 2, axis=1)
    expected = []
    for step in range(TIME):
        c, h = c * (1 - starts[:, step, None]), h * (1 - starts[:, step, None])
        z = (
            normalize(
                x[:, step] @ w["incoming.weight"].T,
                w["norm_incoming.weight"],
                w["norm_incoming.bias"],
            )
            + normalize(
                h @ w["returning.weight"].T, w["norm_returning.weight"], w["norm_returning.bias"]
            )
            + w["bias"]
        )
        i, f, o, u = np.split(z, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(u)
        h = sigmoid(o) * np.tanh(normalize(c, w["norm_cells.weight"], w["norm_cells.bias"]))
        expected.append(h)
    outputs, state = core(features(), recurrent_state(), episode_starts((0, 0), (1, 2)))
    np.testing.assert_allclose(outputs.detach(), np.stack(expected, axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(state.detach(), np.hstack((c, h)), rtol=1e-4, atol=1e-5)


def test_an_episode_start_resets_the_recurrent_state(core):
    zero_state = torch.zeros_like(recurrent_state())
    outputs, state = core(features(), recurrent_state(), episode_starts((0, 3), (2, 0)))
    fresh, fresh_state = core(features()[:, 3:], zero_state, episode_starts()[:, 3:])
    torch.testing.assert_close(outputs[0, 3:], fresh[0])
    torch.testing.assert_close(state[0], fresh_state[0])
    from_zero, _ = core(features(), zero_state, episode_starts())
    torch.testing.assert_close(outputs[2], from_zero[2])
    assert not torch.allclose(outputs[1], from_zero[1]), "the recurrent state has no effect"


def test_a_sequence_processed_step_by_step_equals_one_call(core):
    outputs, final_state = core(features(), recurrent_state(), episode_starts((1, 2)))
    step_outputs, state = [], recurrent_state()
    for step in range(TIME):
        starts = episode_starts((1, 2))[:, [step]]
        output, state = core(features()[:, [step]], state, starts)
        step_outputs.append(output)
    torch.testing.assert_close(torch.cat(step_outputs, dim=1), outputs)
    torch.testing.assert_close(state, final_state)


def test_the_feedforward_core_returns_features_unchanged():
    empty_state = torch.zeros(SEQUENCES, 0)
    outputs, state = Feedforward(INPUT_SIZE)(features(), empty_state, episode_starts())
    assert torch.equal(outputs, features())
    assert state.shape == (SEQUENCES, 0)
