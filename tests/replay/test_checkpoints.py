"""Checkpoints: what was stopped or killed goes on to the same numbers, and what is of something else is refused."""

from __future__ import annotations

import signal
import subprocess
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import sleep

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from continual_runs import BUDGET, DIGITS, QUICK, experiment
from sharpwave.forward import Comparison, DenseLayers, DivergedError
from sharpwave.replay import (
    ClassBalanced,
    ContinualExperiment,
    ExperienceReplay,
    ForwardLearner,
    Learner,
    Part,
    Settings,
    learn_online,
    split_stream,
    strategies,
)
from sharpwave.replay.describing import described
from support import run_python


@pytest.mark.parametrize("name", list(strategies("class", 1)))
def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(name: str, tmp_path) -> None:
    short = Settings(hidden=(40, 30), learning_rate=3e-3, batch=32, iterations=12)
    budget = 4 * BUDGET
    whole = experiment(name, settings=short, budget=budget).run()
    path = tmp_path / "training.npz"
    stops = (7, 4) if name == "streaming LDA" else (7, 23)  # within the first task and, where it learns, the second
    for stop in stops:
        stopped = experiment(name, settings=short, budget=budget, checkpoint=path, every=5)
        inner, steps = stopped.strategy, []

        class Killer(Part):
            def after(self, batch) -> None:
                steps.append(1)  # noqa: B023
                if len(steps) == stop:  # noqa: B023
                    raise KeyboardInterrupt

        # the killer is no part of what the numbers depend on: it has no settings, and does nothing but end it
        stopped.strategy = lambda: [*inner(), Killer()]  # noqa: B023
        with pytest.raises(KeyboardInterrupt):
            stopped.run(resume=True)
    stopped.strategy = lambda: [*inner(), type("Killer", (Part,), {})()]
    found = stopped.run(resume=True)
    np.testing.assert_array_equal(found.accuracy.values, whole.accuracy.values)
    for one, other in zip(found.learner.network.parameters(), whole.learner.network.parameters(), strict=True):
        np.testing.assert_array_equal(one.detach().numpy(), other.detach().numpy())
    assert found.replayed == whole.replayed
    assert found.bytes == whole.bytes


def test_a_checkpoint_of_something_else_is_refused(tmp_path) -> None:
    path = tmp_path / "training.npz"
    short = Settings(hidden=(30,), batch=32, iterations=3)
    experiment("experience replay", settings=short, checkpoint=path).run()
    with pytest.raises(ValueError, match="strategy differ"):
        experiment("experience replay", settings=short, checkpoint=path, budget=2 * BUDGET).run(resume=True)
    with pytest.raises(ValueError, match="strategy differ"):
        experiment("DER++", settings=short, checkpoint=path).run(resume=True)
    with pytest.raises(ValueError, match="stream, data differ"):
        experiment("experience replay", "domain", settings=short, checkpoint=path).run(resume=True)
    path.write_bytes(b"PK")
    with pytest.raises(ValueError, match="is no checkpoint of a ContinualExperiment"):
        experiment("experience replay", settings=short, checkpoint=path).run(resume=True)


def test_where_the_loss_is_not_finite_the_last_checkpoint_stays(tmp_path) -> None:
    path = tmp_path / "training.npz"

    class Poison(Part):
        def loss(self, batch, loss):
            return loss * (np.nan if self.learner.place == 1 else 1.0)

    short = Settings(hidden=(30,), batch=32, iterations=6)
    one = ContinualExperiment(stream=split_stream(DIGITS), strategy=lambda: [Poison()], settings=short, checkpoint=path)
    with pytest.raises(DivergedError, match="the loss of task 2, 3, with what Poison adds, is nan"):
        one.run()
    with np.load(path) as file:
        assert all(np.isfinite(file[name]).all() for name in file.files if file[name].dtype.kind == "f")
        assert file["counts"][1] == 1


def test_weights_that_are_not_finite_never_reach_a_checkpoint(tmp_path) -> None:
    path = tmp_path / "training.npz"

    class Burst(Part):
        def after(self, batch) -> None:
            if self.learner.iteration == 3:
                self.learner.network.head.weight.data[0, 0] = np.inf

    short = Settings(hidden=(30,), batch=32, iterations=6)
    stream = split_stream(DIGITS)
    one = ContinualExperiment(
        stream=stream, strategy=lambda: [Burst()], settings=short, checkpoint=path, every=1
    )  # fmt: skip
    with pytest.raises(DivergedError, match=r"network: .* is not finite"):
        one.run()
    with np.load(path) as file:
        assert all(np.isfinite(file[name]).all() for name in file.files if file[name].dtype.kind == "f")
        assert file["counts"][2] == 3


