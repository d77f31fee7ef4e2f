"""The estimators over ready-made networks: that they learn, that they go on where they stopped, what they refuse."""

from __future__ import annotations

import copy
import math
import pickle
import re
import signal

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

import sharpwave.spiking
from sharpwave.data import load
from sharpwave.spiking import (
    ConvolutionalSTDP,
    DiehlCook,
    DiehlCook2015,
    LinearReadout,
    LocallyConnected,
    votes,
)
from sharpwave.spiking.checkpoints import Checkpoint
from support import run_python

DIGITS = load("digits")
X, Y = DIGITS.train_images, DIGITS.train_labels
TEST_X, TEST_Y = DIGITS.test_images, DIGITS.test_labels

SMALL = {
    "DiehlCook": DiehlCook(units=20, duration=100.0, norm=20.0, pixel_max=16),
    "LocallyConnected": LocallyConnected(filters=5, kernel_size=6, stride=2, crop=0, pixel_max=16),
    "DiehlCook2015": DiehlCook2015(units=10, duration=200.0, rest=0.0, norm=30.0, pixel_max=16),
    "ConvolutionalSTDP": ConvolutionalSTDP(patches=4, kernel_size=6, duration=200.0, rest=0.0, norm=20.0, pixel_max=16),
}
every_estimator = pytest.mark.parametrize("model", SMALL.values(), ids=SMALL)


def windows(**settings):
    """A locally connected network for the digits."""
    given = {"filters": 30, "kernel_size": 6, "stride": 2, "crop": 0, "pixel_max": 16}
    return LocallyConnected(**{**given, **settings})


@pytest.fixture(scope="module")
def learned():
    """Three epochs of the digits, with every readout; not to be changed."""
    return windows(epochs=3, readouts=votes.VOTES).fit(X, Y)


def assert_same_learning(one, other):
    """Weights, thresholds and readouts are the same to the last bit."""
    assert one.examples_seen_ == other.examples_seen_
    for kind in ("weights", "shared"):
        mine, theirs = getattr(one.state_, kind), getattr(other.state_, kind)
        assert mine.keys() == theirs.keys()
        for name, array in mine.items():
            np.testing.assert_array_equal(array, theirs[name], err_msg=name)
    assert one.readouts_.keys() == other.readouts_.keys()
    for name, readout in one.readouts_.items():
        found = other.readouts_[name].state_dict()
        for key, array in readout.state_dict().items():
            np.testing.assert_array_equal(array, found[key], err_msg=f"{name} {key}")


def test_sizes_come_first_and_by_place():
    assert DiehlCook(400).units == 400
    assert LocallyConnected(50, 16, 2).kernel_size == 16
    assert DiehlCook2015(9).units == 9
    assert ConvolutionalSTDP(7).patches == 7


# --- that they learn


# Measured: .84 in all three votes of the paper; .50 to .58 with the same readouts on weights that do not learn.
def test_windows_learn_the_digits(learned):
    found = learned.score_each(TEST_X, TEST_Y)
    assert min(found[name] for name in ("all", "proportion", "ngram")) > 0.77
    assert found["linear"] > 0.85
    assert min(found.values()) > 0.5


# Measured: .82; .35 without learning.
def test_a_dense_layer_learns_the_digits():
    assert DiehlCook(units=50, duration=250.0, epochs=3, pixel_max=16).fit(X, Y).score(TEST_X, TEST_Y) > 0.74


# Measured: .67; .51 without learning.
def test_convolutional_patches_learn_the_digits():
    model = ConvolutionalSTDP(patches=20, kernel_size=6, rest=0.0, norm=20.0, pixel_max=16).fit(X, Y)
    assert model.score(TEST_X, TEST_Y) > 0.6


@every_estimator
def test_weights_gather_where_the_images_are_bright(model):
    model = clone(model).fit(X[:100], Y[:100])
    pre, _, place = model.network().blocks["input"].pairs()
    bright = X[:100].reshape(100, -1).mean(axis=0)[pre]
    before = model.network().initial_state().weights["input"].ravel()[place]
    after = model.state_.weights["input"].ravel()[place]
    assert after @ bright > 1.02 * (before @ bright)  # with no learning it is equal, with a wrong sign less


