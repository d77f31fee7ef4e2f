from __future__ import annotations

import random
import threading
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sharpwave.equations import EquationError, Equations

VALID = (
    "sigma*(y - x)",
    "x*(rho - z) - y",
    "where(x > 0 and not y < 1, exp(-t/tau), 0.5e-3)",
    "-x(t - tau)**2 + hypot(x, y)*max(x, y, 1) if 0 <= x < 1 else sin(2*pi*t)",
)
PARAMETERS = {"sigma": 1.0, "rho": 2.0, "tau": 3.0}


def system(text: object) -> Equations:
    return Equations({"x": text, "y": "0", "z": "0"}, PARAMETERS)


ATTACKS = [
    "__import__('os').system('true')",
    "x.__class__",
    "().__class__.__bases__",
    "x[0]",
    "[x for x in (1, 2)]",
    "[[0]*9 for _ in range(10**9)]",
    "(x for x in y)",
    "{x}",
    "{1: 2}",
    "lambda: 1",
    "(lambda: x)()",
    "(y := 1)",
    "'x'",
    '"x"*10**9',
    "b'x'",
    "f'{x}'",
    "eval(x)",
    "exec(x)",
    "open(x)",
    "print(x)",
    "globals()",
    "sin",
    "sin()",
    "sin(x, y)",
    "sin(*x)",
    "sin(**x)",
    "sin(x=1)",
    "where(x, 1)",
    "min(x)",
    "sin(x)(y)",
    "(sin)(x)(x)",
    "tau(t)",
    "t(x)",
    "pi(x)",
    "x()",
    "x(t, t)",
    "x(x)",
    "x(t - y)",
    "x(t - x(t - 1))",
    "x(t + 1)",
    "x(1 + t)",
    "x(t - -1)",
    "await x",
    "yield x",
    "import os",
    "x; y",
    "x = 1",
    "x == ",
    "x is y",
    "x in y",
    "x not in y",
    "x // y",
    "x % y",
    "x @ y",
    "x ^ y",
    "x & y",
    "x | y",
    "~x",
    "x << 2",
    "x, y",
    "()",
    "x y",
    "2x",
    "2 x",
    "1_000",
    "0x10",
    "0b1",
    "0o7",
    "007",
    "1j",
    "1e999",
    "9" * 400,
    "nan",
    "inf",
    "None",
    "True",
    "...",
    "1/0",
    "0**-1",
    "log(0)",
    "sqrt(-1)",
    "(-1)**0.5",
    "10**10**10",
    "9**9**9**9",
    "x**y**z",
    "2**x**x",
    "exp(exp(exp(exp(9))))",
    "",
    "   ",
    "\n",
    "x)",
    "(x",
    "x) + (y",
    ")(",
    "(" * 101 + "x" + ")" * 101,
    "(" * 50_000,
    "-" * 50_000 + "x",
    "not " * 20_000 + "x",
    "+".join(["x"] * 20_000),
    "**".join(["x"] * 20_000),
    "x" * 101,
    "x + " * 30_000 + "x",
    "1 if x else " * 5_000 + "1",
    "sin(" * 2000 + "x" + ")" * 2000,
    "х",  # Cyrillic
    "ｘ",
    "x²",
    "x\u200b",
    "x\x00",
    "x # comment",
    "x \\\n + y",
    "$x",
    "`run`",
    "@time x",
    "x; end; run(`true`)",
    "Base.exit()",
    "x -> x",
    "x::Int",
    "x!",
    "begin x end",
    "missing_name",
    "__builtins__",
    None,
    b"x",
    ["x"],
    True,
    float("nan"),
    float("inf"),
    1j,
]


@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: repr(text)[:40])
def test_what_is_not_an_expression_is_refused(text):
    with pytest.raises(EquationError):
        system(text)


@given(st.one_of(st.text(), st.text("xyt+-*/()<>=!. ,0123456789eandorif"), st.text(st.characters(max_codepoint=127))))
@settings(max_examples=500)
def test_any_text_gives_equations_or_an_equation_error(text):
    with suppress(EquationError):
        system(text).encode()


@given(st.sampled_from(VALID), st.randoms(use_true_random=False))
@settings(max_examples=500)
def test_mutated_equations_give_equations_or_an_equation_error(text, rng: random.Random):
    alphabet = "xyzt()+-*/<>=!.,:;[]{}'\"\\_@ 019eEj\n#²" + "".join(VALID)
    for _ in range(rng.randint(1, 6)):
        place = rng.randrange(len(text) + 1)
        text = (
            text[:place] + rng.choice(["", rng.choice(alphabet), rng.choice(VALID)]) + text[place + rng.randint(0, 3) :]
        )
    with suppress(EquationError):
        system(text).encode()


@pytest.mark.parametrize("text", VALID)
def test_valid_texts_pass(text):
    assert system(text).variables == ("x", "y", "z")