def test_a_scorer_or_a_pixel_that_is_another_is_refused(tmp_path) -> None:
    path, stream = tmp_path / "training.npz", split_stream(DIGITS)
    short = Settings(hidden=(30,), batch=32, iterations=3)

    def scored(scorer: str, stream=stream) -> ContinualExperiment:
        return ContinualExperiment(
            stream=stream, strategy=lambda: [ExperienceReplay(20_000).scored(scorer)], settings=short, checkpoint=path
        )

    scored("loss").run()
    with pytest.raises(ValueError, match="strategy differ"):
        scored("entropy").run(resume=True)
    images = DIGITS.train_images.copy()
    images[-1, 3, 3] += 1
    with pytest.raises(ValueError, match="data differ"):
        scored("loss", split_stream(replace(DIGITS, train_images=images))).run(resume=True)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0, 1, exclude_max=True), bits=st.integers(1, 255), cut=st.booleans())
def test_a_damaged_checkpoint_is_said_to_be_one(checkpoint: Path, place: float, bits: int, cut: bool) -> None:
    whole = checkpoint.read_bytes()
    at = int(place * len(whole))
    damaged = checkpoint.with_name("damaged.npz")
    damaged.write_bytes(whole[:at] if cut else whole[:at] + bytes([whole[at] ^ bits]) + whole[at + 1 :])
    short = Settings(hidden=(10,), batch=32, iterations=3)
    try:
        experiment("experience replay", settings=short, checkpoint=damaged).run(resume=True)
    except ValueError as error:
        assert "damaged.npz" in str(error)  # noqa: PT017
    else:
        assert not cut  # what was hit is not read, such as a date in the archive


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    path: Path = tmp_path_factory.mktemp("checkpoint") / "training.npz"
    short = Settings(hidden=(10,), batch=32, iterations=3)
    experiment("experience replay", settings=short, checkpoint=path).run()
    return path


def test_where_no_checkpoint_can_be_written_nothing_is_learned(tmp_path) -> None:
    (tmp_path / "file").write_text("no folder")
    learned = []

    class Watching(Part):
        def begin(self, place: int) -> None:
            learned.append(place)

    one = ContinualExperiment(
        stream=split_stream(DIGITS), strategy=lambda: [Watching()], checkpoint=tmp_path / "file" / "training.npz"
    )
    with pytest.raises(OSError, match="file"):
        one.run()
    assert not learned


def test_settings_of_all_kinds_are_told_apart() -> None:
    class Own(Part):
        def __init__(self, given) -> None:
            self.given = given

    kinds = [
        1, np.float64(1.5), "a", None, Path("a"), {"a": 1}, {"a": 2}, {1, 2}, np.arange(3), np.arange(4), torch.ones(2),
        np.sum, np.mean, partial(round, ndigits=1), partial(round, ndigits=2), ClassBalanced(3), ClassBalanced(4),
        (1, 2),
    ]  # fmt: skip
    said = [described(Own(kind)) for kind in kinds]
    assert len(set(said)) == len(kinds)
    assert said == [described(Own(kind)) for kind in kinds]
    assert not any(" at 0x" in one for one in said)


def test_parts_that_keep_what_is_no_number_are_refused_before_they_learn(tmp_path) -> None:
    class Own(Part):
        def arrays(self):
            return {"seen": 3, "who": object()}

    one = ContinualExperiment(
        stream=split_stream(DIGITS), strategy=lambda: [Own()], checkpoint=tmp_path / "training.npz"
    )  # fmt: skip
    with pytest.raises(ValueError, match=r"Own\.arrays must give arrays of numbers, but who is none"):
        one.run()


_KILLED = """
import os, signal
from sharpwave.data import load
from sharpwave.replay import ContinualExperiment, DarkReplay, Part, Settings, split_stream

class Killer(Part):
    def after(self, batch):
        learner = self.learner
        if {kill} and learner.place == 2 and learner.iteration == 17:
            os.kill(os.getpid(), signal.SIGKILL)

settings = Settings(hidden=(40,), learning_rate=3e-3, batch=32, iterations=30)
found = ContinualExperiment(
    stream=split_stream(load("digits")), strategy=lambda: [DarkReplay(30_000, batch=32), Killer()], settings=settings,
    checkpoint={path!r}, every=5,
).run(resume=True)
print(found.accuracy.values.tobytes().hex(), found.replayed)
"""


