"""Timed automata: states that change with what is seen, and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ...suggest import unknown
from .guards import FOREVER, Bound, parse_guard

ANY = "*"


@dataclass(frozen=True)
class Transition:
    """From a state to another, on a symbol, if clocks allow it.

    Args:
        source: state, or `"*"` for all.
        symbol: what is seen, or `"*"` for all.
        target: state.
        guard: what clocks must show, such as `"x % 10 < 5 and y > 2"`; empty: nothing.
        resets: clocks that begin anew with this step.
    """

    source: str
    symbol: str
    target: str
    guard: str = ""
    resets: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class TimedAutomaton:
    """A machine that sees a symbol a step, and whose transitions depend on clocks.

    All clocks show 0 in the first step and count steps; one that a transition resets shows 0 in that step, and 1 in the
    next. Guards are asked what clocks show before a reset. Time is no input: it must be kept by whoever imitates it.

    Args:
        states: names; the first is the initial one.
        alphabet: symbols.
        transitions: in any order: in every configuration that can be reached, exactly one must be possible.
        clocks: names.

    Raises:
        ValueError: names given twice or not at all, transitions between states, on symbols or with clocks that there
            are not, a configuration with no transition or with several, or a state that is never reached.

    Source:
        R. Alur and D. Dill, A theory of timed automata, Theoretical Computer Science 126(2), 1994, with clocks that
        count steps; guards modulo a period are ours.

    Example:
        A lamp that a button turns on, and that goes out after three steps:

        >>> lamp = TimedAutomaton(
        ...     states=("off", "on"), alphabet=("press", "wait"), clocks=("x",),
        ...     transitions=(
        ...         Transition("*", "press", "on", resets=("x",)),
        ...         Transition("off", "wait", "off"),
        ...         Transition("on", "wait", "on", "x < 3"),
        ...         Transition("on", "wait", "off", "x >= 3"),
        ...     ),
        ... )
        >>> lamp.run(["press", "wait", "wait", "wait", "wait"])
        ['on', 'on', 'on', 'off', 'off']
    """

    states: tuple[str, ...]
    alphabet: tuple[str, ...]
    transitions: tuple[Transition, ...]
    clocks: tuple[str, ...] = ()
    guards: tuple[tuple[Bound, ...], ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        from .checking import check

        for kind, names in (("state", self.states), ("symbol", self.alphabet), ("clock", self.clocks)):
            if len(set(names)) < len(names) or ANY in names or (not names and kind != "clock"):
                raise ValueError(f"{kind}s must be different names, at least one, and not {ANY!r}, got {names}")
        for transition in self.transitions:
            for kind, name, known in (
                ("state", transition.source, (*self.states, ANY)),
                ("symbol", transition.symbol, (*self.alphabet, ANY)),
                ("state", transition.target, self.states),
                *(("clock", clock, self.clocks) for clock in transition.resets),
            ):
                if name not in known:
                    raise ValueError(f"{transition}: {unknown(kind, name, known)}")
        guards = tuple(parse_guard(transition.guard, self.clocks) for transition in self.transitions)
        object.__setattr__(self, "guards", guards)
        check(self)

    @property
    def counted(self) -> int:
        """Steps that sequences must have for all of it to be seen: the longest period, or number of a guard."""
        ends = (
            bound.period or (bound.high if bound.high < FOREVER else bound.low) for one in self.guards for bound in one
        )
        return max(ends, default=0)

    def possible(self, state: int, symbol: int, clocks: Sequence[int]) -> list[int]:
        """Places of the transitions that can be taken in a state, on a symbol, at what clocks show."""
        names = (ANY, self.states[state]), (ANY, self.alphabet[symbol])
        return [
            place
            for place, (transition, guard) in enumerate(zip(self.transitions, self.guards, strict=True))
            if transition.source in names[0]
            and transition.symbol in names[1]
            and all(bound.holds(clocks) for bound in guard)
        ]

    def run(self, symbols: Sequence[str]) -> list[str]:
        """States after each symbol of one sequence.

        Raises:
            ValueError: a symbol that is not in the alphabet.
        """
        known = {symbol: place for place, symbol in enumerate(self.alphabet)}
        for symbol in symbols:
            if symbol not in known:
                raise ValueError(unknown("symbol", symbol, self.alphabet))
        found = self.simulate([[known[symbol] for symbol in symbols]])
        return [self.states[place] for place in found[0]]

    def simulate(self, symbols: ArrayLike, backend: str = "auto") -> NDArray[np.int64]:
        """States after each symbol of many sequences.

        Args:
            symbols: places in the alphabet, (examples, steps).
            backend: `"julia"`, `"numpy"` (all examples together, step by step), or `"auto"`.

        Returns:
            Places of states, (examples, steps).

        Raises:
            ValueError: a number that is no place in the alphabet, or another shape.
        """
        from .simulation import simulate

        seen = np.asarray(symbols)
        if seen.ndim != 2 or (seen.size and not np.issubdtype(seen.dtype, np.integer)):
            raise ValueError(
                f"symbols must be whole numbers, (examples, steps), got {seen.dtype} of shape {seen.shape}"
            )
        outside = (seen < 0) | (seen >= len(self.alphabet))
        if outside.any():
            example, step = np.argwhere(outside)[0]
            raise ValueError(
                f"symbols must be from 0 to {len(self.alphabet) - 1}, places in the alphabet, got "
                f"{seen[example, step]} in example {example}, step {step}"
            )
        return simulate(self, np.ascontiguousarray(seen, dtype=np.int64), backend)
