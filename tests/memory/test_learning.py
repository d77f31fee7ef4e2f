"""Online learning: the rule, and sequences recalled in exact order."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from sharpwave.memory import GSEMM, Decorrelation, chain, learn, learning_step, untrained
from sharpwave.memory.learning import LearningRates, LearningState


@pytest.mark.parametrize("hidden_activation", ["softmax", "identity", "rectified-polynomial"])
def test_the_rule_is_the_gradient_of_clamped_minus_free_energy(hidden_activation):
    """Minus the derivatives of E(clamped) - E(free) in Xi and Phi at fixed activities, by automatic differentiation."""
    rng = np.random.default_rng(0)
    K, N, a_s, a_c, root = 4, 6, 0.6, 1.7, 0.6**0.5
    model = GSEMM(rng.normal(size=(K, N)), rng.normal(size=(K, K)), "tanh", hidden_activation, a_s, a_c)
    f, d, item = rng.normal(size=(3, N))
    rates = LearningRates(tau_patterns=3.0, tau_transitions=7.0, input_strength=0.5, dt=0.1)
    before = LearningState(f, d, model.patterns, model.transitions)
    after, _ = learning_step(model, before, item, rates)

    s_f, s_h = model.feature_activation, model.hidden_activation
    free = s_h(root * model.patterns @ s_f(f) + a_c * model.transitions.T @ (model.patterns @ d))
    clamped = s_h(root * model.patterns @ item)
    xi, phi = (torch.tensor(x, requires_grad=True) for x in (model.patterns.T.copy(), model.transitions.copy()))

    def coupling(features, hidden):
        """The terms of the energy in which Xi and Phi stand."""
        x, h = torch.from_numpy(features), torch.from_numpy(hidden)
        return -root * x @ xi @ h - a_c * torch.from_numpy(d) @ xi @ phi @ h

    (coupling(item, clamped) - coupling(s_f(f), free)).backward()
    np.testing.assert_allclose(after.patterns - before.patterns, -0.1 / 3.0 * xi.grad.numpy().T, rtol=1e-10)
    np.testing.assert_allclose(after.transitions - before.transitions, -0.1 / 7.0 * phi.grad.numpy(), rtol=1e-10)
    # the network itself moves by the equations of recall, from the same state
    drive = root * free @ model.patterns + 0.5 * item
    np.testing.assert_allclose(after.features, f + 0.1 / model.tau_f * (drive - f), rtol=1e-12)
    np.testing.assert_allclose(after.delayed, d + 0.1 / model.tau_d * (model.beta_d * s_f(f) - d), rtol=1e-12)


@pytest.mark.parametrize("seed", range(3))
def test_a_learned_sequence_is_recalled_in_exact_order(seed):
    """The source's setting: N = 50, 10 patterns, 20 hidden units."""
    items = np.random.default_rng(100 + seed).choice([-1.0, 1.0], (10, 50))
    start = untrained(items, seed=seed)
    memory = learn(start, items)
    result = memory.recall(backend="torch")
    assert memory.in_order(result)
    assert min(visit.peak_overlap for visit in memory.visits(result)[:10]) > 0.95
    # what was learned did it: the start recalls no item after the cue
    before = start.recall(items[0], 500.0, backend="torch")
    assert {visit.memory for visit in memory.visits(before)} <= {0}


def test_the_order_is_that_of_the_sequence():
    """The same items in the opposite order give the opposite recall."""
    items = np.random.default_rng(5).choice([-1.0, 1.0], (5, 100))
    for sequence in (items, items[::-1]):
        memory = learn(untrained(sequence, seed=1), sequence)
        overlaps = memory.recall(backend="torch").overlaps_with(items).values.argmax(1)
        visited = list(dict.fromkeys(overlaps.tolist()))  # each once, in order of first appearance
        assert visited == ([0, 1, 2, 3, 4] if sequence is items else [4, 3, 2, 1, 0])


