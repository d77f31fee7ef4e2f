"""Many sequences through an automaton."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ...backends import in_julia
from .automaton import ANY

if TYPE_CHECKING:
    from .automaton import TimedAutomaton

Places = NDArray[np.int64]


def simulate(automaton: TimedAutomaton, symbols: Places, backend: str) -> Places:
    """States after each symbol, (examples, steps). Arguments are checked.

    Raises:
        ValueError: there is no such backend.
    """
    if not in_julia(backend, other="numpy"):
        return _in_numpy(automaton, symbols)
    from sharpwave_bridge import call

    found = np.empty_like(symbols)
    call("run_automaton", len(automaton.states), len(automaton.alphabet), *tables(automaton), symbols, found)
    return found


def tables(automaton: TimedAutomaton) -> tuple[Places, Places, Places]:
    """The automaton as the kernel is given it.

    Returns:
        Transitions (transitions, 5): source, symbol (-1 for any), target, and from which to before which of the bounds;
        bounds (bounds, 4): clock, period, low, high; resets (transitions, clocks) of 0 and 1.
    """
    rows: list[tuple[int, ...]] = []
    bounds: list[tuple[int, ...]] = []
    at = 0
    for transition, guard in zip(automaton.transitions, automaton.guards, strict=True):
        source = -1 if transition.source == ANY else automaton.states.index(transition.source)
        symbol = -1 if transition.symbol == ANY else automaton.alphabet.index(transition.symbol)
        rows.append((source, symbol, automaton.states.index(transition.target), at, at + len(guard)))
        bounds.extend(guard)
        at += len(guard)
    resets = [[int(clock in transition.resets) for clock in automaton.clocks] for transition in automaton.transitions]
    return (
        np.array(rows, dtype=np.int64).reshape(-1, 5),
        np.array(bounds, dtype=np.int64).reshape(-1, 4),
        np.array(resets, dtype=np.int64).reshape(len(rows), len(automaton.clocks)),
    )


def _in_numpy(automaton: TimedAutomaton, symbols: Places) -> Places:
    """All examples together, transition by transition."""
    transitions, bounds, resets = tables(automaton)
    examples, steps = symbols.shape
    state, clocks = np.zeros(examples, dtype=np.int64), np.zeros((examples, resets.shape[1]), dtype=np.int64)
    found = np.empty_like(symbols)
    for t in range(steps):
        then, reset = state.copy(), np.zeros(clocks.shape, dtype=bool)
        for (source, symbol, target, first, last), own in zip(transitions, resets, strict=True):
            taken = np.full(examples, True)
            if source >= 0:
                taken &= state == source
            if symbol >= 0:
                taken &= symbols[:, t] == symbol
            for clock, period, low, high in bounds[first:last]:
                value = clocks[:, clock] % period if period else clocks[:, clock]
                taken &= (low <= value) & (value < high)
            then[taken] = target
            reset[taken] = own.astype(bool)
        state = found[:, t] = then
        clocks = np.where(reset, 0, clocks) + 1
    return found
