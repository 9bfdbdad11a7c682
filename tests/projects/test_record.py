import numpy as np

from projects import record


def test_text_becomes_text_and_numbers_stay():
    assert record.tidy(np.array(["a", "b"], dtype=object)).dtype.kind == "U"
    assert record.tidy(np.array([1.5])).dtype == float
