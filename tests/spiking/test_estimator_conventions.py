"""Estimators keep scikit-learn's conventions, and name what does not fit."""

from __future__ import annotations

import copy
import pickle
import re

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import sharpwave.spiking
from sharpwave.spiking import (
    DiehlCook,
)
from small_estimators import TEST_X, X, Y, every_estimator, windows


def test_the_checks_of_scikit_learn():
    from sklearn.utils.estimator_checks import check_estimator

    model = DiehlCook(units=10, duration=20.0, pixel_max=100.0)  # the data of some checks are not within 0 and 1
    with pytest.warns():  # their images are no images, and evoke no spikes
        results = check_estimator(model, on_fail=None, on_skip=None)
    assert {r["check_name"]: r["exception"] for r in results if r["status"] == "failed"} == {}
    assert sum(r["status"] == "passed" for r in results) > 40


@every_estimator
def test_parameters_are_stored_as_given_and_copied(model):
    name = type(model).__name__
    assert getattr(sharpwave.spiking, name) is type(model)
    copied = clone(model)
    assert copied.get_params() == model.get_params()
    assert not any(key.endswith("_") for key in vars(copied))
    assert copied.set_params(seed=5).get_params()["seed"] == 5
    assert model.seed == 0
    assert repr(copied).startswith(f"{name}(")


@every_estimator
def test_a_fitted_estimator_survives_a_pickle(model):
    model = clone(model).fit(X[:30], Y[:30])
    other = pickle.loads(pickle.dumps(model))  # noqa: S301  (as joblib does it)
    np.testing.assert_array_equal(other.predict(TEST_X[:20]), model.predict(TEST_X[:20]))


@every_estimator
def test_nothing_works_before_fit(model):
    for name in ("predict", "decision_function", "transform", "respond"):
        with pytest.raises(NotFittedError):
            getattr(model, name)(X)
    for call in (
        lambda: model.score(X, Y), lambda: model.score_each(X, Y), lambda: model.relabel(X, Y), model.network,
        lambda: model.delete_synapses(0.1), lambda: model.delete_neurons(0.1), model.plot_filters,
        model.plot_assignments,
    ):  # fmt: skip
        with pytest.raises(NotFittedError):
            call()


def spoiled(value):
    bad = X[:5] / 16
    bad[3, 2, 1] = value
    return bad


@pytest.mark.parametrize(
    ("settings", "data", "message"),
    [
        ({}, (spoiled(np.nan), Y[:5]), "images must be finite, got NaN in image 3, pixel 17 (row 2, column 1)"),
        ({}, (spoiled(np.inf), Y[:5]), "images must be finite, got inf in image 3, pixel 17"),
        ({}, (spoiled(-0.5), Y[:5]), "pixels of floats must be from 0 to 1, got -0.5 in image 3, pixel 17"),
        ({}, (spoiled(1.5), Y[:5]), "got 1.5 in image 3, pixel 17 (row 2, column 1); give the value of a white pixel"),
        ({"pixel_max": 8}, (X[:5], Y[:5]), "pixels of whole numbers must be from 0 to 8"),
        ({"pixel_max": 0}, (X[:5], Y[:5]), "pixel_max must be the positive value"),
        ({}, (X[0, 0], Y[:8]), "a single image x is x[None]"),
        ({}, (X[:5], Y[:4]), "labels must be one for each of 5 images, got shape (4,)"),
        ({}, (X[:5], Y[:5] + 0.5), "Unknown label type"),
        ({}, (X[:5], None), "requires y"),
        ({"readout": "n-gram"}, (X[:5], Y[:5]), "unknown readout 'n-gram': did you mean 'ngram'?"),
        ({"readouts": "all"}, (X[:5], Y[:5]), "readouts must be a tuple of names, got 'all'"),
        ({"readouts": ("al",)}, (X[:5], Y[:5]), "unknown readout 'al': did you mean 'all'?"),
        ({"batch": 0}, (X[:5], Y[:5]), "batch must be a whole number from 1 on, got 0"),
        ({"epochs": True}, (X[:5], Y[:5]), "epochs must be a whole number from 1 on, got True"),
        ({"learning_rate_decay": 0.0}, (X[:5], Y[:5]), "learning_rate_decay must be above 0"),
        ({"intensity": -1.0}, (X[:5], Y[:5]), "intensity must be a positive rate in Hz, got -1.0"),
        ({"crop": 4}, (X[:5], Y[:5]), "crop must be less than half an image of 8 x 8 pixels, got 4"),
        ({"kernel_size": 9}, (X[:5], Y[:5]), "a window of 9 pixels"),
        ({"reduction": "mode"}, (X[:5], Y[:5]), "unknown reduction 'mode'"),
    ],
)
def test_what_does_not_fit_is_named(settings, data, message):
    given = {"pixel_max": None if data[0].dtype.kind == "f" else 16, **settings}
    with pytest.raises(ValueError, match=re.escape(message)):
        windows(**given).fit(*data)


def test_what_does_not_fit_the_learned(learned):
    with pytest.raises(ValueError, match="X has 49 features, but LocallyConnected is expecting 64 features"):
        learned.predict(X[:3, :7, :7])
    with pytest.raises(ValueError, match="labels must be among the 10 classes of the first fit, got 12"):
        copy.copy(learned).partial_fit(X[:2], [1, 12])
    with pytest.raises(ValueError, match="unknown readout 'tops': did you mean 'top'"):
        learned.predict(X[:3], readout="tops")
    model = windows(filters=3, readouts=()).fit(X[:20], Y[:20])
    with pytest.raises(ValueError, match="the readout 'ngram' was not trained, but 'proportion'"):
        model.score(X[:20], Y[:20], readout="ngram")
    with pytest.raises(ValueError, match="labels must be one for each of 3 images"):
        learned.score(X[:3], Y[:2])
