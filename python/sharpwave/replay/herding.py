"""Examples that stand for their classes: with each, their mean comes as near to that of the class as it can."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .stores import ClassBalanced


def herded(features: NDArray[Any], number: int) -> NDArray[np.int64]:
    """Places of so many examples, in order: with each, the mean of those so far comes as near to that of all as it can.

    Args:
        features: (examples, features).
        number: of places; no more than there are examples.

    Source:
        Welling, Herding dynamical weights, ICML 2009, as in iCaRL.

    Example:
        >>> herded(np.array([[0.0], [1.0], [5.0], [2.0]]), 3).tolist()
        [3, 1, 2]
    """
    features = np.asarray(features, dtype=np.float64)
    wanted, so_far = features.mean(axis=0), np.zeros(features.shape[1])
    free, found = np.ones(len(features), dtype=bool), np.zeros(min(number, len(features)), dtype=np.int64)
    squares = (features**2).sum(axis=1)
    for k in range(len(found)):
        # |wanted - (so_far + f) / (k + 1)|^2 but for what is the same of all
        left = (k + 1) * wanted - so_far
        away = squares - 2 * (features @ left)
        away[~free] = np.inf
        found[k] = away.argmin()
        free[found[k]] = False
        so_far += features[found[k]]
    return found


class Herding(ClassBalanced):
    """Of each class as many examples as there is room for if all classes have the same number, the herded ones.

    They are chosen after a task by activities of the last hidden layer, of length 1; see `herded`.

    Example:
        >>> from sharpwave.replay import ExperienceReplay
        >>> ExperienceReplay(100_000, Herding()).policy.most is None
        True
    """
