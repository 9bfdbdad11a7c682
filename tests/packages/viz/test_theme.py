import matplotlib as mpl
import pytest
from facelab_viz.theme import GREY, INCH_MM, NETWORK_COLOURS, apply, figure, styles


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
