import pytest
from facelab_data.sources.kdef import read

NAMES = ["AF01/AF01ANS.JPG", "BF01/BF01HAFL.JPG", "AM01/AM01AFHR.JPG", "AM35/AM35SUS.JPG"]


@pytest.mark.parametrize("root", ["KDEF_and_AKDEF/KDEF", "KDEF", "."])
def test_names_are_labels(put, ask, root):
    put(*(f"{root}/{name}" for name in NAMES))
    table = read(ask("kdef")).set_index("file")
    assert len(table) == 4
    prefix = "" if root == "." else f"{root}/"
    rows = {name: tuple(table.loc[f"{prefix}{name}"]) for name in NAMES}
    assert table.columns.tolist() == ["identity", "gender", "expression", "angle", "session"]
    assert rows == {
        NAMES[0]: ("F01", "female", "anger", "S", "A"),
        NAMES[1]: ("F01", "female", "happy", "FL", "B"),
        NAMES[2]: ("M01", "male", "fear", "HR", "A"),
        NAMES[3]: ("M35", "male", "surprise", "S", "A"),
    }


def test_averages_and_names_cut_short_are_left_out(put, ask):
    put("KDEF_and_AKDEF/KDEF/AF01/AF01ANS.JPG", "KDEF_and_AKDEF/KDEF/AM31/AM31H.JPG")
    put("KDEF_and_AKDEF/AKDEF/AFAFS.JPG")
    assert read(ask("kdef"))["file"].tolist() == ["KDEF_and_AKDEF/KDEF/AF01/AF01ANS.JPG"]


def test_other_names_are_refused_and_the_place_is_named(put, ask):
    put("KDEF/anne.jpg")
    with pytest.raises(ValueError, match=r"no image with a name like AF01ANS.JPG; KDEF is at"):
        read(ask("kdef"))


def test_the_same_code_twice_is_refused(put, ask):
    put("KDEF/AF01/AF01ANS.JPG", "KDEF/copy/af01ans.jpg")
    with pytest.raises(ValueError, match="holds AF01ANS twice"):
        read(ask("kdef"))
