"""MNIST and Fashion-MNIST images, one of each class, learned online and recalled in order."""

from __future__ import annotations

import numpy as np
import pytest

from sharpwave.data import DataUnavailableError, load
from sharpwave.memory import Decorrelation, learn, untrained


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_ten_images_are_learned_and_recalled_in_order(name):
    try:
        images = load(name)
    except DataUnavailableError as error:
        pytest.skip(f"{name} cannot be had here: {error}")
    decorrelation = Decorrelation.fit(images.train_images[:10_000])
    rng = np.random.default_rng(0)
    chosen = [int(rng.choice(np.flatnonzero(images.train_labels == k))) for k in range(10)]
    items = decorrelation.encode(images.train_images[chosen])
    memory = learn(untrained(items, seed=0), items)
    result = memory.recall(backend="torch")
    assert memory.in_order(result)
    # what is recalled looks like the images
    visits = memory.visits(result)[:10]
    recalled = decorrelation.decode(result.features_at([0.3 * v.enter + 0.7 * v.leave for v in visits]).values)
    wanted = images.train_images[chosen].reshape(10, -1) - decorrelation.mean
    cosines = (recalled * wanted).sum(1) / np.linalg.norm(recalled, axis=1) / np.linalg.norm(wanted, axis=1)
    assert cosines.min() > 0.9
