from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from agents.networks.recurrent import LSTM, Feedforward

SEQUENCES, TIME, INPUTS, CELLS = 3, 5, 4, 6


def features(time: int = TIME) -> torch.Tensor:
    return torch.randn(SEQUENCES, time, INPUTS, generator=torch.Generator().manual_seed(0))


def recurrent_state() -> torch.Tensor:
    return torch.randn(SEQUENCES, 2 * CELLS, generator=torch.Generator().manual_seed(1))


def begins(*places: tuple[int, int]) -> torch.Tensor:
    marks = torch.zeros(SEQUENCES, TIME, dtype=torch.bool)
    for place in places:
        marks[place] = True
    return marks


@pytest.fixture(params=[False, True], ids=["lstm", "lnlstm"])
def core(request) -> LSTM:
    torch.manual_seed(2)
    core = LSTM(INPUTS, CELLS, normalized=request.param)
    for parameter in core.parameters():  # so that gains of 1 and biases of 0 hide nothing
        nn.init.normal_(parameter, 0.3, 0.5)
    return core


def test_it_is_torchs_own_but_for_the_order_of_its_gates():
    torch.manual_seed(3)
    core, theirs = LSTM(INPUTS, CELLS, normalized=False), nn.LSTM(INPUTS, CELLS, batch_first=True)
    in_their_order = torch.cat([torch.arange(CELLS) + CELLS * gate for gate in (0, 1, 3, 2)])
    nn.init.normal_(core.bias)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(core.incoming.weight[in_their_order])
        theirs.weight_hh_l0.copy_(core.returning.weight[in_their_order])
        theirs.bias_ih_l0.copy_(core.bias[in_their_order])
        theirs.bias_hh_l0.zero_()
    cells, output = recurrent_state().chunk(2, dim=1)
    expected, _ = theirs(features(), (output[None].contiguous(), cells[None].contiguous()))
    torch.testing.assert_close(core(features(), recurrent_state(), begins())[0], expected)


def normalize(x: np.ndarray, gain: np.ndarray, shift: np.ndarray) -> np.ndarray:
    mean, variance = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return (x - mean) / np.sqrt(variance + 1e-5) * gain + shift


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_with_normalised_layers_it_is_that_of_baselines():
    """``lnlstm`` of OpenAI's baselines, transcribed in NumPy."""
    torch.manual_seed(4)
    core = LSTM(INPUTS, CELLS, normalized=True)
    for parameter in core.parameters():
        nn.init.normal_(parameter, 0.3, 0.5)
    w = {name: each.detach().numpy() for name, each in core.named_parameters()}
    x, marks = features().numpy(), begins((0, 0), (1, 2)).numpy()
    c, h = np.split(recurrent_state().numpy(), 2, axis=1)
    expected = []
    for step in range(TIME):
        c, h = c * (1 - marks[:, step, None]), h * (1 - marks[:, step, None])
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
    outputs, left = core(features(), recurrent_state(), begins((0, 0), (1, 2)))
    np.testing.assert_allclose(outputs.detach(), np.stack(expected, axis=1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(left.detach(), np.hstack((c, h)), rtol=1e-4, atol=1e-5)


def test_an_episode_begins_as_if_nothing_had_been_before(core):
    outputs, left = core(features(), recurrent_state(), begins((0, 3), (2, 0)))
    fresh, fresh_left = core(
        features()[:, 3:], torch.zeros_like(recurrent_state()), begins()[:, 3:]
    )
    torch.testing.assert_close(outputs[0, 3:], fresh[0])
    torch.testing.assert_close(left[0], fresh_left[0])
    whole, _ = core(features(), torch.zeros_like(recurrent_state()), begins())
    torch.testing.assert_close(outputs[2], whole[2])
    assert not torch.allclose(outputs[1], whole[1]), "or what is recurrent_state would not matter"


def test_a_sequence_in_parts_is_the_same_as_in_one_go(core):
    outputs, left = core(features(), recurrent_state(), begins((1, 2)))
    parts, on = [], recurrent_state()
    for step in range(TIME):
        part, on = core(features()[:, [step]], on, begins((1, 2))[:, [step]])
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, dim=1), outputs)
    torch.testing.assert_close(on, left)


def test_without_a_memory_features_pass_as_they_are():
    nothing = torch.zeros(SEQUENCES, 0)
    found, left = Feedforward(INPUTS)(features(), nothing, begins())
    assert torch.equal(found, features())
    assert left.shape == (SEQUENCES, 0)
