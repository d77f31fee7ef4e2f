"""Spiking networks against what is known otherwise: closed forms, published numbers, loops written out by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.signal import correlate2d

from sharpwave.spiking import (
    Convolutional,
    Dense,
    Input,
    LateralInhibition,
    Monitor,
    Network,
    NeuronModel,
    Population,
    Sparse,
    Spikes,
    Windowed,
    conductance_lif,
    current_lif,
    integrate_and_fire,
    izhikevich,
    lif,
    mcculloch_pitts,
)

both_backends = pytest.mark.parametrize("backend", ["julia", "torch"])
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")


@both_backends
def test_lif_under_constant_input(backend):
    # x(n) = .5 (1 - d^n)/(1 - d) with d = exp(-1/100) reaches 13 mV with the 30th input, and 5 ms of silence follow;
    # the same steps as in BindsNET's LIF nodes
    network = Network({"input": Input(1, "events"), "one": Population(1, lif())}, {"c": Dense("input", "one", [[0.5]])})
    result = network.run({"input": Spikes.from_dense(np.ones((1, 180, 1), int), 1.0)}, 180.0, backend=backend)
    arrives_first = 1  # the spike of a step arrives in the next one
    assert (result.spikes["one"].step - arrives_first).tolist() == [29, 64, 99, 134, 169]


@both_backends
def test_f_i_curve(backend):
    # f = 1/(t_ref + tau ln((RI + E_L - V_r)/(RI + E_L - V_th))), Neuronal Dynamics, section 1.3; V_th - E_L = 15 mV
    currents, dt, duration = np.array([100.0, 149.0, 160.0, 200.0, 300.0, 600.0]), 0.05, 400.0
    network = Network({"cells": Population(6, current_lif(), {"current": currents})}, {}, dt)
    spikes = network.run({}, duration, backend=backend).spikes["cells"]
    assert set(spikes.unit) == {2, 3, 4, 5}
    for unit in range(2, 6):
        measured = np.diff(spikes.step[spikes.unit == unit]) * dt
        drive = 0.1 * currents[unit]
        expected = 2 + 20 * math.log(drive / (drive - 15))
        assert len(measured) > 3
        assert (measured >= expected - 1e-9).all()  # a spike is seen at the end of its step
        assert (measured <= expected + dt + 1e-9).all()


@both_backends
def test_exact_integration_does_not_depend_on_the_step(backend):
    # one spike of 300 pA at 3 ms, and another of half of it at 11 ms, both act at the end of a step, 3 ms later
    times = np.array([3.0, 11.0])
    samples = {}
    for dt in (1.0, 0.5, 0.125):
        dense = np.zeros((1, round(40 / dt), 2), int)
        dense[0, np.rint(times / dt).astype(int), [0, 1]] = 1
        network = Network(
            {"input": Input(2, "events"), "one": Population(1, current_lif())},
            {"c": Dense("input", "one", [[300.0], [150.0]], target="I", delay=3 - dt)},
            dt,
        )
        monitor = Monitor("one", "v", every=round(1 / dt))
        result = network.run({"input": Spikes.from_dense(dense, dt)}, 40.0, monitors=[monitor], backend=backend)
        samples[dt] = result.traces["one", "v"].values[0, :, 0]
    t, expected = np.arange(1.0, 41.0), np.full(40, -65.0)
    for arrival, weight in zip(times + 3, (300.0, 150.0), strict=True):
        s = np.maximum(t - arrival, 0.0)
        expected += 0.1 * weight * 5 / (5 - 20) * (np.exp(-s / 5) - np.exp(-s / 20))
    for values in samples.values():
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-11)


@both_backends
def test_izhikevichs_regular_spiking(backend):
    dt, steps = 0.25, 1600
    currents = np.array([0.0, 4.0, 10.0, 15.0])
    network = Network({"cells": Population(4, izhikevich(), {"current": currents})}, {}, dt)
    monitors = [Monitor("cells", "v"), Monitor("cells", "u")]
    result = network.run({}, steps * dt, monitors=monitors, backend=backend)
    v, u, spikes = np.full(4, -65.0), np.full(4, -13.0), []
    for step in range(steps):
        v, u = v + dt * (0.04 * v * v + 5 * v + 140 - u + currents), u + dt * 0.02 * (0.2 * v - u)
        fired = v >= 30
        spikes += [(step, k) for k in np.flatnonzero(fired)]
        v, u = np.where(fired, -65.0, v), np.where(fired, u + 8, u)
        if step < 400:  # rounding grows at each spike
            np.testing.assert_allclose(result.traces["cells", "v"].values[0, step], v, atol=1e-6)
            np.testing.assert_allclose(result.traces["cells", "u"].values[0, step], u, atol=1e-6)
    found = result.spikes["cells"]
    assert list(zip(found.step.tolist(), found.unit.tolist(), strict=True)) == spikes
    assert not (found.unit == 0).any()
    intervals = np.diff(found.step[found.unit == 2])
    assert intervals[-1] > 1.5 * intervals[0]  # it adapts, as a regular spiking cell does


@both_backends
def test_conductances_by_hand(backend):
    rng = np.random.default_rng(1)
    dt, steps = 0.5, 200
    given = rng.poisson(0.2, (1, steps, 10))
    excitatory, inhibitory = 3 * rng.random((10, 6)), rng.random((10, 6))
    network = Network(
        {"input": Input(10, "events"), "cells": Population(6, conductance_lif())},
        {
            "e": Dense("input", "cells", excitatory, target="g_e"),
            "i": Dense("input", "cells", inhibitory, target="g_i", delay=1.5),
        },
        dt,
    )
    result = network.run(
        {"input": Spikes.from_dense(given, dt)}, steps * dt, monitors=[Monitor("cells", "v")], backend=backend
    )
    v, g_e, g_i, left = np.full(6, -65.0), np.zeros(6), np.zeros(6), np.zeros(6, int)
    spikes = np.zeros((steps, 6), int)
    for step in range(steps):
        active = left == 0
        v = np.where(active, v + dt * (-65 - v + g_e * (0 - v) + g_i * (-100 - v)) / 100, v)
        g_e, g_i = g_e * math.exp(-dt / 1), g_i * math.exp(-dt / 2)
        g_e += given[0, step - 1] @ excitatory if step >= 1 else 0
        g_i += given[0, step - 3] @ inhibitory if step >= 3 else 0
        left = np.maximum(left - 1, 0)
        spikes[step] = active & (v > -52)
        v = np.where(spikes[step], -65.0, v)
        left = np.where(spikes[step], 10, left)
        np.testing.assert_allclose(result.traces["cells", "v"].values[0, step], v, atol=1e-10)
    np.testing.assert_array_equal(result.spikes["cells"].dense()[0], spikes)
    assert spikes.any(axis=0).all()


def potentials(connections, spikes, pre, post, delay_steps=1):
    """What has arrived at each postsynaptic unit after the spikes of one step, (examples, units)."""
    model = integrate_and_fire(threshold=1e9, reset=0.0)
    network = Network({"input": Input(pre, "events"), "layer": Population(post, model)}, connections)
    dense = np.zeros((len(spikes), delay_steps + 1, pre), int)
    dense[:, 0] = spikes
    given = {"input": Spikes.from_dense(dense, 1.0)}
    monitors = [Monitor("layer", "v")]
    one, other = (network.run(given, delay_steps + 1.0, monitors=monitors, backend=b) for b in ("julia", "torch"))
    values = one.traces["layer", "v"].values
    np.testing.assert_allclose(values, other.traces["layer", "v"].values, rtol=0, atol=1e-12)
    assert (values[:, :-1] == 0).all()
    return values[:, -1]


def test_convolution_is_a_correlation():
    rng = np.random.default_rng(4)
    weights, spikes = rng.normal(size=(9, 2)), rng.poisson(0.7, (3, 42))
    made = Convolutional("input", "layer", weights, image_shape=(6, 7), kernel_size=3, stride=2)
    found = potentials({"c": made}, spikes, 42, 12).reshape(3, 2, 3, 2)
    for example in range(3):
        for k in range(2):
            whole = correlate2d(spikes[example].reshape(6, 7), weights[:, k].reshape(3, 3), mode="valid")
            np.testing.assert_allclose(found[example, :, :, k], whole[::2, ::2], atol=1e-12)


def test_windows_with_weights_of_their_own():
    rng = np.random.default_rng(5)
    weights, spikes = rng.normal(size=(6, 4, 3)), rng.poisson(0.7, (2, 12))
    made = Windowed("input", "layer", weights, image_shape=(3, 4), kernel_size=2, stride=1)
    found = potentials({"c": made}, spikes, 12, 18).reshape(2, 6, 3)
    for example in range(2):
        image = spikes[example].reshape(3, 4)
        for position in range(6):
            row, column = divmod(position, 3)
            window = image[row : row + 2, column : column + 2].ravel()
            np.testing.assert_allclose(found[example, position], window @ weights[position], atol=1e-12)


def test_sparse_synapses_and_their_delays():
    rng = np.random.default_rng(6)
    matrix, spikes = rng.normal(size=(9, 7)) * (rng.random((9, 7)) < 0.4), rng.poisson(0.7, (2, 9))
    made = Sparse.from_matrix("input", "layer", matrix)
    np.testing.assert_allclose(potentials({"c": made}, spikes, 9, 7), spikes @ matrix, atol=1e-12)
    late = replace(made, delay=4.0)
    np.testing.assert_allclose(potentials({"c": late}, spikes, 9, 7, 4), spikes @ matrix, atol=1e-12)


@pytest.mark.parametrize("group", [None, 3])
def test_lateral_inhibition_is_a_matrix(group):
    rng = np.random.default_rng(7)
    size = group or 12
    matrix = np.kron(np.eye(12 // size), np.ones((size, size))) - np.eye(12)
    spikes = rng.poisson(0.7, (4, 12))
    found = potentials({"c": LateralInhibition("input", "layer", -1.5, group)}, spikes, 12, 12)
    np.testing.assert_allclose(found, -1.5 * spikes @ matrix, atol=1e-12)


@both_backends
def test_mcculloch_and_pitts_gates(backend):
    inputs = np.array([[a, b] for a in (0, 1) for b in (0, 1)])
    weights = np.array([[0.5, 1.0, 1.0], [0.5, 1.0, -1.0]])  # and, or, first but not second
    network = Network(
        {"input": Input(2, "events"), "gates": Population(3, mcculloch_pitts())},
        {"c": Dense("input", "gates", weights)},
    )
    dense = np.zeros((4, 3, 2), int)
    dense[:, 0] = inputs
    counts = network.run({"input": Spikes.from_dense(dense, 1.0)}, 3.0, backend=backend).counts["gates"]
    assert counts.tolist() == [[0, 0, 0], [0, 1, 0], [0, 1, 1], [1, 1, 0]]


def test_cuba():
    # the benchmark of Brette et al., Journal of Computational Neuroscience 23 (2007) 349, as in Brian 2's CUBA example,
    # which gives 5.6 +- .2 Hz
    rng = np.random.default_rng(8)
    model = NeuronModel(
        "dv/dt = (g_e + g_i - (v - rest))/tau : mV (unless refractory)\ndg_e/dt = -g_e/(5*ms) : mV\n"
        "dg_i/dt = -g_i/(10*ms) : mV",
        "v > -50*mV", "v = -60*mV", "5 ms", {"rest": "-49 mV", "tau": "20 ms"}, {"v": "-60 mV"},
    )  # fmt: skip
    network = Network(
        {"excitatory": Population(3200, model), "inhibitory": Population(800, model)},
        {
            f"{pre}_{post}": Sparse.random(pre, post, (n, m), 0.02, weight, seed, target=target)
            for seed, (pre, n, weight, target) in enumerate(
                [("excitatory", 3200, 1.62, "g_e"), ("inhibitory", 800, -9.0, "g_i")]
            )
            for post, m in (("excitatory", 3200), ("inhibitory", 800))
        },
        0.1,
    )
    initial = {(n, "v"): -60 + 10 * rng.random((1, network.populations[n].units)) for n in network.populations}
    spikes = network.run({}, 1000.0, initial=initial).spikes["excitatory"]
    rate = len(spikes) / 3200
    assert 4.9 < rate < 6.3  # of one second of one network; networks differ by .2 Hz