def test_accuracy_while_learning_is_that_of_readouts_which_have_not_seen_the_images(learned):
    history = learned.history_
    assert history["examples"][-1] == learned.examples_seen_ == 3 * len(X)
    assert len({len(values) for values in history.values()}) == 1
    assert np.isnan(history["accuracy"][0])
    assert 0.7 < np.mean(history["accuracy"][-3:]) < 0.93  # on images that the readouts know it is above .95
    assert (np.diff(history["seconds"]) > 0).all()
    assert min(history["presentations"]) >= 1


def test_the_learning_rate_falls_after_every_250_images():
    still = windows(filters=3, learning_rate_decay=1e-12)
    first, more = (clone(still).fit(X[:n], Y[:n]).state_.weights["input"] for n in (250, 400))
    np.testing.assert_allclose(first, more, atol=1e-9)
    moving = windows(filters=3, learning_rate_decay=0.5).fit(X[:400], Y[:400]).state_.weights["input"]
    assert np.abs(moving - first).max() > 1e-3


def test_images_that_evoke_few_spikes_are_presented_again_and_brighter():
    dim = X[:20] // 4
    again = clone(SMALL["DiehlCook"]).set_params(min_spikes=5).fit(dim, Y[:20])
    once = clone(SMALL["DiehlCook"]).fit(dim, Y[:20])
    assert once.history_["presentations"] == [1.0]
    assert again.history_["presentations"][0] > 1.5
    assert again.history_["spikes"][0] > once.history_["spikes"][0]


# --- parts, epochs, batches


@pytest.mark.parametrize(("batch", "cut"), [(1, 130), (32, 64)])
def test_learning_in_parts_comes_to_the_same(batch, cut):
    whole = windows(filters=4, batch=batch).fit(X[:300], Y[:300])
    parts = windows(filters=4, batch=batch)
    for part in (slice(0, cut), slice(cut, 256), slice(256, 300)):
        parts.partial_fit(X[part], Y[part], classes=range(10))
    assert_same_learning(whole, parts)


def test_two_epochs_are_the_images_twice():
    epochs = windows(filters=4, epochs=2).fit(X[:270], Y[:270])
    assert_same_learning(epochs, windows(filters=4).partial_fit(X[:270], Y[:270]).partial_fit(X[:270], Y[:270]))


def test_fit_forgets_what_was_learned_before():
    model = windows(filters=4).fit(X[300:500], Y[300:500])
    assert_same_learning(model.fit(X[:200], Y[:200]), windows(filters=4).fit(X[:200], Y[:200]))


@every_estimator
def test_the_seed_and_not_the_threads_makes_the_numbers(model):
    one, same, other = (
        clone(model).set_params(**settings).fit(X[:40], Y[:40]) for settings in ({}, {"threads": 1}, {"seed": 1})
    )
    assert_same_learning(one, same)
    assert (one.state_.weights["input"] != other.state_.weights["input"]).any()


# --- checkpoints


class Stopped(Exception):  # noqa: N818
    pass


def stop_after(model, chunks):
    """Make the model's learning end like a Ctrl-C would, before it takes over one more chunk."""
    take = model._take

    def counted(*arguments):
        if len(model.history_["examples"]) == chunks:
            raise Stopped
        take(*arguments)

    model._take = counted
    return model


KILLED = """
import os, signal
import numpy as np
from sharpwave.data import load
from sharpwave.spiking import LocallyConnected

saves, savez = 0, np.savez
def killed(file, **arrays):
    global saves
    saves += 1
    if saves == 3:
        file.write(b"half a file")
        file.flush()
        os.kill(os.getpid(), signal.SIGKILL)
    savez(file, **arrays)

np.savez = killed
digits = load("digits")
model = LocallyConnected({settings}, checkpoint={path!r}, checkpoint_every=250)
model.fit(digits.train_images, digits.train_labels)
"""


