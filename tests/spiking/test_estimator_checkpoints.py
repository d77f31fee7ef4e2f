"""Estimators go on where they stopped, to the same numbers."""

from __future__ import annotations

import re
import signal

import numpy as np
import pytest

from sharpwave.spiking import (
    DiehlCook,
    LocallyConnected,
)
from sharpwave.spiking.checkpoints import Checkpoint
from small_estimators import TEST_X, X, Y, assert_same_learning, windows
from support import run_python


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
