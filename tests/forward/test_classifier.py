"""The classifier over all ways of learning: scikit-learn's rules, resumed fits, bad input."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from sharpwave.data import load
from sharpwave.forward import (
    DivergedError,
    EquilibriumPropagation,
    ErrorForwardPropagation,
    ForwardClassifier,
    Settling,
    UnsettledError,
)

pytestmark = pytest.mark.usefixtures("julia")
DIGITS = load("digits")
X, Y = DIGITS.train_images[:400], DIGITS.train_labels[:400]
EFP = ErrorForwardPropagation((40, 40), (1.0, 0.4, 0.05))


def model(**settings) -> ForwardClassifier:
    return ForwardClassifier(**{"method": EFP, "epochs": 4, "pixel_max": 16, **settings})


@pytest.mark.parametrize("method", [EFP, EquilibriumPropagation((40,))])
def test_digits_are_learned(method) -> None:
    fitted = model(method=method, epochs=40).fit(X, Y)
    assert fitted.score(DIGITS.test_images, DIGITS.test_labels) > 0.8
    assert fitted.decision_function(X[:3]).shape == (3, 10)
    assert len(fitted.history_["accuracy"]) == len(fitted.history_["seconds"]) == 40


def test_labels_of_any_kind_and_two_classes() -> None:
    some = Y < 2
    fitted = model().fit(X[some], np.array(["no", "yes"])[Y[some]])
    assert fitted.classes_.tolist() == ["no", "yes"]
    scores = fitted.decision_function(X[some])
    np.testing.assert_array_equal(fitted.predict(X[some]), np.where(scores > 0, "yes", "no"))


@pytest.mark.parametrize("method", [EFP, EquilibriumPropagation((40,))])
def test_a_fit_that_was_killed_goes_on_to_the_same_numbers(method, tmp_path: Path, monkeypatch) -> None:
    whole = model(method=method).fit(X, Y)
    killed = model(method=method, checkpoint=tmp_path / "fit.npz")
    save = ForwardClassifier._save

    def save_and_die(self, path, about, done):
        save(self, path, about, done)
        if done == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ForwardClassifier, "_save", save_and_die)
        with pytest.raises(KeyboardInterrupt):
            killed.fit(X, Y)
    again = clone(killed).fit(X, Y, resume=True)
    for name, array in whole.learner_.arrays().items():
        np.testing.assert_array_equal(array, again.learner_.arrays()[name])
    assert again.history_["accuracy"] == whole.history_["accuracy"]


def test_checkpoints_of_other_trainings_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "fit.npz"
    one = model(checkpoint=file, epochs=1).fit(X, Y)
    for other in (clone(one).set_params(epochs=2), clone(one).set_params(method=replace(EFP, batch=10))):
        with pytest.raises(ValueError, match=r"checkpoint of another training: (epochs|method) differ"):
            other.fit(X, Y, resume=True)
    with pytest.raises(ValueError, match="another training: data differ"):
        clone(one).fit(X[:300], Y[:300], resume=True)
    file.write_bytes(b"nothing")
    with pytest.raises(ValueError, match="is no checkpoint of a ForwardClassifier"):
        clone(one).fit(X, Y, resume=True)
    with pytest.raises(ValueError, match="no checkpoint to go on from"):
        model().fit(X, Y, resume=True)


def test_a_fit_that_diverges_keeps_its_last_good_checkpoint(tmp_path: Path) -> None:
    file = tmp_path / "fit.npz"
    growing = model(
        method=replace(EFP, rates=(1e37, 1e37, 1e37), loop_rate=1e37, batch=400), checkpoint=file, epochs=99
    )
    with pytest.raises(DivergedError, match=r"ceased to be finite in epoch [1-9]"):
        growing.fit(X, Y)
    with np.load(file) as kept:
        arrays = [kept[name] for name in kept.files if name != "training"]
    assert all(np.isfinite(array).all() for array in arrays)
    assert len(growing.history_["accuracy"]) > 0


@pytest.mark.parametrize(
    ("change", "x", "y", "message"),
    [
        ({}, X, np.zeros(400), "at least 2 classes to tell apart, got 1 class: 0.0"),
        ({}, X, Y[:-1], "labels must be one for each of 400 images"),
        ({}, X, None, "requires y to be passed"),
        ({}, np.where(np.arange(64) == 7, np.nan, X.reshape(400, 64)), Y, "images must be finite, got NaN in image 0"),
        ({"pixel_max": 8}, X, Y, "must be from 0 to 8"),
        ({"epochs": 0}, X, Y, "epochs must be a whole number from 1 on"),
        ({"method": replace(EFP, rates=(0.1,))}, X, Y, "expected a rate for each of 3 layers, got 1"),
        ({"method": replace(EFP, batch=0)}, X, Y, "batch must be a whole number from 1 on, got 0"),
    ],
)
def test_bad_input_is_refused(change, x, y, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        model(**change).fit(x, y)


def test_numbers_that_are_not_finite_are_named() -> None:
    fitted = model(epochs=1).fit(X, Y)
    fitted.learner_.weights.links[1][0, 0] = np.nan
    with pytest.raises(ValueError, match=r"not finite: link 1 of learner_\.arrays"):
        fitted.predict(X)


def test_states_that_do_not_settle_as_they_should_end_it(tmp_path: Path) -> None:
    file = tmp_path / "fit.npz"
    short = model(method=replace(EFP, settling=Settling(3, 3, tolerance=1e-6)), checkpoint=file)
    with pytest.raises(
        UnsettledError, match=r"states of layer [1-3] still change by .* after 3 free .* by 1e-06 .*epoch 0"
    ):
        short.fit(X, Y)
    long = model(method=replace(EFP, settling=Settling(400, 3, tolerance=1e-3)), epochs=1).fit(X, Y)
    assert long.history_["steps"][0] < 400
    long.learner_.weights.links[-1][...] *= 30
    with pytest.raises(UnsettledError, match="examples, in hundreds: number 0"):
        long.predict(X)


def test_other_features_are_refused_and_nothing_is_predicted_before_a_fit() -> None:
    fitted = model(epochs=1).fit(X, Y)
    with pytest.raises(ValueError, match="X has 63 features, but ForwardClassifier is expecting 64"):
        fitted.predict(X.reshape(400, 64)[:, :63])
    with pytest.raises(NotFittedError):
        model().predict(X)
