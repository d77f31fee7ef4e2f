"""Parts told apart by their settings."""

from __future__ import annotations

from functools import partial
from inspect import isroutine
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..checkpoints import fingerprint


def described(thing: Any) -> str:
    """A part or a policy with its settings: numbers, words, arrays, functions by name, and things that have such.

    Attributes whose names begin with _ are no settings.

    Example:
        >>> from sharpwave.replay import ClassBalanced
        >>> described([ClassBalanced(10), 0.5])
        '(ClassBalanced(most=10), 0.5)'
    """
    if isinstance(thing, np.generic):
        thing = thing.item()
    if isinstance(thing, (int, float, complex, str, bytes, Path, type(None))):
        return repr(thing)
    if isinstance(thing, (np.ndarray, torch.Tensor)):
        return f"array {fingerprint(np.asarray(thing))}"
    if isinstance(thing, (tuple, list)):
        return f"({', '.join(map(described, thing))})"
    if isinstance(thing, (set, frozenset)):
        return f"{{{', '.join(sorted(map(described, thing)))}}}"
    if isinstance(thing, dict):
        return f"{{{', '.join(sorted(f'{described(key)}: {described(value)}' for key, value in thing.items()))}}}"
    if isinstance(thing, type) or isroutine(thing):
        return f"{thing.__module__}.{thing.__qualname__}"
    inside = [f"{name}={described(value)}" for name, value in sorted(_settings(thing).items()) if name[0] != "_"]
    return f"{type(thing).__name__}({', '.join(inside)})"


def _settings(thing: Any) -> dict[str, Any]:
    if isinstance(thing, partial):
        return {"of": thing.func, "given": thing.args, **thing.keywords}
    return getattr(thing, "__dict__", {})
