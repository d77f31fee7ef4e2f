"""Temporal flipflops: two states, and a symbol whose effect depends on time."""

from __future__ import annotations

from typing import Literal

from ...counts import count
from ...suggest import unknown
from .automaton import TimedAutomaton, Transition

KINDS = ("periodic", "relative")


def temporal_flipflop(
    kind: Literal["periodic", "relative"] = "periodic", *, period: int = 10, tau: int = 5
) -> TimedAutomaton:
    """An automaton of two states, in which `b` leads to state 1, and `a` to the state Theta.

    Args:
        kind: `"periodic"`, time of day: Theta is 0 in the first half of each period, and 1 in the second.
            `"relative"`: there is a third symbol, `null`, that changes nothing, and Theta is 1 if the last other symbol
            was more than `tau` steps before.
        period: of a periodic one, even.
        tau: of a relative one.

    Raises:
        ValueError: an unknown kind, an odd period, or numbers too small.

    Source:
        arXiv 2306.07125, versions of which there differ in names; which symbol leads where is not known exactly, and a
        choice.

    Example:
        >>> temporal_flipflop(period=4).run(["a", "a", "a", "a", "b", "a"])
        ['0', '0', '1', '1', '1', '0']
        >>> temporal_flipflop("relative", tau=2).run(["b", "a", "null", "null", "a"])
        ['1', '0', '0', '0', '1']
    """
    if kind not in KINDS:
        raise ValueError(unknown("kind of flipflop", kind, KINDS))
    states = ("0", "1")
    if kind == "periodic":
        if count("period", period, 2) % 2:
            raise ValueError(f"the period must be even, so that its halves are as long, got {period}")
        early, late = f"t % {period} < {period // 2}", f"t % {period} >= {period // 2}"
        return TimedAutomaton(
            states, ("a", "b"), clocks=("t",),
            transitions=(
                Transition("*", "a", "0", early), Transition("*", "a", "1", late), Transition("*", "b", "1"),
            ),
        )  # fmt: skip
    count("tau", tau)
    since = ("x",)
    return TimedAutomaton(
        states, ("a", "b", "null"), clocks=since,
        transitions=(
            Transition("*", "a", "0", f"x <= {tau}", since), Transition("*", "a", "1", f"x > {tau}", since),
            Transition("*", "b", "1", resets=since), Transition("0", "null", "0"), Transition("1", "null", "1"),
        ),
    )  # fmt: skip
