"""Recall: both forms, both methods, input, batches, results and their files."""

from __future__ import annotations

import itertools
import subprocess
import sys

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from sharpwave.memory import DSEM, GAMM, GSEMM, LISEM, chain, cycle, energy, load_recall, rates, recall

RNG = np.random.default_rng(5)
K, N = 4, 30
PATTERNS = RNG.choice([-1.0, 1.0], (K, N))
INPUT = [(0.5, 2.0, PATTERNS[2]), (1.3, 4.0, 0.5 * PATTERNS[1])]
MODELS = {
    "DSEM": DSEM(PATTERNS, cycle(K), tau_d=8.0, gain=0.7),
    "DSEM, finite tau_h": DSEM(PATTERNS, cycle(K), tau_d=8.0, gain=0.7, tau_h=0.4),
    "LISEM": LISEM(PATTERNS / 5, cycle(K), alpha_s=2.0, alpha_c=0.4, tau_d=8.0),
    "LISEM, finite tau_h": LISEM(PATTERNS / 5, cycle(K), alpha_s=2.0, alpha_c=0.4, tau_d=8.0, tau_h=0.4),
    "polynomial": GSEMM(PATTERNS / 9, chain(K), "tanh", "rectified-polynomial", 2.0, 0.4),
}
LINEAR = [name for name, model in MODELS.items() if model.feature_activation.name == "identity"]


def by_scipy(model: GSEMM, cue, t_eval, pieces=()):
    """V_f, V_d by DOP853, piece by piece of the input."""
    n = model.features
    from sharpwave.memory import equilibrium

    y = np.concatenate([cue, np.zeros(n), equilibrium(model, cue, np.zeros(n))])[: 2 * n + (K if model.tau_h else 0)]
    edges = sorted({0.0, t_eval[-1], *(e for begin, end, _ in pieces for e in (begin, end) if e < t_eval[-1])})
    out = []
    for begin, end in itertools.pairwise(edges):
        drive = sum((v for a, b, v in pieces if a <= begin < b), np.zeros(n))

        def velocity(t, y, drive=drive):
            r = rates(model, y[:n], y[n : 2 * n], y[2 * n :] if model.tau_h else None, drive)
            return np.concatenate([r.features, r.delayed, *([r.hidden] if model.tau_h else [])])

        wanted = t_eval[(t_eval >= begin) & ((t_eval < end) | (end == edges[-1]))]
        reached = np.union1d(wanted, end)
        solution = solve_ivp(velocity, (begin, end), y, "DOP853", t_eval=reached, rtol=1e-12, atol=1e-12)
        out.append(solution.y[:, : len(wanted)].T)
        y = solution.y[:, -1]
    states = np.concatenate(out)
    return states[:, :n], states[:, n : 2 * n]


@pytest.mark.parametrize("pieces", [(), INPUT], ids=["free", "input"])
@pytest.mark.parametrize("name", MODELS)
def test_tsit5_against_scipy(name, pieces):
    model, t = MODELS[name], np.linspace(0, 5, 23)
    features, delayed = by_scipy(model, PATTERNS[0] * 0.7, t, pieces)
    got = recall(model, PATTERNS[0] * 0.7, 5.0, t_eval=t, input=pieces or None, rtol=1e-9, atol=1e-11, backend="torch")
    np.testing.assert_allclose(got.features, features, atol=3e-7)
    np.testing.assert_allclose(got.delayed, delayed, atol=3e-7)


@pytest.mark.parametrize("reduced", [True, False])
@pytest.mark.parametrize("tau_h", [0.0, 0.4])
def test_rk4_is_of_fourth_order(tau_h, reduced):
    """In a DSEM soft enough that these steps resolve its transitions."""
    model = DSEM(PATTERNS / 3, cycle(K), tau_d=8.0, gain=0.3, tau_h=tau_h)
    options = {"t_eval": [3.0], "backend": "torch", "reduced": reduced}
    exact = recall(model, PATTERNS[0], 3.0, rtol=1e-12, atol=1e-13, **options).features.values
    errors = [
        np.abs(recall(model, PATTERNS[0], 3.0, dt=dt, **options).features.values - exact).max() for dt in (0.1, 0.05)
    ]
    assert errors[1] > 1e-11
    assert 3.8 < np.log2(errors[0] / errors[1]) < 4.3


