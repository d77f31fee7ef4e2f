"""Waves with other ends and speeds, against what is known of where they are."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.recurrent import repeat_copy
from sharpwave.waves import LinearBoundary, WaveLattice, as_rnn, as_task, compile_history_system

rng = np.random.default_rng(0)
NOTHING = LinearBoundary({1: 0.0})


def pulse(lattice: WaveLattice, steps: int) -> np.ndarray:
    """Where a pulse is after each step, (steps, columns)."""
    waves = lattice.run([[[1.0]]], steps=steps)
    return np.stack([waves.substrate(t)[0, :, 0] for t in range(1, steps + 1)])


def test_at_periodic_ends_a_pulse_goes_round_for_ever() -> None:
    np.testing.assert_array_equal(pulse(WaveLattice(5, 1, NOTHING, "periodic"), 20), np.tile(np.eye(5)[::-1], (4, 1)))


def test_periodic_waves_repeat_their_inputs_as_the_task_does() -> None:
    periodic = as_task(WaveLattice(8, 8, NOTHING, "periodic"))
    np.testing.assert_array_equal(periodic.matrix, repeat_copy().matrix)


def test_at_reflecting_ends_a_pulse_turns_round_and_leaves_where_it_started() -> None:
    there = np.eye(5)[::-1]
    expected = np.concatenate([there, there[::-1], np.zeros((4, 5))])
    np.testing.assert_array_equal(pulse(WaveLattice(5, 1, NOTHING, "reflecting"), 14), expected)


@pytest.mark.parametrize(("speed", "stays"), [(0.5, 10), (0.25, 20)])
def test_a_slow_pulse_is_on_a_column_in_the_steps_in_which_it_gets_there(speed: float, stays: int) -> None:
    found = pulse(WaveLattice(5, 1, NOTHING, speed=speed), stays + 5)
    every = round(1 / speed)
    np.testing.assert_array_equal(found[:stays:every], np.eye(5)[::-1])
    assert not found[[t for t in range(stays + 5) if t % every or t >= stays]].any()


def test_a_fast_wave_is_between_steps_on_the_columns_that_it_jumps_over() -> None:
    ramp = np.arange(1.0, 13.0)[None, :, None]
    found = WaveLattice(5, 1, NOTHING, speed=2.0).run(ramp).substrate(12)[0, :, 0]
    np.testing.assert_allclose(found, [10.0, 10.5, 11.0, 11.5, 12.0])


@pytest.mark.parametrize("speed", [0.3, 0.8, 1.0, 1.7, 4.0])
@pytest.mark.parametrize("ends", ["open", "periodic", "reflecting"])
def test_a_steady_wave_is_seen_everywhere_whatever_its_speed(ends, speed: float) -> None:
    lattice = WaveLattice(7, 2, NOTHING, ends, speed)
    waves = lattice.run(steps=0, initial=np.full((1, lattice.memory, 2), 3.0))
    np.testing.assert_allclose(waves.substrate(0), 6.0 if ends == "reflecting" else 3.0)
    ramp = np.arange(1.0, lattice.memory + 1)[None, :, None] * np.ones(2)
    if ends == "open":  # a value's age grows by 1/v from column to column
        ages = lattice.memory - lattice.run(steps=0, initial=ramp).substrate(0)[0, :, 0]
        np.testing.assert_allclose(ages, (6 - np.arange(7)) / speed, atol=1e-12)


@pytest.mark.parametrize("speed", [0.4, 1.0, 1.5])
@pytest.mark.parametrize("ends", ["open", "periodic", "reflecting"])
def test_any_linear_lattice_is_a_history_system_and_an_rnn(ends, speed: float) -> None:
    terms = {1: 0.5, 2: rng.normal(size=3) / 4, 4: rng.normal(size=(3, 3)) / 4}
    lattice = WaveLattice(4, 3, LinearBoundary(terms), ends, speed)
    start = rng.normal(size=(2, lattice.memory, 3))
    waves = lattice.run(steps=17, initial=start)
    np.testing.assert_allclose(waves.values, as_task(lattice).continued(start, 17), rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(
        compile_history_system(as_task(lattice)).run(steps=17, initial=start).values, waves.values, atol=1e-11
    )
    assert as_rnn(lattice).network.hidden == 3 * lattice.memory


def test_an_initial_memory_of_the_wrong_length_is_refused() -> None:
    lattice = WaveLattice(4, 1, NOTHING, "reflecting")
    with pytest.raises(ValueError, match=r"\(examples, 8, 1\), got \(1, 4, 1\)"):
        lattice.run(steps=1, initial=np.zeros((1, 4, 1)))
