import os
import subprocess
import sys
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from facelab_viz.theme import CYCLE, GREY, INCH_MM, NETWORK_COLOURS, apply, figure, styles


def test_the_style_is_lent_and_given_back_even_after_an_error():
    with mpl.rc_context():
        mpl.rcParams["font.size"] = 11.0
        with pytest.raises(KeyError), apply():
            assert mpl.rcParams["font.size"] == 7.0
            raise KeyError
        assert mpl.rcParams["font.size"] == 11.0


def test_a_figure_has_the_size_asked_for_in_millimetres():
    assert figure(88, 60).get_size_inches() * INCH_MM == pytest.approx([88, 60])


def test_a_network_keeps_its_colour_whoever_else_is_drawn():
    alone = styles(["factors"], "network")["factors"]["color"]
    together = styles(["untrained", "identity", "mine", "factors"], "network")
    assert together["factors"]["color"] == alone == NETWORK_COLOURS["factors"]
    assert together["mine"]["color"] not in {together[n]["color"] for n in ("identity", "factors")}


def test_what_is_untrained_is_grey_and_dashed_and_still_told_apart():
    look = styles(["identity", "untrained", "identity untrained"], "network")
    first, second = look["untrained"], look["identity untrained"]
    assert first["color"] == second["color"] == GREY
    assert first["linestyle"] != look["identity"]["linestyle"]
    assert first["marker"] != second["marker"]


def test_factors_of_a_group_share_a_colour_and_differ_in_dash_and_marker():
    look = styles(["identity", "gender", "background"], "factor")
    assert look["identity"]["color"] == look["gender"]["color"] != look["background"]["color"]
    assert look["identity"]["linestyle"] != look["gender"]["linestyle"]
    assert look["identity"]["marker"] != look["gender"]["marker"]


# Machado, Oliveira & Fernandes 2009, severity 1: what a dichromat sees, in linear RGB.
SIGHT = {
    "full": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def as_seen(colour, sight):
    """Give a colour's place in CIELAB (D65) as such an eye sees it."""
    rgb = np.array(mpl.colors.to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(SIGHT[sight]) @ linear, 0, 1)
    x, y, z = np.cbrt(np.array(TO_XYZ) @ seen / [0.9505, 1.0, 1.089])
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("sight", SIGHT)
def test_every_eye_can_tell_the_colours_apart(sight):
    places = [as_seen(colour, sight) for colour in {*CYCLE, GREY}]
    assert min(np.linalg.norm(a - b) for a, b in combinations(places, 2)) > 15


def test_red_and_green_of_one_lightness_would_not_pass():
    red, green = (as_seen(colour, "deuteranopia") for colour in ("#b35a00", "#6f7d00"))
    assert np.linalg.norm(red - green) < 15


def test_drawing_never_wakes_pyplot():
    """In a process of its own: another test may have imported it."""
    modules = "curves, labels, lines, matrices, panels, pictures, tables, theme, tuning"
    code = (
        f"import sys; from facelab_viz import {modules}; print('matplotlib.pyplot' in sys.modules)"
    )
    paths = os.pathsep.join(sys.path)
    command = [sys.executable, "-c", code]
    ran = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "False"