@pytest.mark.parametrize("name", LINEAR)
@pytest.mark.parametrize("dt", [None, 0.01])
def test_overlap_space_is_exact(name, dt):
    """Both forms give the same features, energies and overlaps, with input and a delayed start."""
    options = {"input": INPUT, "delayed": PATTERNS[3] / 3, "dt": dt, "rtol": 1e-10, "atol": 1e-12, "backend": "torch"}
    cues = np.stack([PATTERNS[0], RNG.normal(size=N)])
    reduced, full = (recall(MODELS[name], cues, 5.0, reduced=form, **options) for form in (True, False))
    assert reduced.trajectory.problem.reduced
    assert not full.trajectory.problem.reduced
    for quantity in ("features", "delayed", "hidden", "overlaps", "energy", "descent", "drift"):
        ours, theirs = getattr(reduced, quantity), getattr(full, quantity)
        assert ours.dims == theirs.dims
        scale = float(np.abs(theirs).max())
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=2e-7 * scale, err_msg=quantity)
    assert float(reduced.descent.max()) <= 0


@pytest.mark.parametrize("tau_d", [1.0, 0.25])
def test_overlap_space_where_time_constants_meet_or_swap(tau_d):
    model = DSEM(PATTERNS, cycle(K), tau_d=tau_d)
    options = {"delayed": PATTERNS[1], "input": INPUT, "rtol": 1e-10, "atol": 1e-12, "backend": "torch"}
    reduced, full = (recall(model, PATTERNS[0], 5.0, reduced=form, **options) for form in (True, False))
    np.testing.assert_allclose(reduced.delayed, full.delayed, atol=1e-7)


def test_a_batch_recalls_what_its_cues_recall():
    model = MODELS["LISEM"]
    batch = recall(model, PATTERNS[:3], 4.0, dt=0.02, backend="torch")
    assert batch.overlaps.dims == ("cue", "time", "memory")
    assert len(batch) == 3
    for k in range(3):
        alone = recall(model, PATTERNS[k], 4.0, dt=0.02, backend="torch")
        assert alone.overlaps.dims == ("time", "memory")
        np.testing.assert_allclose(alone.features, batch[k].features, rtol=1e-12, atol=1e-14)
        assert alone.episodes == pytest.approx(batch[k].episodes) or len(alone.episodes) == len(batch[k].episodes)
    with pytest.raises(ValueError, match="recall of 3 cues: take one of them"):
        batch.sequence()


def test_energy_only_descends_in_the_static_limit():
    model = GAMM(PATTERNS, feature_activation="tanh", hidden_activation="softmax")
    result = recall(model, RNG.normal(size=(5, N)), 8.0, backend="torch", rtol=1e-9, atol=1e-11)
    assert (np.diff(result.energy, axis=1) <= 1e-9).all()
    assert not result.drift.any()


def test_overlap_is_one_for_a_perfect_recall_whatever_the_scale():
    result = recall(GAMM(7.3 * PATTERNS, alpha_s=0.2), PATTERNS[1], 5.0, backend="torch")
    np.testing.assert_allclose(result.overlaps[:, 1], 1.0, atol=1e-9)
    np.testing.assert_allclose(result.overlaps[:, 0], PATTERNS[0] @ PATTERNS[1] / N, atol=1e-9)


@pytest.mark.parametrize("reduced", [True, False])
def test_zero_features_have_no_overlap(reduced):
    result = recall(GAMM(PATTERNS), np.zeros(N), 1.0, t_eval=[0.0, 1.0], backend="torch", reduced=reduced)
    assert not result.overlaps[0].any()
    assert result.overlaps[1].any()


def test_a_step_limit_gives_a_partial_result():
    with pytest.warns(RuntimeWarning, match="max_steps=5 were taken; raise max_steps"):
        result = recall(MODELS["DSEM"], PATTERNS[0], 50.0, max_steps=5, backend="torch")
    assert not result.success
    reached = float(result.trajectory.integration.reached[0])
    assert 0 < reached < 50
    assert np.isfinite(result.overlaps[result.t <= reached]).all()
    assert np.isnan(result.overlaps[result.t > reached]).all()


