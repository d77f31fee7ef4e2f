"""Signal propagation in continuous time, beside error forward-propagation and equilibrium propagation."""

from __future__ import annotations

from ..experiment import Experiment
from .config import CONTINUOUS, ENERGY, FORWARD, SigPropContinuousConfig
from .learning import learn

EXPERIMENT = Experiment(
    name="sigprop-continuous",
    title="Signal propagation in continuous time",
    summary="A network of rates settles; then what its outputs lack is given to the first hidden layer, from where it "
    "goes forward, and links learn from the activities at both their ends. Beside it networks whose outputs drive the "
    "first layer all the time, and such as have links both ways.",
    source="Signal Propagation: The Framework for Learning and Inference in a Forward Pass, arXiv 2204.01723",
    config=SigPropContinuousConfig,
    quick={
        "seeds": 1, "compared": 1, "examples": 2000, "test_images": 1000, "hidden": 100, "epochs": 6,
        "energy_epochs": 4,
    },
    steps=(learn,),
    headline=tuple(f"{name}: test error" for name in (CONTINUOUS, FORWARD, ENERGY)),
    expected="signals that go forward learn digits without links back; no numbers are published",
    tables=("Errors / %",),
)  # fmt: skip
