"""A configuration from the words of a command line, and back."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import fields, replace
from typing import Any

from ..suggest import unknown
from .experiment import Experiment


class OptionError(ValueError):
    """A word of the command line does not fit. The message is one line that says which and why."""


def parse(experiment: Experiment, words: Sequence[str], default: Any) -> Any:
    """Read `--field value` words.

    Args:
        experiment: whose configuration.
        words: the words after the experiment's name; `--help` prints the fields and exits.
        default: the configuration that holds where no word is given.

    Returns:
        An instance of `experiment.config`.

    Raises:
        OptionError: a field is not known, or a value does not fit.
    """
    import tyro

    _check_names(experiment, words)
    said = io.StringIO()
    wants_help = "--help" in words or "-h" in words
    try:
        if wants_help:
            return _tyro(tyro, experiment, words, default)
        with redirect_stderr(said), redirect_stdout(said):
            return _tyro(tyro, experiment, words, default)
    except SystemExit:
        if wants_help:
            raise
        raise OptionError(_first_sentence(said.getvalue())) from None
    except ValueError as error:  # the configuration's own checks
        raise OptionError(str(error)) from None


def quick_form(experiment: Experiment, config: Any) -> Any:
    """The configuration with the fields of the experiment's quick form."""
    return replace(config, **experiment.quick)


def command(experiment: Experiment, config: Any) -> str:
    """The command that does a run with this configuration."""
    words = ["sharpwave", "run", experiment.name]
    default = experiment.config()
    for field in fields(config):
        value = getattr(config, field.name)
        option = field.name.replace("_", "-")
        if value == getattr(default, field.name):
            continue
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            items = value if isinstance(value, tuple) else (value,)
            words += [f"--{option}", *map(str, items)]
    return shlex.join(words)


def _tyro(tyro: Any, experiment: Experiment, words: Sequence[str], default: Any) -> Any:
    return tyro.cli(
        experiment.config,
        prog=f"sharpwave run {experiment.name}",
        description=f"{experiment.title}. Besides the fields: --quick (seconds), --resume (continue the newest run), "
        "--runs DIR (where runs are kept).",
        args=list(words),
        default=default,
    )


def _check_names(experiment: Experiment, words: Sequence[str]) -> None:
    names = [field.name for field in fields(experiment.config)]
    for word in words:
        if not word.startswith("--") or word == "--help":
            continue
        name = word[2:].partition("=")[0].replace("-", "_")
        if name not in names and name.removeprefix("no_") not in names:
            raise OptionError(unknown("field", name, names))


def _first_sentence(box: str) -> str:
    """The message in tyro's box, as one line.

    The box is titled in its upper border, or, where the output has no such characters, in a line above the first rule.
    """
    sections: list[list[str]] = [[]]
    for line in box.splitlines():
        text = line.strip("│╭╮╰╯ \t")
        if re.match(r"[─-]{3}|─ .* ─", text):
            sections.append([])
        elif text:
            sections[-1].append(text)
    messages = [" ".join(section) for section in sections if section]
    titled_above = bool(sections[0])
    return messages[titled_above] if len(messages) > titled_above else box.strip() or "the command line cannot be read"
