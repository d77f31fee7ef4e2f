"""What a mistyped name was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The message for a name that is not known.

    Args:
        kind: what the name names, such as `"experiment"`.
        name: what was given.
        known: what there is.

    Example:
        >>> unknown("field", "tau", ["tau_f", "seed"])
        "unknown field 'tau': did you mean 'tau_f'?"
        >>> unknown("field", "zzz", ["tau_f", "seed"])
        "unknown field 'zzz': expected one of 'seed', 'tau_f'"
    """
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    if close:
        return f"unknown {kind} {name!r}: did you mean {close[0]!r}?"
    return f"unknown {kind} {name!r}: expected one of {', '.join(map(repr, names))}"
