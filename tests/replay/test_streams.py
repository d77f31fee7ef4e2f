"""Streams: nothing of the future, nothing of the tests, and the same whenever they are made."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sharpwave.data import DataUnavailableError, load
from sharpwave.replay import ContinualExperiment, ExperienceReplay, Settings
from sharpwave.replay.passes import batches, single_pass
from sharpwave.replay.protocols import one_after_another, permuted_stream, rotated_stream, split_stream
from sharpwave.replay.streams import SCENARIOS, Stream

DIGITS = load("digits")


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_tasks_of_a_split_have_their_own_classes_and_no_others(scenario) -> None:
    order = [3, 1, 4, 0, 5, 9, 2, 6, 8, 7]
    stream = split_stream(DIGITS, scenario, order=order)
    rows = np.concatenate([task.train.rows for task in stream.tasks])
    assert sorted(rows) == list(range(len(DIGITS.train_labels)))
    for place, task in enumerate(stream.tasks):
        own = order[2 * place : 2 * place + 2]
        for part, labels in ((task.train, DIGITS.train_labels), (task.test, DIGITS.test_labels)):
            assert sorted(part.rows) == np.flatnonzero(np.isin(labels, own)).tolist()
            wanted = labels[part.rows] if scenario != "domain" else np.array([own.index(k) for k in labels[part.rows]])
            np.testing.assert_array_equal(part.labels, wanted)
        np.testing.assert_allclose(task.test.inputs()[3], DIGITS.test_images[task.test.rows[3]].ravel() / 16, rtol=1e-6)
    choices = [stream.choices(place, 1) for place in (0, 1, 2)]
    assert (
        choices
        == {
            "task": [(1, 3), (0, 4), (5, 9)],
            "domain": [(0, 1)] * 3,
            "class": [(0, 1, 3, 4), (0, 1, 3, 4), (0, 1, 3, 4, 5, 9)],
        }[scenario]
    )
    for active in ("known", "all"):
        one = replace(stream, active=active)
        everything = scenario == "class" and active == "all"
        wanted = [tuple(range(10)) if everything else stream.choices(place, 1) for place in (0, 1, 2)]
        assert [tuple(np.flatnonzero(row).tolist()) for row in one.mask(1)[:3]] == wanted
        assert [one.choices(place, 1) for place in (0, 1, 2)] == choices
        assert one.competing(1) == wanted[1]
    assert stream.known(1) == ((0, 1) if scenario == "domain" else (0, 1, 3, 4))


def test_pixels_are_permuted_alike_in_training_and_tests_and_each_time_otherwise() -> None:
    stream, again = (permuted_stream(DIGITS, tasks=3, seed=1) for _ in range(2))
    plain = DIGITS.test_images.reshape(-1, 64) / 16
    np.testing.assert_allclose(stream.tasks[0].test.inputs(), plain, rtol=1e-6)
    for task, same in zip(stream.tasks[1:], again.tasks[1:], strict=True):
        np.testing.assert_array_equal(task.train.order, task.test.order)
        np.testing.assert_array_equal(task.train.order, same.train.order)
        np.testing.assert_allclose(task.test.inputs(), plain[:, task.test.order], rtol=1e-6)
    assert not np.array_equal(stream.tasks[1].train.order, stream.tasks[2].train.order)
    apart = permuted_stream(DIGITS, "class", tasks=3)
    assert (apart.outputs, apart.tasks[2].outputs) == (30, tuple(range(20, 30)))
    assert apart.tasks[2].train.labels.min() == 20


def test_images_are_turned() -> None:
    stream = rotated_stream(DIGITS, angles=(0, 90))
    assert [task.name for task in stream.tasks] == ["0 degrees", "90 degrees"]
    image = DIGITS.test_images[5]
    np.testing.assert_allclose(stream.tasks[0].test.inputs(np.array([5]))[0], image.ravel() / 16, rtol=1e-6)
    np.testing.assert_allclose(stream.tasks[1].test.inputs(np.array([5]))[0], np.rot90(image).ravel() / 16, atol=0.07)


def test_streams_in_a_row_have_outputs_of_their_own() -> None:
    both = one_after_another([split_stream(DIGITS), split_stream(DIGITS)])
    assert (len(both.tasks), both.outputs) == (10, 20)
    assert both.tasks[5].outputs == (10, 11)
    same = one_after_another([split_stream(DIGITS, "domain"), split_stream(DIGITS, "domain")], "domain")
    assert (len(same.tasks), same.outputs) == (10, 2)


def test_digits_and_then_clothes_are_learned() -> None:
    streams = [split_stream(load(name).first(2000, 500)) for name in ("mnist", "fashion-mnist")]
    both = one_after_another([*streams])
    assert [task.name for task in both.tasks[::5]] == ["split mnist: 0, 1", "split fashion-mnist: 0, 1"]
    settings = Settings(hidden=(60,), iterations=80)
    found = ContinualExperiment(stream=both, strategy=lambda: [ExperienceReplay(400_000)], settings=settings).run()
    assert found.metrics["accuracy"] > 0.6
    assert (np.diag(found.accuracy.values) > 0.6).all()


def test_all_examples_come_before_one_comes_again() -> None:
    found = list(batches(50, 8, 12, 0, 3))
    assert np.bincount(np.concatenate(found[:6])).max() == 1
    assert all(len(one) == 8 for one in found)
    for one, other in zip(found, batches(50, 8, 12, 0, 3), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(found[0], next(batches(50, 8, 1, 0, 4)))
    assert len(next(batches(5, 8, 1, 0, 0))) == 5


@pytest.mark.parametrize("fuzzy", [0.0, 0.5])
def test_a_single_pass_has_each_example_once_and_mixes_neighbours_alone(fuzzy: float) -> None:
    stream = split_stream(DIGITS)
    found = list(single_pass(stream, 10, fuzzy, 0))
    task, place = (np.concatenate(them) for them in zip(*found, strict=True))
    for k, its in enumerate(stream.tasks):
        assert sorted(place[task == k]) == list(range(len(its.train)))
    mixed = [len(np.unique(one)) > 1 for one, _ in found]
    far = [task.max() - task.min() > 1 for task, _ in found]
    assert sum(far) < len(found) / 20  # two standard deviations are half a task
    assert (sum(mixed) > 8) == (fuzzy > 0)
    assert (np.diff(task) >= 0).all() == (fuzzy == 0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: split_stream(DIGITS, per_task=3),
            "expected an order of the 10 classes and a number of them that divides",
        ),
        (lambda: split_stream(DIGITS, order=[1, 1, *range(2, 10)]), "expected an order of the 10 classes"),
        (lambda: split_stream(DIGITS, "clas"), "did you mean 'class'"),  # type: ignore[arg-type]
        (lambda: Stream("none", "class", (), 10), "at least one task"),
        (
            lambda: Stream("few", "class", split_stream(DIGITS).tasks, 9),
            "8, 9 has output 9, but the network has only 9",
        ),
        (lambda: next(single_pass(split_stream(DIGITS), 10, 2.0, 0)), "fuzzy must be from 0 to 1, got 2"),
    ],
)
def test_what_is_no_stream_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_spoken_digits_come_two_at_a_time() -> None:
    try:
        spoken = load("spoken-digits")
    except DataUnavailableError as error:
        pytest.skip(f"spoken digits cannot be had here: {error}")
    stream = split_stream(spoken)
    assert [len(task.train) + len(task.test) for task in stream.tasks] == [600] * 5
    assert stream.features == 20 * 13
    found = ContinualExperiment(
        stream=stream, strategy=lambda: [ExperienceReplay(200_000)], settings=Settings(hidden=(60,), iterations=60)
    ).run()
    assert found.metrics["accuracy"] > 0.6
