import numpy as np
import pytest
from facelab_data.rendering import tone


def encoded(light, name, exposure=1.0):
    light = np.repeat(np.asarray(light, np.float32).reshape(1, -1, 1), 3, axis=2)
    out = np.empty(light.shape, np.uint8)
    tone.encode(light, exposure, tone.curve(name), out)
    return out[0, :, 0].astype(int)


def test_srgb_agrees_with_its_standard():
    assert encoded([0, 0.2140, 1.0, 5.0], "srgb").tolist() == [0, 127, 255, 255]


def test_linear_bytes_are_proportional():
    np.testing.assert_allclose(encoded(np.arange(11) / 10, "linear"), 25.5 * np.arange(11), atol=1)


@pytest.mark.parametrize("name", tone.CURVES)
def test_more_light_is_never_darker_and_exposure_multiplies_light(name):
    light = np.linspace(0, 4, 300)
    assert (np.diff(encoded(light, name)) >= 0).all()
    np.testing.assert_allclose(encoded(light / 2, name, 2.0), encoded(light, name), atol=1)


def test_the_soft_curve_keeps_highlights_apart_that_srgb_clips():
    assert np.diff(encoded([1.0, 1.5], "soft"))[0] > 0
    assert np.diff(encoded([1.0, 1.5], "srgb"))[0] == 0


def test_an_unknown_curve_is_refused():
    with pytest.raises(ValueError, match="'film'; there are soft, srgb, linear"):
        tone.curve("film")
