import pytest
from facelab_data.sources.vggface2 import read

META = (
    "Class_ID, Name, Sample_Num, Flag, Gender\n"
    'n000001, "14th_Dalai_Lama", 424, 0, m\n'
    'n000002, "A_Fine_Frenzy", 315, 1, f\n'
    'n000009, "Doe,_Jane", 100, 1, f\n'
)
FILES = ["test/n000001/0001_01.jpg", "train/n000002/0001_01.jpg", "train/n000009/0002_02.jpg"]
FACTORS = {"gender": "categorical"}


@pytest.mark.parametrize("place", ["identity_meta.csv", "meta/identity_meta.csv"])
def test_people_parts_and_gender_are_read(put, ask, place):
    put(*FILES)
    put.text(place, META)
    table = read(ask("vggface2", identity="identity", split="split", factors=FACTORS))
    assert table["file"].tolist() == FILES
    assert table["identity"].tolist() == ["n000001", "n000002", "n000009"]
    assert table["split"].tolist() == ["testing", "training", "training"]
    assert table["gender"].tolist() == ["male", "female", "female"]


def test_the_meta_file_is_needed_for_gender_only(put, ask):
    put(*FILES)
    assert len(read(ask("vggface2", identity="identity"))) == 3
    with pytest.raises(FileNotFoundError, match=r"no identity_meta.csv or .*; VGGFace2 is desc"):
        read(ask("vggface2", factors=FACTORS))


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        (META.replace("n000009", "n000008"), "knows nothing of 'n000009'"),
        (META.replace("Gender", "Sex"), "has no column 'Gender'; it has Class_ID, Name"),
        (META[: META.rindex(",")], "knows nothing of ''; known are f, m"),
    ],
)
def test_a_meta_file_that_does_not_fit_is_refused(put, ask, meta, message):
    put(*FILES)
    put.text("identity_meta.csv", meta)
    with pytest.raises(ValueError, match=message):
        read(ask("vggface2", factors=FACTORS))


def test_other_folders_are_refused(put, ask):
    put("train/Jane_Doe/1.jpg")
    with pytest.raises(ValueError, match=r"'Jane_Doe', which is no person like n000002; VGGFace2"):
        read(ask("vggface2"))
