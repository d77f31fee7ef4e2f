"""Signal propagation on Fashion-MNIST."""

from __future__ import annotations

from dataclasses import replace

from . import mnist
from .config import SigPropFashionConfig

EXPERIMENT = replace(
    mnist.EXPERIMENT,
    name="sigprop-fashion",
    title="Signal propagation learns clothes",
    config=SigPropFashionConfig,
    expected="near backpropagation; memory that does not grow with depth",
)
