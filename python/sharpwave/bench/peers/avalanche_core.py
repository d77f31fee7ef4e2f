"""Avalanche without the compiled part of torchvision.

Avalanche imports torchvision's data sets and transforms, which need no compiled operators; but beside a torch for CPUs
torchvision does not import, because it describes two of its operators without looking whether they are there. They are
declared here, and never called.
"""

from __future__ import annotations

from typing import Any

import torch

_BOXES = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
try:
    import torchvision  # type: ignore[import-not-found, import-untyped, unused-ignore]
except RuntimeError:
    library: Any = torch.library.Library
    DECLARED = library("torchvision", "FRAGMENT")  # as long as this is there, they are
    for name in ("nms", "qnms"):
        DECLARED.define(name + _BOXES)
    import torchvision  # noqa: F401
