from facelab_data.rendering.mouth import UPPER_ENDS, across_tooth, tooth_surface
from facelab_data.rendering.scene import TEETH_LOWER, TEETH_UPPER


def test_a_tooth_runs_from_minus_one_to_one():
    assert across_tooth(0.0, UPPER_ENDS) == -1
    assert abs(across_tooth(UPPER_ENDS[0] / 2, UPPER_ENDS)) < 1e-12


def test_teeth_are_symmetric_and_gaps_dark(look):
    left, right = (tooth_surface((x, -0.45, 0.5), TEETH_UPPER, look).colour for x in (-0.1, 0.1))
    assert left == right
    middle, gap = (
        tooth_surface((x, -0.45, 0.5), TEETH_UPPER, look).colour[0] for x in (0.043, 0.0859)
    )
    assert gap < 0.8 * middle


def test_gums_are_redder_than_teeth(look):
    for part, gum, tooth in [(TEETH_UPPER, -0.36, -0.45), (TEETH_LOWER, -0.55, -0.45)]:
        pink, white = (tooth_surface((0.03, y, 0.5), part, look).colour for y in (gum, tooth))
        assert pink[0] / pink[1] > 1.5 * white[0] / white[1]
