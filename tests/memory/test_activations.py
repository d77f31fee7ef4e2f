"""Activations are gradients of convex Lagrangians, in NumPy and in torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sharpwave.memory import Activation, Identity, RectifiedPolynomial, Relu, Softmax, Tanh, activation

ALL: list[Activation] = [
    Identity(),
    Tanh(),
    Tanh(3.5),
    Softmax(),
    Softmax(4.0),
    RectifiedPolynomial(1),
    RectifiedPolynomial(2),
    RectifiedPolynomial(5),
    Relu(),
]

# Away from 0, where the rectified ones have a kink that a central difference would straddle.
vectors = arrays(np.float64, 5, elements=st.floats(0.01, 3.0) | st.floats(-3.0, -0.01))


def central(function, x, step=1e-6):
    """Derivatives of a vector function by central differences: [..., i] is d/dx_i."""
    columns = [(function(x + step * e) - function(x - step * e)) / (2 * step) for e in np.eye(x.size)]
    return np.stack(columns, axis=-1)


@pytest.mark.parametrize("s", ALL, ids=repr)
@settings(max_examples=25)
@given(x=vectors, v=vectors)
def test_derivatives_are_consistent(s, x, v):
    scale = 1 + np.abs(s.jacobian(x)).max()
    np.testing.assert_allclose(s(x), central(s.lagrangian, x), rtol=1e-7, atol=1e-7 * scale)
    np.testing.assert_allclose(s.jacobian(x), central(s, x), rtol=1e-7, atol=1e-7 * scale)
    np.testing.assert_allclose(s.jacobian_product(x, v), s.jacobian(x) @ v, rtol=1e-12, atol=1e-12 * scale)
    slope = central(lambda y: s.jacobian_product(y, v), x)
    np.testing.assert_allclose(s.jacobian_slope(x, v), slope, rtol=1e-6, atol=1e-6 * (1 + np.abs(slope).max()))


@pytest.mark.parametrize("s", ALL, ids=repr)
@settings(max_examples=25)
@given(x=vectors)
def test_lagrangians_are_convex(s, x):
    jacobian = s.jacobian(x)
    np.testing.assert_array_equal(jacobian, jacobian.T)
    assert np.linalg.eigvalsh(jacobian).min() >= -1e-12 * (1 + np.abs(jacobian).max())


@pytest.mark.parametrize("s", ALL, ids=repr)
def test_torch_gives_what_numpy_gives_over_any_leading_axes(s):
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    v = np.random.default_rng(1).normal(size=(2, 3, 4))
    for name, arguments in (
        ("lagrangian", (x,)),
        ("__call__", (x,)),
        ("jacobian", (x,)),
        ("jacobian_product", (x, v)),
        ("jacobian_slope", (x, v)),
    ):
        ours = getattr(s, name)(*arguments)
        theirs = getattr(s, name)(*map(torch.from_numpy, arguments))
        assert isinstance(theirs, torch.Tensor)
        np.testing.assert_allclose(theirs.numpy(), ours, rtol=1e-14, atol=1e-14, err_msg=name)
        single = getattr(s, name)(*(a[1, 2] for a in arguments))
        np.testing.assert_allclose(ours[1, 2], single, rtol=1e-14, atol=1e-14, err_msg=name)


def test_no_overflow_at_large_arguments():
    x = np.array([-800.0, 0.0, 900.0])
    assert Softmax(10.0).lagrangian(x) == 900.0
    np.testing.assert_array_equal(Softmax(10.0)(x), [0.0, 0.0, 1.0])
    np.testing.assert_allclose(Tanh(2.0).lagrangian(x), 1700.0 - 2 * np.log(2) / 2, rtol=1e-15)


def test_unknown_names_get_a_suggestion():
    with pytest.raises(ValueError, match="unknown activation 'softmx': did you mean 'softmax'"):
        activation("softmx")


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
def test_gains_are_positive(bad):
    with pytest.raises(ValueError, match="gain must be positive"):
        Softmax(bad)
    with pytest.raises(ValueError, match="gain must be positive"):
        Tanh(bad)


def test_powers_are_positive_integers():
    with pytest.raises(ValueError, match="power must be an integer of at least 1, got 0"):
        RectifiedPolynomial(0)
    with pytest.raises(ValueError, match=r"got 2\.5"):
        RectifiedPolynomial(2.5)
