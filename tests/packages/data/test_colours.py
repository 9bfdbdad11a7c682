import numpy as np
import pytest
from facelab_data import colours


@pytest.mark.parametrize("scale", [colours.HAIR, colours.LIPSTICKS, colours.IRISES])
def test_a_scale_passes_through_its_own_colours(scale):
    for place, colour in enumerate(scale):
        np.testing.assert_allclose(colours.along(scale, place), colour, rtol=1e-12)


def test_beyond_its_ends_a_scale_stays():
    np.testing.assert_allclose(colours.along(colours.HAIR, -5), colours.HAIR[0])
    np.testing.assert_allclose(colours.along(colours.HAIR, 50), colours.HAIR[-1])


def test_wholly_red_hair_has_no_other_tone():
    for tone in (0, 2.5, 4):
        np.testing.assert_allclose(colours.hair(tone, 1), colours.RED_HAIR)


def test_lighter_hair_is_lighter_in_every_channel():
    shades = np.array([colours.hair(tone, 0) for tone in np.linspace(0, 4, 20)])
    assert (np.diff(shades, axis=0) > 0).all()


@pytest.mark.parametrize("mix", [colours.beard, colours.brows])
def test_beard_and_brows_are_never_lighter_than_the_hair_until_they_grey(mix):
    for tone in np.linspace(0, 4, 9):
        hair = colours.hair(tone, 0)
        assert (mix(hair, 0) <= hair).all()
    dark = colours.hair(0, 0)
    assert (mix(dark, 1) > mix(dark, 0)).all()


def test_the_hue_of_cloth_goes_once_around_and_never_leaves_what_light_can_be():
    np.testing.assert_allclose(colours.cloth(-9, 0), colours.cloth(9, 0), atol=1e-9)
    dyed = np.array([colours.cloth(h, light) for h in (-3, 0, 3) for light in (-9, 0, 9)])
    assert ((dyed > 0) & (dyed < 1)).all()


def test_the_hue_of_an_iris_shows_in_light_eyes_only():
    np.testing.assert_allclose(colours.iris(0, -2), colours.iris(0, 2))
    assert np.abs(colours.iris(3, -2) - colours.iris(3, 2)).max() > 0.03
    assert colours.iris(3, -9)[1] > max(colours.iris(3, -9)[[0, 2]])  # green
