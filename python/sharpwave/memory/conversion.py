"""A sequential episodic memory without delays as a recurrent network in discrete time."""

from __future__ import annotations

import math

import numpy as np

from ..recurrent.network import RNN
from .activations import Identity, Relu, Tanh
from .model import GSEMM


def as_rnn(model: GSEMM) -> RNN:
    """The RNN that a memory is where hidden and delayed layers follow at once, and features in steps of tau_f.

    In that limit V_f(t+1) = W s_f(V_f(t)) with W = sqrt(a_s) Xi (sqrt(a_s) + a_c beta_d Phi') Xi', and the activities
    h = s_f(V_f) go on as h(t+1) = s_f(W h(t)): the two maps are conjugate by s_f. The columns of Xi are the memory
    basis of this network.

    Args:
        model: its hidden activation must be the identity, its feature activation tanh, relu or the identity.

    Returns:
        The network. Inputs (N,) are added to features, and outputs (K,) are the overlaps with memories, Xi' h.

    Raises:
        ValueError: another activation.

    Source:
        "Episodic Memory Theory for the Mechanistic Interpretation of RNNs", arXiv 2310.02430, and its authors' notes.

    Example:
        Memories that follow each other, step by step:

        >>> from .graphs import cycle
        >>> network = as_rnn(GSEMM(np.eye(3), cycle(3), "identity", "identity", alpha_s=1.0, alpha_c=1.0))
        >>> network.recurrent.tolist()
        [[1.0, 0.0, 1.0], [1.0, 1.0, 0.0], [0.0, 1.0, 1.0]]
    """
    if not isinstance(model.hidden_activation, Identity):
        raise ValueError(
            "only a memory whose hidden activation is the identity is an RNN of one layer, got "
            f"{model.hidden_activation!r}"
        )
    kinds = {Tanh: "tanh", Relu: "relu", Identity: "identity"}
    feature = model.feature_activation
    if type(feature) not in kinds:
        raise ValueError(f"expected a feature activation of tanh, relu or the identity, got {feature!r}")
    gain = feature.gain if isinstance(feature, Tanh) else 1.0
    root, xi = math.sqrt(model.alpha_s), model.patterns.T
    inner = root * np.eye(model.memories) + model.alpha_c * model.beta_d * model.transitions.T
    return RNN(gain * root * xi @ inner @ xi.T, gain * np.eye(model.features), xi.T, kinds[type(feature)])
