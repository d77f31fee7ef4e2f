"""Learning in Julia and in NumPy: the same steps."""

import numpy as np
import pytest

from sharpwave.memory import DSEM
from sharpwave.memory.learning import learn, untrained


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("features", [3, 50, 131])
def test_julia_and_numpy_learn_the_same(seed, features):
    rng = np.random.default_rng(seed)
    items = rng.standard_normal((3, features))
    model = untrained(items, hidden=7, seed=seed, alpha_c=0.7, tau_f=0.5)
    ours = learn(model, items, epochs=3, presentation=4.0, input_strength=0.3, backend="julia")
    reference = learn(model, items, epochs=3, presentation=4.0, input_strength=0.3, backend="numpy")
    np.testing.assert_allclose(ours.model.patterns, reference.model.patterns, rtol=0, atol=1e-10)
    np.testing.assert_allclose(ours.model.transitions, reference.model.transitions, rtol=0, atol=1e-10)
    np.testing.assert_allclose(ours.surprise, reference.surprise, rtol=1e-9)


def test_runaway_learning_is_an_error_that_says_what_to_change():
    items = np.random.default_rng(0).standard_normal((2, 10))
    model = DSEM(10 * np.eye(4, 10), None)
    with pytest.raises(ValueError, match="choose larger tau_patterns"), np.errstate(all="ignore"):
        learn(model, items, tau_patterns=1e-4, tau_transitions=1e-4, backend="julia")


def test_unknown_backend():
    items = np.eye(2, 10)
    with pytest.raises(ValueError, match="did you mean 'julia'"):
        learn(untrained(items), items, backend="Julia")
