import numpy as np
from facelab_data.rendering.hair import hair_opacity, lash_opacity, pigment


def test_hair_is_opaque_at_the_root_and_gone_at_the_tip():
    places = np.linspace(0.01, 0.99, 40)
    roots = [hair_opacity(x, 0.0, 0.5, 1.0) for x in places]
    tips = [hair_opacity(x, 1.0, 0.5, 1.0) for x in places]
    assert min(roots) > 0.99
    assert np.mean(tips) < 0.25


def test_ragged_hair_ends_sooner():
    def covered(raggedness):
        return np.mean([hair_opacity(x, 0.9, raggedness, 1.0) for x in np.linspace(0, 1, 60)])

    assert covered(0.8) < covered(0.1)


def test_upper_lashes_are_longer_than_lower_ones():
    upper = np.mean([lash_opacity(100.5 + x, 0.25) for x in range(30)])
    lower = np.mean([lash_opacity(0.5 + x, 0.25) for x in range(30)])
    assert upper > lower


def test_hair_turns_grey_with_its_share(look):
    def brightness(grey):
        dark = look._replace(grey=grey, hair_r=0.02, hair_g=0.02, hair_b=0.02)
        return np.mean([pigment(dark, x, 1.0) for x in np.linspace(0, 1, 50)])

    assert brightness(0.0) < brightness(0.5) < brightness(1.0)
