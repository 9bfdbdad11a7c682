import numpy as np
import pytest
from facelab_data import expressions, morphable
from facelab_data.expressions import EXPRESSIONS

MODEL = morphable.load()


def test_the_neutral_face_does_not_move():
    assert not expressions.offsets(MODEL, "neutral").any()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_use_the_face_within_its_range(name):
    expression = EXPRESSIONS[name]
    assert all(0 < strength <= 1 for strength in expression.actions.values())
    assert 0 <= expression.mouth_opening <= 1
    moved = expressions.offsets(MODEL, name)
    assert np.linalg.norm(moved, axis=1).max() < 0.04
    left_right = moved[MODEL.mirror] * np.float32([-1, 1, 1])
    np.testing.assert_allclose(left_right, moved, atol=1.5e-3)


def test_no_expression_is_a_weaker_form_of_another():
    moves = [expressions.offsets(MODEL, name).ravel() for name in EXPRESSIONS if name != "neutral"]
    alike = np.corrcoef(moves) - np.eye(len(moves))
    assert alike.max() < 0.9


def test_an_unknown_expression_is_refused_in_one_line():
    with pytest.raises(ValueError, match="unknown expression 'bored'; choose from neutral, happy"):
        expressions.expression("bored")


def test_half_an_expression_moves_the_face_half_as_far():
    whole, half = (expressions.offsets(MODEL, "fear", amplitude) for amplitude in (1.0, 0.5))
    np.testing.assert_allclose(half, whole / 2, atol=1e-8)
    with pytest.raises(ValueError, match="amplitude is 2; needed is 0 to 1"):
        expressions.offsets(MODEL, "fear", 2)