def test_learning_that_was_killed_goes_on_to_the_same_numbers(tmp_path):
    path = tmp_path / "learning.npz"
    settings = {"filters": 6, "kernel_size": 6, "stride": 2, "crop": 0, "pixel_max": 16, "epochs": 2}
    settings["readouts"] = ("all", "ngram", "linear")
    words = ", ".join(f"{name}={value!r}" for name, value in settings.items())
    done = run_python(KILLED.format(settings=words, path=str(path)))
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert Checkpoint.load(path).position == 500  # of the third there is half
    resumed = LocallyConnected(**settings, checkpoint=path, checkpoint_every=250).fit(X, Y, resume=True)
    whole = LocallyConnected(**settings).fit(X, Y)
    assert_same_learning(resumed, whole)
    for name in ("examples", "accuracy", "spikes", "presentations"):
        np.testing.assert_array_equal(resumed.history_[name], whole.history_[name])
    np.testing.assert_array_equal(resumed.decision_function(TEST_X[:50]), whole.decision_function(TEST_X[:50]))
    assert Checkpoint.load(path).position == 2 * len(X)


def test_an_interrupt_keeps_what_was_learned(tmp_path):
    path = tmp_path / "learning.npz"
    model = stop_after(windows(filters=4, checkpoint=path), chunks=2)
    with pytest.raises(Stopped):
        model.fit(X, Y)
    assert model.examples_seen_ == Checkpoint.load(path).position == 500
    assert_same_learning(model, windows(filters=4).fit(X[:500], Y[:500]))


def test_more_epochs_may_follow_and_a_finished_training_is_not_repeated(tmp_path):
    path = tmp_path / "learning.npz"
    windows(filters=4, checkpoint=path).fit(X[:200], Y[:200], resume=True)  # there is none yet
    more = windows(filters=4, checkpoint=path, epochs=2).fit(X[:200], Y[:200], resume=True)
    assert_same_learning(more, windows(filters=4, epochs=2).fit(X[:200], Y[:200]))
    written = path.stat().st_mtime_ns
    windows(filters=4, checkpoint=path, epochs=2, readout="all", threads=1).fit(X[:200], Y[:200], resume=True)
    assert path.stat().st_mtime_ns == written
    with pytest.raises(ValueError, match="has learned 400 images, more than 1 epochs"):
        windows(filters=4, checkpoint=path).fit(X[:200], Y[:200], resume=True)


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    path = tmp_path / "learning.npz"
    windows(filters=4, checkpoint=path).fit(X[:50], Y[:50])
    before = path.read_bytes()
    for settings, data, message in (
        ({"seed": 3}, (X[:50], Y[:50]), "seed was 0 and is 3"),
        ({"nu": (0.0, 0.02)}, (X[:50], Y[:50]), "nu was [0.0, 0.01] and is [0.0, 0.02]"),
        ({"readouts": ("top",)}, (X[:50], Y[:50]), "readouts was"),
        ({}, (X[1:51], Y[:50]), "data was"),
        ({}, (X[:50], Y[1:51]), "data was"),
    ):
        with pytest.raises(ValueError, match=re.escape(message)):
            windows(**{"filters": 4, "checkpoint": path, **settings}).fit(*data, resume=True)
    with pytest.raises(ValueError, match="estimator was 'LocallyConnected' and is 'DiehlCook'"):
        DiehlCook(pixel_max=16, checkpoint=path).fit(X[:50], Y[:50], resume=True)
    assert path.read_bytes() == before


def test_files_that_are_no_checkpoints(tmp_path):
    path = tmp_path / "learning.npz"
    model = windows(filters=4, checkpoint=path)
    with path.open("wb") as file:
        np.savez(file, a=np.zeros(3))
    with pytest.raises(ValueError, match="is no checkpoint"):
        model.fit(X[:50], Y[:50], resume=True)
    path.write_bytes(b"PK\x03\x04 broken")
    with pytest.raises(ValueError, match="is no checkpoint"):
        model.fit(X[:50], Y[:50], resume=True)
    with pytest.raises(ValueError, match="set checkpoint to the path of a file"):
        windows(filters=4).fit(X[:50], Y[:50], resume=True)


