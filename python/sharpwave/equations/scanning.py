"""A first pass over an equation's text: only a stated alphabet, sizes and brackets get as far as a parser."""

from __future__ import annotations

import keyword
import re

from sharpwave.equations.errors import EquationError, at

LARGEST_TEXT = 100_000  # characters
LONGEST_WORD = 100  # characters of a name or number
DEEPEST_NESTING = 100

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_OPERATOR = re.compile(r"\*\*|[<>=!]=|[-+*/<>(),]")
_WORD = re.compile(r"[A-Za-z0-9_.]", re.ASCII)
_HINTS = {
    "^": "write ** for a power",
    "=": "an equation is its right-hand side alone; compare with ==",
    "%": "there is no remainder; x - n*floor(x/n) is one",
    "[": "there are no subscripts; a delayed value is written x(t - tau)",
    "&": "write 'and'",
    "|": "write 'or'",
    "!": "write 'not'",
}
ALPHABET = "allowed: names, decimal numbers, + - * / ** ( ) , comparisons, and or not, 'a if c else b'"


def one_line(name: str, text: object) -> str:
    """The text of an equation on one line, checked by size, alphabet and brackets.

    Args:
        name: what the text defines, for errors.
        text: the text, or a number.

    Returns:
        ASCII text in which every word is a well-formed name or number.

    Raises:
        EquationError: for anything else.
    """
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        try:
            text = repr(float(text))
        except OverflowError:
            raise EquationError(f"{name}: the number is too large for a float64") from None
    if not isinstance(text, str):
        raise EquationError(f"{name}: expected a text such as 'sigma*(y - x)', got {type(text).__name__}")
    if len(text) > LARGEST_TEXT:
        raise EquationError(f"{name}: the text has {len(text)} characters, more than {LARGEST_TEXT}")
    line = re.sub(r"[\t\r\n]", " ", text).strip(" ")
    if not line:
        raise EquationError(f"{name}: the text is empty; write 0 for a constant")
    _check_words(name, line)
    return line


def _check_words(name: str, line: str) -> None:
    opened: list[int] = []
    position = 0
    while position < len(line):
        character = line[position]
        if character == " ":
            position += 1
            continue
        match = NAME.match(line, position) or _NUMBER.match(line, position) or _OPERATOR.match(line, position)
        if match is None:
            raise at(name, line, position, f"{character!r} is not allowed here", _HINTS.get(character, ALPHABET))
        word, end = match.group(), match.end()
        if word[-1].isalnum() or word[-1] in "_.":
            if end < len(line) and _WORD.match(line, end):
                hint = "a number is decimal, such as 12, 0.5 or 1e-3; a product needs *; there are no attributes"
                raise at(name, line, end, f"{line[end]!r} cannot follow {word[:LONGEST_WORD]!r}", hint)
            if len(word) > LONGEST_WORD:
                raise at(name, line, position, f"a name or number longer than {LONGEST_WORD} characters")
        elif word == "(":
            opened.append(position)
            if len(opened) > DEEPEST_NESTING:
                raise at(name, line, position, f"brackets nested deeper than {DEEPEST_NESTING}")
        elif word == ")":
            if not opened:
                raise at(name, line, position, "')' without its '('")
            opened.pop()
        position = end
    if opened:
        raise at(name, line, opened[-1], "'(' without its ')'")


def check_names(kind: str, names: list[str], taken: dict[str, str]) -> None:
    """Refuse a list of names of which one is malformed or already means something.

    Args:
        kind: what they name, such as `"variable"`.
        names: the names.
        taken: names that have a meaning, and the meaning.
    """
    for name in names:
        if not isinstance(name, str) or not NAME.fullmatch(name) or len(name) > LONGEST_WORD:
            shown = repr(name)[:LONGEST_WORD]
            raise EquationError(f"{kind} {shown}: expected a name of letters, digits and _, such as 'x1'")
        if name.startswith("__") or keyword.iskeyword(name):
            raise EquationError(f"{kind} {name!r}: a reserved word cannot be a name, choose another")
        if name in taken:
            raise EquationError(f"{kind} {name!r}: this name already means {taken[name]}, choose another")
