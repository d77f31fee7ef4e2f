"""Figures of spiking networks: that what is drawn is what was given, where it belongs."""

from __future__ import annotations

import io

import numpy as np
import pytest

from sharpwave.spiking import AllActivity, Spikes, plot_assignments, plot_filters, plot_raster


def drawn(figure):
    """The figure as PNG: everything is laid out and drawn."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def test_a_raster_shows_the_spikes_of_one_example_in_ms():
    layer = Spikes([0, 1, 1], [3, 2, 8], [0, 1, 4], examples=2, steps=10, units=5, dt=0.5)
    silent = Spikes([], [], [], examples=2, steps=10, units=700, dt=0.5)
    figure = plot_raster({"layer": layer, "other": silent}, example=1)
    above, below = figure.axes
    (line,) = above.lines
    np.testing.assert_array_equal(line.get_xdata(), [1.0, 4.0])
    np.testing.assert_array_equal(line.get_ydata(), [1, 4])
    assert above.get_ylim() == (4.5, -0.5)
    assert (above.get_ylabel(), below.get_ylabel(), below.get_xlabel()) == ("layer unit", "other unit", "time (ms)")
    assert (above.get_title("right"), below.get_title("right")) == ("2 spikes", "0 spikes")
    assert drawn(figure)


def test_many_spikes_are_drawn_as_an_image():
    many = Spikes.from_dense(np.ones((1, 50, 500), dtype=int), dt=1.0)
    assert plot_raster({"layer": many}).axes[0].lines[0].get_rasterized()


@pytest.mark.parametrize(("example", "error"), [(2, IndexError), (-1, IndexError)])
def test_a_raster_of_no_example(example, error):
    layer = Spikes([], [], [], examples=2, steps=10, units=5, dt=0.5)
    with pytest.raises(error, match="example must be from 0 to 1 of layer"):
        plot_raster({"layer": layer}, example)
    with pytest.raises(ValueError, match="at least one population"):
        plot_raster({})


def picture(figure):
    return np.ma.filled(figure.axes[0].images[0].get_array(), np.nan)


def test_filters_of_a_dense_layer_are_tiles_row_by_row():
    weights = np.random.default_rng(0).random((12, 5))
    figure = plot_filters(weights, image_shape=(3, 4))
    image = picture(figure)
    assert image.shape == (2 * 4 - 1, 3 * 5 - 1)  # two rows of three tiles, a pixel between them
    np.testing.assert_array_equal(image[4:7, 5:9], weights[:, 4].reshape(3, 4))  # the fifth: second row, second column
    assert np.isnan(image[3]).all()
    assert np.isnan(image[4:, 10:]).all()  # there is no sixth
    assert drawn(figure)


def test_filters_of_windows_are_where_the_windows_are():
    weights = np.random.default_rng(0).random((6, 4, 3))
    image = picture(plot_filters(weights, grid=(2, 3)))
    tile = 2 * 3 - 1, 3 * 3 - 1
    # Filter 1 is the second tile, four pixels from the first; its position 5 is the lower right window.
    window = image[: tile[0], tile[1] + 4 : 2 * tile[1] + 4][3:5, 6:8]
    np.testing.assert_array_equal(window, weights[5, :, 1].reshape(2, 2))


def test_no_more_filters_than_the_limit():
    figure = plot_filters(np.random.default_rng(0).random((4, 50)), limit=9)
    assert figure.axes[0].get_title("left") == "9 of 50 units"
    assert picture(figure).shape == (3 * 3 - 1, 3 * 3 - 1)


@pytest.mark.parametrize(
    ("given", "settings", "message"),
    [
        (np.zeros(5), {}, "weights must be"),
        (np.zeros((10, 3)), {}, "image_shape must be rows and columns of 10"),
        (np.zeros((6, 4, 3)), {}, "grid must be rows and columns of 6"),
        (np.zeros((6, 4, 3)), {"grid": (2, 2)}, "grid must be rows and columns of 6"),
        (np.zeros((9, 3)), {"limit": 0}, "limit at least 1"),
    ],
)
def test_weights_that_are_no_filters(given, settings, message):
    with pytest.raises(ValueError, match=message):
        plot_filters(given, **settings)


def test_assignments_are_arranged_like_filters():
    # Two filters at 1 x 2 positions: units are numbered by position, then filter.
    figure = plot_assignments([0, 2, 1, -1], ["a", "b", "c"], grid=(1, 2))
    np.testing.assert_array_equal(picture(figure), [[0, 1, 2, -1]])
    assert sorted(text.get_text() for text in figure.axes[0].texts) == ["a", "b", "c"]
    assert drawn(figure)


def test_bars_count_the_units_of_each_class_and_those_of_none():
    layer = Spikes.from_dense([[[3, 0, 1, 0]], [[0, 2, 2, 0]]], dt=1.0)
    readout = AllActivity(classes=3).partial_fit(layer, [0, 2])
    figure = plot_assignments(readout, ["cat", "dog", "emu"])
    bars = figure.axes[1]
    assert [bar.get_width() for bar in bars.patches] == [1, 0, 2, 1]
    assert [label.get_text() for label in bars.get_yticklabels()] == ["cat", "dog", "emu", "none"]
    colors = [bar.get_facecolor() for bar in bars.patches]
    assert len(set(colors)) == 4
    # A cell has the colour of its class's bar.
    image = figure.axes[0].images[0]
    assert image.cmap(image.norm(2.0)) == colors[2]
    assert image.cmap(image.norm(-1.0)) == colors[3]


@pytest.mark.parametrize("classes", [1, 2, 12, 30])
def test_any_number_of_classes(classes):
    assert drawn(plot_assignments(np.arange(classes)))


@pytest.mark.parametrize(
    ("given", "names", "grid", "message"),
    [
        ([0.5], None, None, "assignments must be whole numbers"),
        ([-2], None, None, "assignments must be whole numbers"),
        ([0, 3], ["a", "b"], None, "a unit of class 3, but names of 2 classes"),
        ([0, 1, 0], None, (1, 2), "3 units are no multiple of 1 x 2 positions"),
    ],
)
def test_assignments_that_are_none(given, names, grid, message):
    with pytest.raises(ValueError, match=message):
        plot_assignments(given, names, grid)