# --- testing


def test_testing_changes_nothing(learned):
    before = copy.deepcopy(learned)
    first = learned.predict(TEST_X[:60])
    np.testing.assert_array_equal(learned.predict(TEST_X[:60]), first)
    learned.transform(TEST_X[:60])
    learned.score_each(TEST_X[:60], TEST_Y[:60])
    assert_same_learning(before, learned)


def test_every_readout_scores_and_predicts(learned):
    together = learned.score_each(TEST_X[:200], TEST_Y[:200])
    assert tuple(sorted(together)) == tuple(sorted(votes.VOTES))
    spikes = learned.respond(TEST_X[:200])
    np.testing.assert_array_equal(learned.transform(TEST_X[:200]), spikes.counts())
    for name, readout in learned.readouts_.items():
        assert learned.score(TEST_X[:200], TEST_Y[:200], readout=name) == together[name]
        np.testing.assert_array_equal(learned.decision_function(TEST_X[:200], name), readout.scores(spikes))
        np.testing.assert_array_equal(learned.predict(TEST_X[:200], name), learned.classes_[readout.predict(spikes)])
    assert learned.readout == "proportion"
    voting = copy.copy(learned).set_params(readout="ngram")
    assert voting.score(TEST_X[:200], TEST_Y[:200]) == together["ngram"]


def test_patches_are_filters_and_places_are_positions(learned):
    # 30 filters at 2 x 2 positions, numbered by position, then filter.
    np.testing.assert_array_equal(learned.readouts_["most-spiked"].groups, np.tile(np.arange(30), 4))
    np.testing.assert_array_equal(learned.readouts_["correlation"].groups, np.repeat(np.arange(4), 30))


def test_relabelled_readouts_know_the_weights_of_now(learned):
    model = copy.copy(learned).relabel(X[:300], Y[:300])
    spikes = learned.respond(X[:300])
    wanted = LinearReadout(10).partial_fit(spikes, Y[:300])
    np.testing.assert_array_equal(model.decision_function(X[:300], "linear"), wanted.scores(spikes))
    assert model.readouts_["all"].class_examples.sum() == 300
    assert learned.readouts_["all"].class_examples.sum() == 3 * len(X)
    assert model.state_ is learned.state_


def test_sample_weights_weigh_images(learned):
    right = learned.predict(TEST_X[:50]) == TEST_Y[:50]
    assert learned.score(TEST_X[:50], TEST_Y[:50], sample_weight=right) == 1.0


def test_labels_may_be_anything():
    words = np.array(["zero", "one", "two"])
    chosen = Y[:300] < 3
    numbered = windows(filters=6).fit(X[:300][chosen], Y[:300][chosen])
    named = windows(filters=6).fit(X[:300][chosen], words[Y[:300][chosen]])
    assert named.classes_.tolist() == ["one", "two", "zero"]
    test = TEST_X[TEST_Y < 3][:40]
    np.testing.assert_array_equal(named.predict(test), words[numbered.predict(test)])


def test_two_classes_have_one_decision():
    chosen = Y[:200] < 2
    model = windows(filters=6).fit(X[:200][chosen], Y[:200][chosen])
    decision = model.decision_function(TEST_X[:30])
    assert decision.shape == (30,)
    clear = decision != 0
    np.testing.assert_array_equal(model.predict(TEST_X[:30])[clear], (decision > 0).astype(int)[clear])


def test_floats_are_scaled_by_their_own_maximum():
    model = windows(filters=4).fit(X[:60], Y[:60])
    floats = windows(filters=4, pixel_max=None).fit(X[:60] / 16, Y[:60])
    assert_same_learning(model, floats)
    flat = windows(filters=4).fit(X[:60].reshape(60, -1), Y[:60])
    assert_same_learning(model, flat)


