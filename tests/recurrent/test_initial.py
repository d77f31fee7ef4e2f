"""Trainings that begin with given weights, or keep within bounds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sharpwave.dynamics import NetworkMap, trained_map
from sharpwave.recurrent import GRU, LSTM, Elman, Protocol, new_networks, repeat_copy, train

TASK = repeat_copy(3, 2)
SHORT = Protocol(steps=20, horizons=(6,), check_every=10)


@pytest.mark.usefixtures("julia")
@pytest.mark.parametrize("backend", ["julia", "torch"])
def test_a_training_begins_with_the_weights_that_it_is_given(backend: str) -> None:
    own = {name: value.numpy() for name, value in new_networks(Elman(8), 2, 2, [0, 1]).items()}
    plain = train(Elman(8), TASK, [0, 1], SHORT, keep=[0, 20], backend=backend)
    same = train(Elman(8), TASK, [0, 1], SHORT, keep=[0, 20], initial=own, backend=backend)
    other = {name: value / 2 for name, value in own.items()}
    begun = train(Elman(8), TASK, [0, 1], SHORT, keep=[0, 20], initial=other, backend=backend)
    for name, value in plain.kept.items():
        np.testing.assert_array_equal(same.kept[name], value)
        np.testing.assert_array_equal(begun.kept[name][0], other[name])
        assert not np.array_equal(begun.kept[name][1], value[1])
        np.testing.assert_array_equal(own[name], value[0])  # the caller's stays what it is


def test_a_checkpoint_of_a_training_with_another_beginning_is_refused(tmp_path: Path) -> None:
    train(Elman(8), TASK, [0], SHORT, checkpoint=tmp_path / "one.npz", backend="torch")
    own = {name: value.numpy() / 2 for name, value in new_networks(Elman(8), 2, 2, [0]).items()}
    with pytest.raises(ValueError, match="checkpoint of another training"):
        train(Elman(8), TASK, [0], SHORT, initial=own, checkpoint=tmp_path / "one.npz", backend="torch")


@pytest.mark.parametrize("change", [{"recurrent": np.ones((1, 7, 8))}, {"input": np.full((1, 8, 2), np.nan)}, {"x": 1}])
def test_weights_that_do_not_fit_are_refused(change) -> None:
    own = {name: value.numpy() for name, value in new_networks(Elman(8), 2, 2, [0]).items()}
    with pytest.raises(ValueError, match="initial parameters must be finite and of shapes"):
        train(Elman(8), TASK, [0], SHORT, initial={**own, **change})


def test_the_spectral_radius_stays_below_its_bound_and_a_loose_bound_does_nothing() -> None:
    steps = [0, *range(1, 21)]
    bound = train(Elman(8), TASK, [0, 1], replace(SHORT, spectral_radius=0.3), keep=steps)
    radii = np.abs(np.linalg.eigvals(bound.kept["recurrent"])).max(axis=-1)
    assert (radii[1:] < 0.3 * (1 + 1e-5)).all()
    assert (radii[0] > 0.3).all()
    loose, free = (train(Elman(8), TASK, [0, 1], replace(SHORT, spectral_radius=r), backend="torch") for r in (9, None))
    for name, value in free.parameters.items():
        np.testing.assert_array_equal(loose.parameters[name], value)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: replace(SHORT, spectral_radius=0.0), "spectral_radius must be positive, or None, got 0.0"),
        (
            lambda: train(GRU(4), TASK, [0], replace(SHORT, spectral_radius=1.0)),
            "only an Elman network has a spectral radius",
        ),
        (
            lambda: train(Elman(4), TASK, [0], replace(SHORT, spectral_radius=1.0), backend="julia"),
            "Julia does not bound the spectral radius",
        ),
    ],
)
def test_bounds_that_cannot_be_kept_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("architecture", [Elman(5, bias=True), GRU(5), LSTM(5)])
def test_the_map_of_a_network_is_its_step(architecture) -> None:
    import torch

    trained = train(architecture, TASK, [0, 1], SHORT, keep=[0, 10], backend="torch")
    u = np.array([0.5, -1.0])
    for replica, kept in ((0, None), (1, 0), (1, 1)):
        map = trained_map(trained, replica, u, kept)
        h = np.zeros((1, map.size))
        for _ in range(7):
            h = map.step(h)
        source = trained.parameters if kept is None else {name: value[kept] for name, value in trained.kept.items()}
        one = {name: torch.from_numpy(value[[replica]]).double() for name, value in source.items()}
        shown = torch.from_numpy(np.tile(u, (1, 1, 7, 1)))
        expected = architecture.outputs(one, shown, 7)[0, 0, -1].numpy()
        found = h[0, :5] @ one["readout"][0].numpy().T
        if architecture == Elman(5, bias=True):
            assert isinstance(map, NetworkMap)
            found = found + one["readout_bias"][0].numpy()
        np.testing.assert_allclose(found, expected, atol=1e-12)
    with pytest.raises(ValueError, match=r"the input must be finite and \(2,\)"):
        trained_map(trained, 0, [1.0])