def run_program(program: str, checkpoint: Path, kill: bool) -> subprocess.CompletedProcess[str]:
    return run_python(program.format(kill=kill, path=str(checkpoint)))


def whole_and_killed(program: str, home: Path) -> str:
    """What a program says that runs to its end, and in the folder a checkpoint of one that was killed."""
    whole = run_program(program, home / "whole.npz", False)
    assert whole.returncode == 0, whole.stderr
    assert run_program(program, home / "killed.npz", True).returncode == -signal.SIGKILL
    return whole.stdout


def test_a_process_that_is_killed_within_a_task_loses_nothing(tmp_path: Path) -> None:
    whole = whole_and_killed(_KILLED, tmp_path)
    went_on = run_program(_KILLED, tmp_path / "killed.npz", False)
    assert went_on.stdout == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["killed.npz", "whole.npz"]


def test_another_way_of_learning_is_refused_by_a_checkpoint(tmp_path: Path) -> None:
    def run(rate: float) -> None:
        way = Comparison("feedback-alignment", DenseLayers((30,)), learning_rate=rate)
        ContinualExperiment(
            stream=split_stream(DIGITS), strategy=list, settings=replace(QUICK, iterations=5),
            learner=partial(ForwardLearner, method=way), checkpoint=tmp_path / "training.npz",
        ).run(resume=True)  # fmt: skip

    run(1e-3)
    with pytest.raises(ValueError, match="learner"):
        run(2e-3)


_ONLINE = """
import os, signal
from sharpwave.data import load
from sharpwave.replay import ExperienceReplay, Learner, Part, Settings, learn_online, split_stream

class Killer(Part):
    def after(self, batch):
        if {kill} and self.learner.iteration == 57:
            os.kill(os.getpid(), signal.SIGKILL)

parts = [ExperienceReplay(30_000, when="step").scored("loss"), Killer()]
learner = Learner(split_stream(load("digits")), Settings(hidden=(40,), learning_rate=3e-3), parts, 0)
learn_online(learner, 10, 0.1, {path!r}, every=10, resume=True)
print([learner.accuracy(place) for place in range(5)], learner.replayed)
"""


def test_a_single_pass_that_is_killed_goes_on_to_the_same_numbers(tmp_path: Path) -> None:
    whole = whole_and_killed(_ONLINE, tmp_path)
    with np.load(tmp_path / "killed.npz") as file:
        assert file["counts"][2] == 50
    assert run_program(_ONLINE, tmp_path / "killed.npz", False).stdout == whole
    assert run_program(_ONLINE, tmp_path / "killed.npz", False).stdout == whole  # it had come to its end


def test_a_single_pass_of_something_else_is_refused(tmp_path: Path) -> None:
    def run(fuzzy: float, budget: int = 20_000) -> None:
        learner = Learner(split_stream(DIGITS), QUICK, [ExperienceReplay(budget, when="step")], 0)
        learn_online(learner, 32, fuzzy, tmp_path / "training.npz", resume=True)

    run(0.0)
    kept = (tmp_path / "training.npz").read_bytes()
    with pytest.raises(ValueError, match="fuzzy must be from 0 to 1, got 2"):
        learn_online(Learner(split_stream(DIGITS), QUICK, [], 0), 32, 2.0, tmp_path / "training.npz")
    assert (tmp_path / "training.npz").read_bytes() == kept
    with pytest.raises(ValueError, match="fuzzy differ"):
        run(0.1)
    with pytest.raises(ValueError, match="strategy differ"):
        run(0.0, 30_000)


def test_seconds_are_those_of_learning_alone(tmp_path: Path) -> None:
    class Slow(Part):
        def scores(self, x):
            sleep(0.02)

    found = ContinualExperiment(
        stream=split_stream(DIGITS), strategy=lambda: [Slow()], settings=Settings((8,), batch=32, iterations=2),
        checkpoint=tmp_path / "training.npz",
    ).run()  # fmt: skip
    assert found.seconds < 0.3 < 30 * 0.02
