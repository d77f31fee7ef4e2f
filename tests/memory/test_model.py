"""The specification: what is accepted, what is refused and with what words."""

from __future__ import annotations

import networkx
import numpy as np
import pytest

from sharpwave.memory import DSEM, GAMM, GSEMM, LISEM, RectifiedPolynomial, chain, cycle, transitions

PATTERNS = np.random.default_rng(0).choice([-1.0, 1.0], (3, 8))


def test_arrays_are_read_only_copies():
    patterns, phi = PATTERNS.copy(), cycle(3)
    model = DSEM(patterns, phi)
    patterns[:], phi[:] = 0, 0
    np.testing.assert_array_equal(model.patterns, PATTERNS)
    np.testing.assert_array_equal(model.transitions, cycle(3))
    for array in (model.patterns, model.transitions):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 5.0


@pytest.mark.parametrize("graph", ["edges", "lists", "directed", "undirected", "generator"])
def test_transitions_in_any_form(graph):
    weighted = [(0, 1, 2.0), (1, 2, 1.0)]
    expected = np.array([[0, 2.0, 0], [0, 0, 1.0], [0, 0, 0]])
    forms = {
        "edges": [(0, 1, 2.0), (1, 2)],
        "lists": expected.tolist(),
        "generator": transitions((edge for edge in weighted), 3),
        "directed": networkx.DiGraph(),
        "undirected": networkx.Graph(),
    }
    forms["directed"].add_edge(0, 1, weight=2.0)
    forms["directed"].add_edge(1, 2)
    forms["undirected"].add_weighted_edges_from(weighted)
    if graph == "undirected":
        expected = expected + expected.T
    np.testing.assert_array_equal(DSEM(PATTERNS, forms[graph]).transitions, expected)


def test_named_graphs():
    np.testing.assert_array_equal(cycle(4), np.roll(np.eye(4), 1, axis=1))
    np.testing.assert_array_equal(chain(4), np.eye(4, k=1))
    np.testing.assert_array_equal(cycle(1), [[1.0]])


@pytest.mark.parametrize(
    ("edges", "words"),
    [
        ([(0, 3)], r"names memory 3: expected integers from 0 to 2"),
        ([(-1, 0)], "names memory -1"),
        ([(0.5, 1)], r"names memory 0\.5"),
        ([(0, 1, 2, 3)], r"an edge is \(from, to\)"),
        (np.eye(4), r"transitions must be \(3, 3\) for 3 memories, got shape \(4, 4\)"),
        (np.full((3, 3), np.nan), "transitions must be finite"),
    ],
)
def test_bad_transitions(edges, words):
    with pytest.raises(ValueError, match=words):
        DSEM(PATTERNS, edges)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tau_d": -20.0}, r"tau_d must be positive, got -20\.0"),
        ({"tau_f": 0.0}, r"tau_f must be positive, got 0\.0"),
        ({"tau_h": -1.0}, r"tau_h must not be negative, got -1\.0"),
        ({"alpha_s": np.nan}, "alpha_s must be finite, got nan"),
        ({"alpha_c": -0.1}, r"alpha_c must not be negative"),
        ({"gain": 0.0}, r"gain must be positive, got 0\.0"),
    ],
)
def test_bad_constants(change, words):
    with pytest.raises(ValueError, match=words):
        DSEM(PATTERNS, cycle(3), **change)


@pytest.mark.parametrize("patterns", [np.zeros(3), np.zeros((0, 3)), np.zeros((2, 3, 4)), np.full((2, 2), np.inf)])
def test_bad_patterns(patterns):
    with pytest.raises(ValueError, match="patterns must be"):
        GAMM(patterns)


def test_members_of_the_family():
    assert (DSEM(PATTERNS, None).feature_activation.name, DSEM(PATTERNS, None).hidden_activation.name) == (
        "identity",
        "softmax",
    )
    assert DSEM(PATTERNS, None, power=3).hidden_activation == RectifiedPolynomial(3)
    lisem = LISEM(PATTERNS, cycle(3), gain=2.0)
    assert (lisem.feature_activation.name, lisem.feature_activation.parameter) == ("tanh", 2.0)
    assert lisem.hidden_activation.name == "identity"
    static = GAMM(PATTERNS, feature_activation="tanh", hidden_activation="relu")
    assert static.alpha_c == 0
    assert not static.transitions.any()
    with pytest.raises(ValueError, match="unknown activation 'thanh': did you mean 'tanh'"):
        GSEMM(PATTERNS, None, "thanh", "identity")


def test_models_are_frozen():
    with pytest.raises(AttributeError):
        DSEM(PATTERNS, None).alpha_s = 2.0
