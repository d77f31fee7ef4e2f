"""The error that a text which is not an equation raises."""

from __future__ import annotations

_WINDOW = 60  # characters shown on each side of the place


class EquationError(ValueError):
    """A text that is not an expression of this library, or a name or value that does not fit its system."""


def at(name: str, text: str, position: int, problem: str, hint: str = "") -> EquationError:
    """The error at a place of a text, with the text and a caret.

    Args:
        name: what the text defines, such as `"dx/dt"`.
        text: the text, on one line.
        position: the place, counted in characters from 0.
        problem: what is wrong there.
        hint: what to write instead.
    """
    start, stop = max(position - _WINDOW, 0), position + _WINDOW
    shown = "".join(c if c.isprintable() else "?" for c in text[start:stop])
    before, after = "..." if start else "", "..." if stop < len(text) else ""
    caret = " " * (len(before) + position - start) + "^"
    lines = [f"{name}: {problem}", f"    {before}{shown}{after}", f"    {caret}"]
    return EquationError("\n".join(lines + ([f"    {hint}"] if hint else [])))
