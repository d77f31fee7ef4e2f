"""A classifier that is given some classes after others: scikit-learn's interface, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from sharpwave.data import load
from sharpwave.forward import DivergedError
from sharpwave.replay import ContinualClassifier, Exemplars, ExperienceReplay, Part, Settings

DIGITS = load("digits")
QUICK = Settings(hidden=(60,), learning_rate=3e-3, batch=32, iterations=80)
NAMES = np.array([f"digit {k}" for k in range(10)])


def replaying():
    return [ExperienceReplay(20_000)]


def taught(strategy=replaying, names=NAMES, images=DIGITS.train_images) -> ContinualClassifier:
    model = ContinualClassifier(strategy=strategy, settings=QUICK, pixel_max=DIGITS.pixel_max)
    for some in np.split(np.arange(10), 5):
        chosen = np.isin(DIGITS.train_labels, some)
        model.partial_fit(images[chosen], names[DIGITS.train_labels[chosen]], classes=names)
    return model


def test_classes_that_come_later_do_not_push_out_those_before() -> None:
    labels = NAMES[DIGITS.test_labels]
    assert taught().score(DIGITS.test_images, labels) > taught(None).score(DIGITS.test_images, labels) + 0.5


@pytest.mark.parametrize("part", [ExperienceReplay, Exemplars])
def test_classes_that_come_after_many_small_calls_are_stored_too(part) -> None:
    settings = Settings(hidden=(30,), batch=8, iterations=1)
    model = ContinualClassifier(strategy=lambda: [part(8000)], settings=settings, pixel_max=DIGITS.pixel_max)
    for half in (range(5), range(5, 10)):
        images = DIGITS.train_images[np.isin(DIGITS.train_labels, half)]
        labels = DIGITS.train_labels[np.isin(DIGITS.train_labels, half)]
        for some in np.array_split(np.arange(400), 40):
            model.partial_fit(images[some], labels[some], classes=range(10))
    (only,) = model.learner_.parts
    counts = np.bincount(only.store.arrays["y"][: only.store.size], minlength=10)
    assert counts.min() >= counts.max() - 1
    assert len(only.store.offered) == 10


def test_floats_and_whole_numbers_are_the_same() -> None:
    whole, floats = taught(), taught(images=DIGITS.train_images.astype(np.float64))
    np.testing.assert_array_equal(whole.predict(DIGITS.test_images), floats.predict(DIGITS.test_images * 1.0))


def test_only_what_has_been_learned_is_said() -> None:
    model = ContinualClassifier(settings=QUICK, pixel_max=16)
    few = DIGITS.train_labels < 3
    model.partial_fit(DIGITS.train_images[few], DIGITS.train_labels[few], classes=range(10))
    assert set(model.predict(DIGITS.test_images)) <= {0, 1, 2}


def test_fit_forgets_everything() -> None:
    model = taught()
    few = DIGITS.train_labels < 2
    model.fit(DIGITS.train_images[few], DIGITS.train_labels[few])
    assert model.classes_.tolist() == [0, 1]
    assert len(model.learner_.stream.tasks) == 1
    fresh = clone(taught()).fit(DIGITS.train_images[few], DIGITS.train_labels[few])
    np.testing.assert_array_equal(model.predict(DIGITS.test_images), fresh.predict(DIGITS.test_images))


class Stopping(Part):
    """Ends the task of a number after some steps, with the errors that are left, which it takes."""

    def __init__(self, place: int, errors: list[type[BaseException]]) -> None:
        self.place, self.errors, self.steps = place, errors, 0

    def after(self, batch) -> None:
        if self.learner.place == self.place and self.errors:
            self.steps += 1
            if self.steps == 40:
                raise self.errors.pop()


@pytest.mark.parametrize("error", [KeyboardInterrupt, DivergedError])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_what_is_interrupted_leaves_the_classifier_as_it_was(error: type[BaseException], place: int) -> None:
    def given(some) -> tuple:
        chosen = np.isin(DIGITS.train_labels, some)
        return DIGITS.train_images[chosen], DIGITS.train_labels[chosen]

    models = []
    for stops in (True, False):
        errors = [error] if stops else []
        model = ContinualClassifier(
            strategy=lambda errors=errors: [*replaying(), Stopping(place, errors)], settings=QUICK, pixel_max=16
        )
        for task, some in enumerate(np.split(np.arange(10), 5)[:4]):
            if stops and task == place:
                before = model.predict(DIGITS.test_images) if place else None
                with pytest.raises(error):
                    model.partial_fit(*given(some), classes=range(10))
                if place:
                    np.testing.assert_array_equal(model.predict(DIGITS.test_images), before)
                else:
                    assert not hasattr(model, "learner_")
            model.partial_fit(*given(some), classes=range(10))
        models.append(model)
    one, other = (model.learner_.arrays() for model in models)
    for name in other:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


def test_examples_are_not_kept_beside_the_store() -> None:
    model = taught()
    assert sum(len(task.train.pixels) for task in model.learner_.stream.tasks) == 5


def test_a_fit_that_is_refused_keeps_what_was_learned() -> None:
    model = taught()
    before = model.predict(DIGITS.test_images)
    with pytest.raises(ValueError, match="images must be finite, got NaN"):
        model.fit(np.full((4, 64), np.nan), NAMES[:4])
    np.testing.assert_array_equal(model.predict(DIGITS.test_images), before)
    x, y = DIGITS.train_images[:40], NAMES[DIGITS.train_labels[:40]]
    model.set_params(settings=Settings(hidden=(30,)))
    with pytest.raises(ValueError, match="settings or seed are others than those of the first call"):
        model.partial_fit(x, y)


def test_what_does_not_fit_is_refused_and_nothing_is_lost() -> None:
    model = taught()
    before = model.predict(DIGITS.test_images)
    x, y = DIGITS.train_images[:40], NAMES[DIGITS.train_labels[:40]]
    for error, given in [
        ("classes are", {"X": x, "y": y, "classes": NAMES[:5]}),
        ("labels must be among the 10 classes", {"X": x, "y": np.where(y == y[0], "cat", y)}),
        ("X has 36 features, but ContinualClassifier is expecting 64", {"X": x[:, 1:7, 1:7], "y": y}),
        ("images must be finite, got NaN", {"X": np.where(x == 0, np.nan, x), "y": y}),
        ("labels must be one for each of 40 images", {"X": x, "y": y[:3]}),
        ("requires y to be passed", {"X": x, "y": None}),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=error):
            model.partial_fit(**given)
    np.testing.assert_array_equal(model.predict(DIGITS.test_images), before)
    fresh = ContinualClassifier(settings=QUICK, pixel_max=16)
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        fresh.partial_fit(x, y)
    with pytest.raises(ValueError, match="at least 2 classes"):
        fresh.partial_fit(x, y, classes=NAMES[:1])
    with pytest.raises(ValueError, match="not fitted"):
        fresh.predict(x)
