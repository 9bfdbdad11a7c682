from facelab_viz.labels import GROUPS, LABELS, group_of, in_order, readable, titled, unit


def test_an_unknown_name_passes_through_and_the_callers_word_comes_first():
    assert readable("hat") == "hat"
    assert readable("rotation_y_deg") == "yaw"
    assert readable("rotation_y_deg", {"rotation_y_deg": "turn"}) == "turn"


def test_every_factor_of_a_group_has_a_word():
    assert {factor for group in GROUPS.values() for factor in group} <= set(LABELS)


def test_a_title_ends_in_the_unit_unless_the_caller_chose_the_words():
    assert titled("translation_z_mm") == "shift z (mm)"
    assert titled("translation_z_mm", {"translation_z_mm": "distance"}) == "distance"
    assert titled("expression") == "expression"
    assert unit("expression") == ""


def test_a_column_of_a_vector_factor_belongs_to_the_group_of_the_factor():
    assert group_of("albedo_003") == "identity"
    assert group_of("light_x_deg") == "light"
    assert group_of("hat_003") == "other"


def test_the_order_does_not_depend_on_that_of_the_table_and_the_unknown_come_last():
    names = ["background", "hat", "identity", "rotation_y_deg", "identity", "beard"]
    assert in_order(names) == ["identity", "rotation_y_deg", "background", "hat", "beard"]
