"""The energy surface at one moment: its minima, and that it moves."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.memory import (
    DSEM,
    LISEM,
    cycle,
    frozen_minima,
    plot_surface,
    recall,
    surface_energy,
    surface_gradient,
    surface_hessian,
)

# The 2-D run of the source (arXiv 2212.05563). Its clipping of features to [-1, 1] is left out: it is no part of the
# model, and the energy identity does not hold where it acts.
CORNERS = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
CUE = [-0.3, -0.8]


def two_features(alpha_c: float):
    model = DSEM(CORNERS, cycle(3), tau_d=20.0, alpha_s=1.2, alpha_c=alpha_c, beta_d=1.0, gain=100.0)
    return recall(model, CUE, 60.0, t_eval=np.linspace(0, 60, 13), backend="torch")


def minima(result, k):
    grid = np.stack(np.meshgrid(*2 * [np.linspace(-1.3, 1.3, 7)]), axis=-1).reshape(-1, 2)
    points = frozen_minima(result.model, result.delayed.values[k], grid)
    return np.array([point.features for point in points if point.kind == "minimum"])


def test_the_surface_moves():
    result = two_features(4.9)
    at_rest, later = minima(result, 0), minima(result, 3)
    assert len(at_rest) == 3
    # without delayed activity the minima are the memories, at the length sqrt(alpha_s)
    np.testing.assert_allclose(sorted(map(tuple, at_rest)), sorted(map(tuple, np.sqrt(1.2) * CORNERS)), atol=1e-9)
    assert len(later) < 3
    assert len(set(result.sequence())) == 3


def test_without_delayed_coupling_it_stands():
    result = two_features(0.0)
    grid = np.random.default_rng(0).normal(size=(50, 2))
    first, last = (surface_energy(result.model, grid, result.delayed.values[k]) for k in (0, -1))
    np.testing.assert_array_equal(first, last)
    assert len(result.sequence()) == 1


@pytest.mark.parametrize("member", [DSEM, LISEM])
def test_minima_are_flat_and_curved_upwards(member):
    rng = np.random.default_rng(2)
    patterns = rng.choice([-1.0, 1.0], (4, 20))
    model = member(patterns, cycle(4), alpha_s=0.4, alpha_c=0.1)
    delayed = 0.3 * patterns[1]
    starts = rng.normal(size=(30, 20))
    points = frozen_minima(model, delayed, starts)
    assert sorted(index for point in points for index in point.starts) == list(range(30))
    for point in points:
        assert np.abs(surface_gradient(model, point.features, delayed)).max() < 1e-8
        assert point.kind == "minimum"
        assert np.linalg.eigvalsh(surface_hessian(model, point.features, delayed))[0] > -1e-12
        nearby = surface_energy(model, point.features + 1e-3 * rng.normal(size=(50, 20)), delayed)
        assert nearby.min() > point.energy
    assert [point.energy for point in points] == sorted(point.energy for point in points)


def test_a_start_on_the_ridge_rests_on_a_saddle():
    model = LISEM(np.array([[1.0, 1.0], [1.0, -1.0]]), None, alpha_s=2.0)
    points = {point.kind: point for point in frozen_minima(model, np.zeros(2), [[0.0, 0.0], [1.0, 0.9]])}
    assert set(points) == {"saddle", "minimum"}
    assert np.linalg.eigvalsh(surface_hessian(model, points["saddle"].features, np.zeros(2)))[0] < 0
    np.testing.assert_array_equal(points["saddle"].features, [0, 0])


def test_relaxing_never_raises_the_energy():
    """Its rule, in steps of a fifth of the way, on all activations that are bounded."""
    rng = np.random.default_rng(4)
    for member in (DSEM, LISEM):
        model = member(rng.normal(size=(5, 8)), None, alpha_s=3.0, gain=2.0)
        f = rng.normal(size=(100, 8)) * 3
        for _ in range(40):
            gradient_step = surface_energy(model, f, np.zeros(8))
            s = model.hidden_activation(np.sqrt(3.0) * model.feature_activation(f) @ model.patterns.T)
            f = f + 0.2 * (np.sqrt(3.0) * s @ model.patterns - f)
            assert (surface_energy(model, f, np.zeros(8)) <= gradient_step + 1e-9).all()


def test_figures(tmp_path):
    result = two_features(4.9)
    figure = plot_surface(result, [0.0, 30.0, 60.0])
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["t = 0", "t = 30", "t = 60"]
    figure = result.plot(image_shape=(1, 2))
    labels = {axes.get_ylabel() for axes in figure.axes}
    assert {"overlap", "energy", "d energy / dt"} <= labels
    with pytest.raises(ValueError, match=r"image_shape \(3, 3\) has 9 pixels, but the model has 2 features"):
        result.plot(image_shape=(3, 3))
    flat = recall(LISEM(np.ones((1, 3)), None), np.ones(3), 1.0, backend="torch")
    with pytest.raises(ValueError, match="a surface can be drawn over two features, got 3"):
        plot_surface(flat, [0.0])
