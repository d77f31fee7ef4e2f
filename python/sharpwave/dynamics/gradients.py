"""How far back a network's gradients reach."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..recurrent.elman import Elman
from ..recurrent.network import RNN
from ..recurrent.tasks import HistoryTask


def gradient_by_distance(network: RNN, task: HistoryTask, *, examples: int = 256, seed: int = 0) -> NDArray[np.float64]:
    """Norm of the gradient of the loss by each input, against how long ago it was shown, in units of the largest.

    The loss is the squared error of the outputs of one window after the inputs; the norm is the mean over examples.

    Args:
        network: trained or not.
        task: what it is to do.
        examples, seed: of the inputs.

    Returns:
        (s,): at k, the input that was shown k steps before the last one.

    Source:
        arXiv 2402.10163, figure of gradient norms; which outputs count there is not known, one window is a choice.

    Example:
        A network that forgets, and whose last input therefore has the largest gradient:

        >>> from ..recurrent import repeat_copy
        >>> network = RNN(np.eye(2) * 0.5, np.eye(2), np.eye(2))
        >>> int(gradient_by_distance(network, repeat_copy(3, 2)).argmax())
        0
    """
    import torch

    names = ("recurrent", "input", "readout", "bias", "readout_bias")
    parameters = {name: torch.tensor(getattr(network, name))[None] for name in names}
    s = task.window
    shown, targets = (part.double() for part in task.batch(seed, 2, examples, s, stream=3))
    shown.requires_grad_()
    outputs = Elman(network.hidden, network.nonlinearity, bias=True).outputs(parameters, shown[None], 2 * s)[0, :, s:]
    (gradient,) = torch.autograd.grad((outputs - targets).square().sum(), shown)
    norms = gradient.norm(dim=2).mean(dim=0).flip(0).numpy()
    return np.asarray(norms / norms.max())
