"""Timed automata against a reading of their transitions one by one, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharpwave.recurrent.automata import TimedAutomaton, Transition, plot_automaton, temporal_flipflop
from sharpwave.recurrent.automata.guards import Bound, parse_guard

rng = np.random.default_rng(0)
LAMP = (
    Transition("*", "press", "on", resets=("x",)),
    Transition("off", "wait", "off"),
    Transition("on", "wait", "on", "x < 3"),
    Transition("on", "wait", "off", "x >= 3"),
)


def lamp(transitions=LAMP, **others) -> TimedAutomaton:
    given = {"states": ("off", "on"), "alphabet": ("press", "wait"), "clocks": ("x",), **others}
    return TimedAutomaton(transitions=tuple(transitions), **given)


def by_hand(automaton: TimedAutomaton, symbols: np.ndarray) -> np.ndarray:
    """Each example and step for itself, by what is possible."""
    found = np.empty_like(symbols)
    for example, sequence in enumerate(symbols):
        state, clocks = 0, dict.fromkeys(automaton.clocks, 0)
        for t, symbol in enumerate(sequence):
            (place,) = automaton.possible(state, int(symbol), list(clocks.values()))
            taken = automaton.transitions[place]
            clocks = {name: (0 if name in taken.resets else value) + 1 for name, value in clocks.items()}
            state = found[example, t] = automaton.states.index(taken.target)
    return found


@st.composite
def automata(draw) -> TimedAutomaton:
    """For every state and symbol the axis of a clock, or of its remainder, is cut into intervals with targets."""
    states, alphabet = (tuple(f"{kind}{k}" for k in range(draw(st.integers(1, 3)))) for kind in "qs")
    clocks, transitions = ("x", "y"), []
    for source in states:
        for symbol in alphabet:
            clock, period = draw(st.sampled_from(clocks)), draw(st.sampled_from([0, 2, 5, 7]))
            name = f"{clock} % {period}" if period else clock
            top = period - 1 if period else 12
            cuts = sorted(draw(st.sets(st.integers(1, top), max_size=3)))
            for low, high in zip([0, *cuts], [*cuts, None], strict=True):
                guard = f"{name} >= {low}" + (f" and {name} < {high}" if high is not None else "")
                resets = draw(st.sampled_from([(), ("x",), ("y",), clocks]))
                transitions.append(Transition(source, symbol, draw(st.sampled_from(states)), guard, resets))
    try:
        return TimedAutomaton(states, alphabet, tuple(transitions), clocks)
    except ValueError as error:
        assert "never reached" in str(error)  # noqa: PT017  (nothing else can be wrong with it)
        return lamp()


@pytest.mark.usefixtures("julia")
@settings(max_examples=60)
@given(automata(), st.integers(0, 2**31))
def test_all_ways_to_run_an_automaton_come_to_the_same(automaton: TimedAutomaton, seed: int) -> None:
    symbols = np.random.default_rng(seed).integers(0, len(automaton.alphabet), (3, 40))
    expected = by_hand(automaton, symbols)
    for backend in ("julia", "numpy"):
        np.testing.assert_array_equal(automaton.simulate(symbols, backend), expected)


def test_a_periodic_flipflop_knows_the_time_of_day() -> None:
    symbols = rng.integers(0, 2, (50, 60))
    found = temporal_flipflop(period=10).simulate(symbols)
    late = np.arange(60) % 10 >= 5
    np.testing.assert_array_equal(found, np.where(symbols == 1, 1, late))


def test_a_relative_flipflop_knows_how_long_nothing_was_seen() -> None:
    symbols = rng.choice(3, (50, 60), p=[0.1, 0.1, 0.8])
    found = temporal_flipflop("relative", tau=5).simulate(symbols)
    for sequence, states in zip(symbols, found, strict=True):
        state, last = 0, 0
        for t, symbol in enumerate(sequence):
            if symbol < 2:
                state, last = 1 if symbol == 1 else int(t - last > 5), t
            assert states[t] == state


@pytest.mark.usefixtures("julia")
def test_no_examples_and_no_steps_are_simulated_too() -> None:
    for backend in ("julia", "numpy"):
        for shape in ((0, 5), (5, 0)):
            assert lamp().simulate(np.zeros(shape, dtype=np.int64), backend).shape == shape


def test_an_automaton_without_clocks_is_a_machine() -> None:
    parity = TimedAutomaton(
        ("even", "odd"), ("0", "1"),
        (Transition("*", "1", "odd"), Transition("even", "0", "even"), Transition("odd", "0", "even")),
    )  # fmt: skip
    assert parity.run(["1", "1", "0", "0"]) == ["odd", "odd", "even", "even"]


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("", ()),
        ("x > 5", (Bound(0, 0, 6, 2**62),)),
        ("x<=5 and y%4==3", (Bound(0, 0, 0, 6), Bound(1, 4, 3, 4))),
    ],
)
def test_guards_are_read(text: str, bounds: tuple[Bound, ...]) -> None:
    assert parse_guard(text, ["x", "y"]) == bounds


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: lamp(LAMP[:3]), "not complete: in state 'on' on 'wait', with x = 3, no transition is possible"),
        (
            lambda: lamp((*LAMP, Transition("on", "wait", "off", "x == 2"))),
            "not deterministic: in state 'on' on 'wait', with x = 2, several transitions are possible",
        ),
        (lambda: lamp(states=("off", "on", "broken")), "never reached: broken"),
        (lambda: lamp((Transition("of", "wait", "on"),)), "unknown state 'of': did you mean 'off'"),
        (lambda: lamp((Transition("off", "weit", "on"),)), "unknown symbol 'weit': did you mean 'wait'"),
        (lambda: lamp((Transition("off", "wait", "*"),)), "unknown state"),
        (lambda: lamp((Transition("off", "wait", "on", resets=("z",)),)), "unknown clock 'z'"),
        (lambda: lamp((Transition("off", "wait", "on", "z > 1"),)), "guard 'z > 1': unknown clock 'z'"),
        (lambda: lamp((Transition("off", "wait", "on", "x > 1 or x < 0"),)), "is no comparison of a clock"),
        (lambda: lamp((Transition("off", "wait", "on", "__import__('os')"),)), "is no comparison of a clock"),
        (lambda: lamp((Transition("off", "wait", "on", "x % 1 == 0"),)), "a period must be at least 2 steps, got 1"),
        (lambda: lamp((Transition("off", "wait", "on", "x < 0"),)), "'x < 0' never holds"),
        (lambda: lamp((Transition("off", "wait", "on", "x % 4 > 3"),)), "'x % 4 > 3' never holds"),
        (lambda: lamp(alphabet=("press", "press")), "symbols must be different names"),
        (lambda: lamp(states=()), "states must be different names, at least one"),
        (
            lambda: lamp(
                (
                    *LAMP[:2],
                    Transition("on", "wait", "on", "x < 2000000"),
                    Transition("on", "wait", "off", "x >= 2000000"),
                )
            ),
            "more than 1,000,000 configurations",
        ),
        (lambda: lamp().run(["press", "pres"]), "unknown symbol 'pres': did you mean 'press'"),
        (lambda: lamp().simulate([[0, 1, 2]]), "symbols must be from 0 to 1, places .*, got 2 in example 0, step 2"),
        (lambda: lamp().simulate([0, 1]), r"\(examples, steps\), got int64 of shape \(2,\)"),
        (lambda: lamp().simulate([[0.5]]), "whole numbers"),
        (lambda: lamp().simulate([[0]], "jula"), "did you mean 'julia'"),
        (lambda: temporal_flipflop("cyclic"), "unknown kind of flipflop 'cyclic'"),
        (lambda: temporal_flipflop(period=9), "the period must be even, .*, got 9"),
        (lambda: temporal_flipflop(period=0), "period must be a whole number from 2 on, got 0"),
        (lambda: temporal_flipflop("relative", tau=-1), "tau must be a whole number from 1 on, got -1"),
    ],
)
def test_what_is_no_automaton_is_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_diagram_names_all_states_and_transitions() -> None:
    (axes,) = plot_automaton(lamp()).axes
    written = {text.get_text() for text in axes.texts}
    assert {"off", "on", "wait", "press / x := 0\nwait, x < 3", "wait, x >= 3", "press / x := 0"} <= written
    assert len(axes.patches) == 2
    alone = TimedAutomaton(("only",), ("tick",), (Transition("*", "*", "only"),))
    assert "any" in {text.get_text() for text in plot_automaton(alone).axes[0].texts}
