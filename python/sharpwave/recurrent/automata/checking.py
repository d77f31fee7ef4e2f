"""Whether an automaton knows what to do, in every configuration that it can come to."""

from __future__ import annotations

from math import lcm
from typing import TYPE_CHECKING

from .guards import FOREVER

if TYPE_CHECKING:
    from .automaton import TimedAutomaton

_MOST = 1_000_000  # configurations


def check(automaton: TimedAutomaton) -> None:
    """Go through all configurations that can be reached: a state, and what clocks show as far as guards can tell.

    Raises:
        ValueError: in one of them no transition is possible on some symbol, or several are; some state is never
            reached; or there are too many configurations.
    """
    latest, period = _horizons(automaton)
    wraps = [late + each for late, each in zip(latest, period, strict=True)]
    start = (0, (0,) * len(automaton.clocks))
    seen, waiting = {start}, [start]
    while waiting:
        state, clocks = waiting.pop()
        for symbol in range(len(automaton.alphabet)):
            found = automaton.possible(state, symbol, clocks)
            if len(found) != 1:
                raise ValueError(_message(automaton, state, symbol, clocks, found))
            taken = automaton.transitions[found[0]]
            then = (automaton.states.index(taken.target), tuple(
                _folded((0 if name in taken.resets else value) + 1, late, wrap, each)
                for name, value, late, wrap, each in zip(automaton.clocks, clocks, latest, wraps, period, strict=True)
            ))  # fmt: skip
            if then not in seen:
                seen.add(then)
                waiting.append(then)
                if len(seen) > _MOST:
                    raise ValueError(
                        f"there are more than {_MOST:,} configurations: use smaller numbers, or fewer clocks"
                    )
    missing = set(range(len(automaton.states))) - {state for state, _ in seen}
    if missing:
        names = ", ".join(automaton.states[state] for state in sorted(missing))
        raise ValueError(f"never reached: {names}; give transitions that lead there, or leave them out")


def _horizons(automaton: TimedAutomaton) -> tuple[list[int], list[int]]:
    """For each clock, from where on guards see but its remainder, and by which number."""
    latest, period = [0] * len(automaton.clocks), [1] * len(automaton.clocks)
    for guard in automaton.guards:
        for bound in guard:
            if bound.period:
                period[bound.clock] = lcm(period[bound.clock], bound.period)
            else:
                last = bound.high if bound.high < FOREVER else bound.low
                latest[bound.clock] = max(latest[bound.clock], last)
    return latest, period


def _folded(value: int, late: int, wrap: int, period: int) -> int:
    """A clock's value, or an earlier one that no guard can tell from it."""
    return value if value < wrap else late + (value - late) % period


def _message(automaton: TimedAutomaton, state: int, symbol: int, clocks: tuple[int, ...], found: list[int]) -> str:
    shown = ", ".join(f"{name} = {value}" for name, value in zip(automaton.clocks, clocks, strict=True))
    where = f"in state {automaton.states[state]!r} on {automaton.alphabet[symbol]!r}" + f", with {shown}" * bool(shown)
    if not found:
        return f"not complete: {where}, no transition is possible"
    several = " and ".join(str(automaton.transitions[place]) for place in found)
    return f"not deterministic: {where}, several transitions are possible: {several}"
