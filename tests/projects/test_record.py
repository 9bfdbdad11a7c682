import numpy as np

from projects import record


def test_text_becomes_text_and_numbers_stay():
    assert record.tidy(np.array(["a", "b"], dtype=object)).dtype.kind == "U"
    assert record.tidy(np.array([1.5])).dtype == float


def test_a_label_that_is_missing_is_empty_and_no_class_of_its_own():
    for missing in (np.nan, None):
        assert record.tidy(np.array(["a", missing], dtype=object)).tolist() == ["a", ""]