def test_hidden_units_are_numbered_like_the_items():
    items = np.random.default_rng(3).choice([-1.0, 1.0], (5, 50))
    memory = learn(untrained(items, seed=2), items)
    cosines = memory.model.patterns[:5] @ items.T / np.linalg.norm(memory.model.patterns[:5], axis=1)[:, None] / 50**0.5
    np.testing.assert_array_equal(cosines.argmax(1), range(5))
    assert cosines.diagonal().min() > 0.95
    phi = memory.model.transitions[:5, :5]
    assert (phi[chain(5) > 0] > 0.4).all()
    assert phi[chain(5) > 0].min() > np.abs(phi[(chain(5) + np.eye(5)) == 0]).max()


def test_real_images_are_learned_and_recalled_in_order():
    """Ten digits of ten classes, 8x8, which come with scikit-learn. Measured over 20 sets: 18."""
    from sharpwave.data import load

    digits = load("digits")
    decorrelation = Decorrelation.fit(digits.train_images)
    recalled = 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        chosen = [int(rng.choice(np.flatnonzero(digits.train_labels == k))) for k in range(10)]
        items = decorrelation.encode(digits.train_images[chosen])
        memory = learn(untrained(items, seed=seed), items)
        recalled += memory.in_order(memory.recall(backend="torch"))
    assert recalled >= 4


def test_the_same_seed_gives_the_same_memory():
    items = np.random.default_rng(3).choice([-1.0, 1.0], (3, 20))
    first, second = (learn(untrained(items, hidden=6, seed=4), items, epochs=2) for _ in range(2))
    np.testing.assert_array_equal(first.model.patterns, second.model.patterns)
    np.testing.assert_array_equal(first.surprise, second.surprise)
    other = learn(untrained(items, hidden=6, seed=5), items, epochs=2)
    assert not np.array_equal(first.model.patterns, other.model.patterns)


def test_scale_of_items_and_unit_of_time_do_not_matter():
    items = np.random.default_rng(3).choice([-1.0, 1.0], (3, 20))
    plain = learn(untrained(items, hidden=6), items, epochs=3)
    scaled = learn(untrained(0.1 * items, hidden=6, tau_f=0.005), 0.1 * items, epochs=3)
    np.testing.assert_allclose(scaled.model.patterns, 0.1 * plain.model.patterns, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(scaled.model.transitions, plain.model.transitions, rtol=1e-9, atol=1e-12)


def test_decorrelation_goes_back_and_takes_correlations_out():
    rng = np.random.default_rng(0)
    mixing = rng.normal(size=(12, 12))
    images = rng.normal(size=(4000, 12)) @ mixing + rng.normal(size=12)
    map_ = Decorrelation.fit(images, floor=1e-9)
    features = (images - map_.mean) @ map_.forward
    np.testing.assert_allclose(np.cov(features, rowvar=False), np.eye(12), atol=1e-5)
    np.testing.assert_allclose(map_.decode(features) + map_.mean, images, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(np.linalg.norm(map_.encode(images[:5].reshape(5, 3, 4)), axis=1), 1.0)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"input_strength": 1.0}, r"input_strength must be above 0 and below 1, got 1\.0"),
        ({"dt": -0.1}, r"dt must be positive, got -0\.1"),
        ({"tau_patterns": 0.0}, r"tau_patterns must be positive, got 0\.0"),
        ({"sequence": np.ones((2, 3))}, "items must have 8 features, got 3"),
        ({"sequence": np.ones(8)}, r"\(items, features\), got shape \(8,\)"),
    ],
)
def test_bad_arguments(change, words):
    options = {"sequence": np.ones((2, 8)), **change}
    with pytest.raises(ValueError, match=words):
        learn(untrained(np.ones((2, 8)), hidden=3), **options)


def test_finite_hidden_time_constants_are_refused():
    with pytest.raises(ValueError, match=r"tau_h must be 0, got 0\.1"):
        learn(GSEMM(np.ones((2, 3)), None, "identity", "softmax", tau_h=0.1), np.ones((2, 3)))
