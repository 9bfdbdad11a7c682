import numpy as np
import pytest
from facelab_data.hairstyles import STYLES, choose, cut


def test_all_styles_are_equally_likely(rng):
    counts = np.bincount(choose(rng.standard_normal(60_000)), minlength=len(STYLES))
    assert len(counts) == len(STYLES)
    np.testing.assert_allclose(counts / 60_000, 1 / len(STYLES), atol=0.005)


def test_a_greater_coefficient_never_chooses_an_earlier_style():
    chosen = choose(np.linspace(-40, 40, 5001))
    assert set(np.diff(chosen)) <= {0, 1, *range(len(STYLES))}
    assert (np.diff(chosen) >= 0).all()
    assert (chosen[0], chosen[-1]) == (0, len(STYLES) - 1)


def test_usual_length_and_volume_leave_the_style_as_it_is():
    assert cut(0.0, 0.0, 0.0) == list(STYLES.values())[int(choose(np.array(0.0)))]


def test_length_changes_how_far_hair_falls_and_volume_how_thick_it_lies():
    plain, longer, fuller = cut(0.5, 0, 0), cut(9, 1, 0), cut(0.5, 0, 1)
    assert longer.fall > cut(9, 0, 0).fall
    assert longer._replace(fall=0, fringe=0) == cut(9, 0, 0)._replace(fall=0, fringe=0)
    assert fuller.top > plain.top
    flat = {"top": 0, "front": 0, "side": 0, "back": 0}
    assert fuller._replace(**flat) == plain._replace(**flat)


@pytest.mark.parametrize("name", STYLES)
def test_styles_are_in_range(name):
    style = STYLES[name]
    assert all(getattr(style, place) < 0.1 for place in ("top", "front", "side", "back"))
    assert all(0 <= getattr(style, share) <= 1 for share in ("curl", "round", "stubble"))