def test_growth_without_bound_ends_in_a_message():
    model = DSEM(PATTERNS, cycle(K), power=2)
    with pytest.warns(RuntimeWarning, match="the state may grow without bound"):
        result = recall(model, PATTERNS[0], 50.0, backend="torch")
    assert not result.success


@pytest.mark.parametrize("name", ["DSEM", "LISEM, finite tau_h"])
def test_files_hold_everything(name, tmp_path):
    before = recall(MODELS[name], PATTERNS[:2], 6.0, input=INPUT, backend="torch")
    before.save(tmp_path / "recall.nc")
    after = load_recall(tmp_path / "recall.nc")
    for quantity in ("t", "features", "delayed", "hidden", "overlaps", "energy", "descent", "drift"):
        np.testing.assert_array_equal(getattr(after, quantity), getattr(before, quantity), err_msg=quantity)
    assert after.summary() == before.summary()
    assert after.visits == before.visits
    assert repr(after.model) == repr(before.model)
    assert [path.name for path in tmp_path.iterdir()] == ["recall.nc"]


def test_what_is_no_recall_is_refused(tmp_path):
    import xarray

    xarray.Dataset({"x": ("y", np.zeros(3))}).to_netcdf(tmp_path / "other.nc", engine="h5netcdf")
    with pytest.raises(ValueError, match="is no recall"):
        load_recall(tmp_path / "other.nc")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load_recall(tmp_path / "none.nc")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"cue": np.zeros(3)}, r"cue must be \(30,\) or \(batch, 30\), got shape \(3,\)"),
        ({"cue": np.full(N, np.nan)}, "cue must be finite"),
        ({"delayed": np.zeros((2, N))}, r"delayed must be \(30,\) or \(1, 30\)"),
        ({"t_end": -1.0}, r"t_end must be positive, got -1\.0"),
        ({"dt": 0.0}, r"dt must be positive, got 0\.0"),
        ({"method": "rk4"}, "give dt"),
        ({"method": "tsit5", "dt": 0.1}, "chooses its steps"),
        ({"method": "tsit6"}, "unknown method 'tsit6': did you mean 'tsit5'"),
        ({"backend": "trch"}, "unknown backend 'trch': did you mean 'torch'"),
        ({"t_eval": [0.0, 2.0, 1.0]}, "t_eval must be one axis of times that rise"),
        ({"t_eval": [0.0, 11.0]}, "t_eval must be one axis"),
        ({"t_eval": [0.0], "n_times": 3}, "give t_eval or n_times"),
        ({"n_times": 1}, "n_times must be an integer of at least 2"),
        ({"hidden": np.zeros(K)}, "cannot be given at tau_h = 0"),
        ({"input": [(2.0, 1.0, np.zeros(N))]}, "0 <= t_start < t_end"),
        ({"input": [(0.0, 1.0)]}, r"a piece of the input is \(t_start, t_end, vector\)"),
        ({"input": np.zeros(3)}, r"input must be finite and \(30,\)"),
    ],
)
def test_bad_arguments(change, words):
    options = {"cue": PATTERNS[0], "t_end": 10.0, "backend": "torch", **change}
    with pytest.raises(ValueError, match=words):
        recall(MODELS["DSEM"], **options)
    if "reduced" not in change:
        with pytest.raises(ValueError, match="overlap-space form needs the identity"):
            recall(MODELS["LISEM"], PATTERNS[0], 1.0, reduced=True, backend="torch")


def test_importing_the_room_imports_nothing_heavy():
    heavy = {"torch", "matplotlib", "xarray", "scipy", "sklearn"}
    code = f"import sys, sharpwave.memory; print({heavy!r} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_energy_is_that_of_the_features_shown():
    result = recall(MODELS["DSEM"], PATTERNS[0], 3.0, backend="torch", t_eval=[0.0, 1.5, 3.0])
    expected = energy(result.model, result.features.values, result.delayed.values)
    np.testing.assert_allclose(result.energy, expected, rtol=1e-6)
    nearest = result.features_at([1.4])
    np.testing.assert_array_equal(nearest[0], result.features[1])