def test_pixels_that_are_cropped_are_not_seen():
    model = windows(filters=4, crop=1, kernel_size=4).fit(X[:60], Y[:60])
    framed = TEST_X[:30].copy()
    framed[:, [0, -1], :] = framed[:, :, [0, -1]] = 16
    np.testing.assert_array_equal(model.transform(framed), model.transform(TEST_X[:30]))
    framed[:, 1:3] = 16
    assert (model.transform(framed) != model.transform(TEST_X[:30])).any()


# --- deletion


def test_deleted_synapses_have_no_weight(learned):
    weights = learned.state_.weights["input"]
    lesioned = learned.delete_synapses(0.5, seed=1)
    lost = lesioned.state_.weights["input"] == 0
    assert lost[weights > 0].mean() == pytest.approx(0.5, abs=0.03)
    np.testing.assert_array_equal(lesioned.state_.weights["input"][~lost], weights[~lost])
    assert (weights != learned.delete_synapses(0.5, seed=2).state_.weights["input"]).any()
    whole, most = learned.score(TEST_X, TEST_Y), learned.delete_synapses(0.95).score(TEST_X, TEST_Y)
    assert most < lesioned.score(TEST_X, TEST_Y) + 0.02 < whole + 0.04
    assert most < whole - 0.1


def test_deleted_neurons_do_not_spike(learned):
    spikes = learned.transform(TEST_X[:200])
    lesioned = learned.delete_neurons(0.5, seed=1)
    left = lesioned.transform(TEST_X[:200])
    active = spikes.any(axis=0)
    assert active.sum() > 100
    assert 0.35 < left.any(axis=0)[active].mean() <= 0.6
    assert not learned.delete_neurons(1.0).transform(TEST_X[:20]).any()
    whole, half, few = (model.score(TEST_X, TEST_Y) for model in (learned, lesioned, learned.delete_neurons(0.95)))
    assert whole > half > few


def test_nothing_deleted_is_the_same_and_deletion_is_for_tests_only(learned):
    one, other = learned.delete_neurons(0.0), learned.delete_synapses(0.0)
    assert_same_learning(one, learned)
    np.testing.assert_array_equal(other.predict(TEST_X[:40]), learned.predict(TEST_X[:40]))
    with pytest.raises(ValueError, match="cannot learn: 20% of its synapses are deleted, 0% of its neurons"):
        learned.delete_synapses(0.2).delete_neurons(0.0).partial_fit(X, Y)
    with pytest.raises(ValueError, match=r"fraction must be from 0 to 1, got 1\.5"):
        learned.delete_synapses(1.5)


# --- scikit-learn's interface


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


# --- what is shown


def test_figures_of_what_was_learned(learned):
    assert learned.plot_filters(limit=9).axes[0].get_title("left") == "9 of 30 filters at 2 x 2 positions"
    titles = {learned.plot_assignments(name).axes[0].get_title("left") for name in (None, "proportion", "top")}
    assert titles == {"classes of 30 filters at 2 x 2 positions"}
    with pytest.raises(ValueError, match="the readout 'ngram' gives units no class"):
        learned.plot_assignments("ngram")
    dense = clone(SMALL["DiehlCook"]).fit(X[:20], Y[:20])
    assert dense.plot_filters().axes[0].get_title("left") == "20 units"


def test_progress_is_shown_where_it_is_asked_for(capsys):
    model = windows(filters=3).fit(X[:600], Y[:600])
    assert capsys.readouterr() == ("", "")
    model.set_params(verbose=True).fit(X[:600], Y[:600])
    out, err = capsys.readouterr()
    assert out == ""
    last = err.strip().splitlines()[-1]
    shown = re.fullmatch(r"learned 600/600 images, (\d+) images/s, accuracy (\d+\.\d)%", last)
    assert shown
    assert math.isclose(float(shown[2]), 100 * model.history_["accuracy"][-1], abs_tol=0.051)
