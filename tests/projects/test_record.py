import numpy as np
import pytest

from projects import record


@pytest.fixture
def folder(tmp_path):
    for epoch in (0.0, 0.25, 20.0):
        (tmp_path / f"epoch-{epoch:08.3f}.pt").touch()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "found"), [("first", "0000.000"), ("last", "0020.000"), ("0.250", "0000.250")]
)
def test_a_checkpoint_is_found_by_its_name(folder, name, found):
    assert record.choose(folder, name).stem == f"epoch-{found}"


def test_a_checkpoint_that_is_not_there_is_named_beside_those_that_are(folder):
    with pytest.raises(ValueError, match=r"unknown checkpoint '7'; choose from first, last"):
        record.choose(folder, "7")


def test_text_becomes_text_and_numbers_stay():
    assert record.tidy(np.array(["a", "b"], dtype=object)).dtype.kind == "U"
    assert record.tidy(np.array([1.5])).dtype == float


def test_a_label_that_is_missing_is_empty_and_no_class_of_its_own():
    for missing in (np.nan, None):
        assert record.tidy(np.array(["a", missing], dtype=object)).tolist() == ["a", ""]
