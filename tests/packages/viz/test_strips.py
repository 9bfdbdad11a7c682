import numpy as np
import pytest
from facelab_viz.strips import PAD, Sitter, field, heat, resample, strip, strips, whole

TILE = 8


def sitter(rng, k=3, **values):
    usual = {
        "images": rng.integers(1, 256, (k, 8, 8, 3), dtype=np.uint8),
        "maps": rng.random((k, 16, 16)),
        "segments": np.zeros((k, 16, 16), dtype=bool),
        "picture": np.pad(np.ones((5, 5)), 8),
        "mask": np.pad(np.ones((5, 5), dtype=bool), 8),
        "theoretical_px": 11.0,
        "caption": "unit 3",
    }
    return Sitter(**(usual | values))


def test_a_strip_shows_each_image_its_map_and_its_segment_in_one_column(rng):
    one = sitter(rng)
    one.segments[1, :8] = True
    pixels, step = strip(one, TILE), TILE + PAD
    assert pixels.shape == (3 * TILE + 2 * PAD, 3 * TILE + 2 * PAD, 3)
    assert np.array_equal(pixels[:TILE, step : step + TILE], one.images[1])
    third = pixels[2 * step :, step : step + TILE]
    assert np.array_equal(third[:4], one.images[1, :4])
    assert (third[4:] < one.images[1, 4:]).all()


def test_a_map_is_dark_where_nothing_is_lost_and_brightest_at_its_peak():
    values = np.array([[[-1.0, 0.0], [1.0, 2.0]], [[0, 0], [0, 0]]])
    shown = heat(values).astype(int).sum(axis=-1)
    assert shown[0, 0, 0] == shown[0, 0, 1] == shown[1].max()
    assert shown[0, 1, 1] > shown[0, 1, 0] > shown[0, 0, 0]


def test_resampling_takes_pixels_as_they_are(rng):
    pictures = rng.integers(0, 256, (2, 6, 4, 3), dtype=np.uint8)
    assert np.array_equal(resample(pictures, 6, 4), pictures)
    assert np.array_equal(resample(pictures, 12, 8)[:, ::2, ::2], pictures)
    assert np.array_equal(resample(pictures, 12, 8)[:, 1::2, 1::2], pictures)


def test_a_field_is_framed_by_its_area_and_by_the_theoretical_one(rng):
    picture = field(sitter(rng), 210)
    white = (picture == 255).all(axis=-1)
    rows = np.flatnonzero(white.any(axis=1))
    assert (rows[0], rows[-1]) == (80, 129)
    assert not white[90:120, 90:120].any()
    frame = np.flatnonzero((picture[105] == (110, 200, 255)).all(axis=-1))
    assert frame.tolist() == [50, 159]


def test_the_field_stands_beside_the_strip_as_high(rng):
    one = sitter(rng)
    height, width, _ = strip(one, TILE).shape
    assert whole(one, TILE).shape == (height, width + 3 * PAD + height, 3)


def test_one_strip_per_unit_with_its_caption(rng):
    fig = strips([sitter(rng, caption=f"unit {i}") for i in range(3)], tile_px=TILE)
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["unit 0", "unit 1", "unit 2"]
    with pytest.raises(ValueError, match="no unit to draw"):
        strips([], tile_px=TILE)


def test_maps_without_images_are_refused(rng):
    with pytest.raises(ValueError, match=r"as many maps and segments as images.*\[3, 2, 3\]"):
        strip(sitter(rng, maps=np.ones((2, 16, 16))), TILE)
