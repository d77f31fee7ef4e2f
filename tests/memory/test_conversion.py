"""A memory in the limit of no delays, stepped by its own rates, against the RNN that it is conjugate to."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.memory import GSEMM, Tanh, as_rnn, chain, cycle, equilibrium, rates
from sharpwave.recurrent import circuit, repeat_copy

rng = np.random.default_rng(0)


@pytest.mark.parametrize("feature", ["tanh", "relu", "identity", Tanh(1.7)], ids=str)
def test_a_memory_without_delays_and_its_rnn_are_conjugate(feature) -> None:
    patterns = rng.normal(size=(4, 9)) / 3
    transitions = rng.normal(size=(4, 4)) / 4
    model = GSEMM(
        patterns, transitions, feature, "identity", alpha_s=0.7, alpha_c=0.6, tau_f=2.5, tau_h=0.0, beta_d=0.9
    )
    network, activation = as_rnn(model), model.feature_activation
    features, drive = rng.normal(size=(3, 9)), rng.normal(size=(3, 5, 9))
    inputs = network.states(drive, 12, initial=activation(features))
    for t in range(12):
        delayed = model.beta_d * activation(features)  # where tau_d is next to nothing
        push = drive[:, t] if t < 5 else 0.0
        features = features + model.tau_f * rates(model, features, delayed, drive=push).features
        np.testing.assert_allclose(activation(features), inputs[:, t], rtol=1e-10, atol=1e-12)
    hidden = equilibrium(model, features, np.zeros_like(features)) / np.sqrt(model.alpha_s)
    np.testing.assert_allclose(network.outputs(activation(features)), hidden, rtol=1e-10, atol=1e-12)


def test_a_memory_of_waves_is_the_circuit_of_the_task_that_they_are() -> None:
    orthogonal, _ = np.linalg.qr(rng.normal(size=(20, 12)))
    exact = circuit(repeat_copy(4, 3), orthogonal)
    shift_without_rest = exact.operator.T - np.eye(12)  # Phi', to which the static coupling adds 1
    model = GSEMM(orthogonal.T, shift_without_rest, "identity", "identity", alpha_s=1.0, alpha_c=1.0, beta_d=1.0)
    np.testing.assert_allclose(as_rnn(model).recurrent, exact.network.recurrent, atol=1e-12)


def test_memories_that_are_no_rnn_of_one_layer_are_refused() -> None:
    with pytest.raises(ValueError, match="whose hidden activation is the identity"):
        as_rnn(GSEMM(np.eye(3), cycle(3), "tanh", "softmax"))
    with pytest.raises(ValueError, match="tanh, relu or the identity, got"):
        as_rnn(GSEMM(np.eye(3), chain(3), "softmax", "identity"))
