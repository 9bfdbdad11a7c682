import numpy as np
import pytest
from facelab_data.rendering import noise, skin

LATTICE = noise.table()
NO_MOLES = np.array([[9.0, 9.0, 0.01, 0.0]], np.float32)
BARE = skin.Skin((0.2, -0.1, 0.6), 0.2, 0.3, -1.0, 0.0, 0.0, -1.0, 0.2, 0.0, 0.0)


def colour(at, look, moles=NO_MOLES):
    return skin.skin_surface(at, look, moles, LATTICE, skin.detail(0.001)).colour


def test_melanin_darkens_and_haemoglobin_reddens():
    pale, tanned, flushed = (skin.absorbed(*p, 0.0) for p in [(0.1, 0.2), (0.8, 0.2), (0.1, 0.9)])
    assert sum(tanned) < sum(pale)
    assert flushed[0] / flushed[1] > pale[0] / pale[1]


def test_a_mole_is_dark_where_it_is(look):
    mole = np.array([[0.2, -0.1, 0.02, 0.5]], np.float32)
    assert sum(colour(BARE, look, mole)) < 0.9 * sum(colour(BARE, look))
    away = BARE._replace(place=(-0.2, -0.1, 0.6))
    assert colour(away, look, mole) == colour(away, look)


def test_the_brow_has_hair_and_the_cheek_has_none(look):
    ridge = look._replace(brow_arch=0.0, brow_slope=0.0, brow_thickness=0.04)
    assert skin.brow((0.25, 0.3, 0.6), ridge, LATTICE) > 0.4
    assert skin.brow((0.25, -0.2, 0.6), ridge, LATTICE) == 0


def test_lips_are_redder_and_cloth_has_its_own_colour(look):
    lips = BARE._replace(lips=1.0)
    red = look._replace(lip_haemoglobin=1.5, lipstick=0.0)
    assert colour(lips, red)[0] / colour(lips, red)[1] > colour(BARE, red)[0] / colour(BARE, red)[1]
    green = look._replace(cloth_r=0.0, cloth_g=0.5, cloth_b=0.0)
    assert np.argmax(colour(BARE._replace(cloth=0.02), green)) == 1


@pytest.mark.parametrize(("pixel_m", "fine", "medium"), [(0.01, 0, 0), (0.0001, 1, 1)])
def test_grains_smaller_than_a_pixel_are_not_shown(pixel_m, fine, medium):
    assert skin.detail(pixel_m) == (medium, fine)
