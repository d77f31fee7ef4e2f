"""BindsNET's simulator without its data sets and environments.

The package as a whole imports torchvision, OpenCV, gymnasium and pandas, which no simulation needs and of which
torchvision does not import beside the peers' torch. So the package is entered here as a bare one, whose submodules are
found as ever, and of these only the simulator's are imported.
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

if "bindsnet" not in sys.modules:
    found = find_spec("bindsnet")
    if found is None or found.submodule_search_locations is None:
        raise ModuleNotFoundError("No module named 'bindsnet'")
    package = ModuleType("bindsnet")
    package.__path__ = list(found.submodule_search_locations)
    sys.modules["bindsnet"] = package

for name in ("network", "models", "encoding"):  # `learning` before `network` is a circular import
    import_module(f"bindsnet.{name}")
