import numpy as np
from facelab_data.rendering import noise
from facelab_data.rendering.eyes import eye_surface

LATTICE = noise.table()


def brightness(x, y, look):
    return sum(eye_surface((x, y, np.sqrt(1 - x * x - y * y)), look, LATTICE).colour)


def test_the_pupil_is_darker_than_the_iris_and_the_iris_than_the_white(look):
    pupil, iris, white = (brightness(x, 0.0, look) for x in (0.0, 0.35, 0.7))
    assert pupil < iris < white


def test_a_wider_pupil_darkens_what_was_iris(look):
    assert brightness(0.3, 0.0, look._replace(pupil_size=0.9)) < brightness(0.3, 0.0, look)


def test_the_upper_lid_shades_the_ball(look):
    straight = eye_surface((0.0, 0.0, 1.0), look, LATTICE)
    up = eye_surface((0.0, 0.5, 0.8), look, LATTICE)
    assert up.openness < straight.openness