@pytest.mark.parametrize(
    ("text", "message", "place"),
    [
        ("x + sigm*y", "unknown name 'sigm': did you mean 'sigma'?", 4),
        ("1 + sinn(x)", "unknown function 'sinn': did you mean 'sin'?", 4),
        ("x*(y + z[0])", "'[' is not allowed here", 8),
        ("x + 1/0", "this constant is not a finite number", 4),
        ("x*(y - z", "'(' without its ')'", 2),
        ("sigma(x)", "'sigma' cannot be called", 0),
        ("x + y(t - z)", "unknown name 'z'", 10),
        ("1 + hypot(x)", "hypot takes 2 arguments, got 1", 4),
    ],
)
def test_the_error_has_a_caret_at_the_place(text, message, place):
    with pytest.raises(EquationError) as info:
        system(text)
    first, shown, caret, *_ = str(info.value).split("\n")
    assert message in first
    assert shown.strip() == text
    assert caret.index("^") - (len(shown) - len(text)) == place


def test_the_error_in_a_long_text_shows_its_surroundings():
    text = " + ".join(["x"] * 300) + " + wrong + " + " + ".join(["y"] * 300)
    with pytest.raises(EquationError) as info:
        system(text)
    _, shown, caret, *_ = str(info.value).split("\n")
    assert len(shown) < 140
    assert shown[caret.index("^") :].startswith("wrong")


def test_a_long_flat_sum_is_not_deep():
    terms = [f"{i}*x" for i in range(600)]
    assert Equations({"x": " + ".join(terms)}).evaluate(0.0, [1.0])[0] == sum(range(600))


def test_brackets_up_to_the_limit():
    assert Equations({"x": "(" * 100 + "x" + ")" * 100}).evaluate(0.0, [2.0])[0] == 2.0


def test_a_deep_stack_gives_an_equation_error_not_a_crash():
    outcomes = []

    def deep(level: int) -> None:
        if level:
            return deep(level - 1)
        try:
            system("+".join(["x*(y+(z+(x)))"] * 300))
            outcomes.append("read")
        except EquationError:
            outcomes.append("refused")

    for level in range(800, 960, 5):
        thread = threading.Thread(target=lambda n=level: _quietly(deep, n))
        thread.start()
        thread.join()
    assert set(outcomes) <= {"read", "refused"}
    assert "refused" in outcomes


def _quietly(function, level: int) -> None:
    with suppress(RecursionError):  # in the test's own recursion
        function(level)


@pytest.mark.parametrize(
    ("variables", "parameters", "message"),
    [
        ({}, {}, "at least one variable"),
        ([], {}, "at least one variable"),
        ({"x": "x"}, [], "parameters: expected a dict"),
        ({"t": "1"}, {}, "already means time"),
        ({"sin": "1"}, {}, "already means a function"),
        ({"pi": "1"}, {}, "already means a constant"),
        ({"x": "1"}, {"x": 1.0}, "already means a variable"),
        ({"x": "1"}, {"exp": 1.0}, "already means a function"),
        ({"x y": "1"}, {}, "expected a name"),
        ({"x.y": "1"}, {}, "expected a name"),
        ({"": "1"}, {}, "expected a name"),
        ({"ｘ": "1"}, {}, "expected a name"),
        ({"x\n": "1"}, {}, "expected a name"),
        ({1: "1"}, {}, "expected a name"),
        ({"x" * 101: "1"}, {}, "expected a name"),
        ({"__x": "1"}, {}, "reserved word"),
        ({"lambda": "1"}, {}, "reserved word"),
        ({"x": "1"}, {"a": float("nan")}, "parameter 'a'"),
        ({"x": "1"}, {"a": [1.0]}, "parameter 'a'"),
        ({"x": "1"}, {"a": "1 + 1"}, "parameter 'a'"),
    ],
)
def test_bad_names_and_values_are_refused(variables, parameters, message):
    with pytest.raises(EquationError, match=message):
        Equations(variables, parameters)


def test_events_and_history_are_checked_too():
    equations = Equations({"x": "-x(t - tau)", "y": "x"}, {"tau": 1.0})
    with pytest.raises(EquationError, match="event 0: unknown name 'w'"):
        equations.encode(events=["w - 1"])
    with pytest.raises(EquationError, match=r"write \['x - 1'\]"):
        equations.encode(events="x - 1")
    with pytest.raises(EquationError, match="no expression for y"):
        equations.encode(history={"x": "t"})
    with pytest.raises(EquationError, match="unknown variable 'z'"):
        equations.encode(history={"x": "t", "y": "1", "z": "1"})
    for text in ("x", "x(t - 1)", "y + t"):
        with pytest.raises(EquationError, match="a history may depend on t and on parameters only"):
            equations.encode(history={"x": text, "y": "1"})
    assert len(equations.encode(["x - 1"], {"x": "tau*t", "y": 1.0}).history) == 2
