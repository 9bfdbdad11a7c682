import numpy as np
import pytest
from facelab_data import morphable, strands
from facelab_data.hairstyles import STYLES

SEED = np.array([3.0, 14.0, 25.0])


@pytest.fixture(scope="module")
def model():
    return morphable.load()


def lay(model, style, recession=0.0):
    receded = np.full(len(model.root_azimuth), recession)
    return strands.lay(model, style, receded, SEED)


def test_a_receding_hairline_shortens_every_strand_alike(model):
    here, receded = lay(model, STYLES["short"]), lay(model, STYLES["short"], strands.POLAR_STEP_M)
    np.testing.assert_allclose(here.end - receded.end, 1)


def test_short_hair_does_not_fall_and_long_hair_falls_behind(model):
    assert not lay(model, STYLES["short"]).fall.any()
    fall = lay(model, STYLES["long"]).fall
    away = np.abs(model.root_azimuth)
    assert fall[away > 2].min() > 0
    assert fall[away < 0.5].max() == 0


def test_hair_is_as_thick_as_its_style_says_in_front_and_behind(model):
    style = STYLES["side parting"]._replace(parting=0.0)
    thickness, away = lay(model, style).thickness, np.abs(model.root_azimuth)
    np.testing.assert_allclose(thickness[away < 0.5], style.front)
    np.testing.assert_allclose(thickness[away > 2.6], style.back)


def test_the_front_recedes_at_the_front_and_the_temples_at_both_sides(model):
    signed = model.root_azimuth
    front, temples = strands.recession(model, 0.01, 0.0), strands.recession(model, 0.0, 0.01)
    assert abs(signed[front.argmax()]) < 0.1
    assert abs(abs(signed[temples.argmax()]) - 0.62) < 0.1
    assert not strands.recession(model, 0.0, 0.0).any()
    assert np.abs(strands.receding(signed) - strands.receding(-signed)).max() == 0
