import pytest
from facelab_data.sources.voxceleb import read

META = (
    "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\n"
    "id10001\tA.J._Buckley\tm\tIreland\tdev\n"
    "id10270\tEartha_Kitt\tf\tUSA\ttest\n"
)
META_2 = "VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \nid10001 ,n1 ,m ,dev \nid10270 ,n2 ,f ,test \n"
FILES = ["id10001/1zcIwhmdeo4/0000001.jpg", "id10001/9mQ11vBs1wc/0000375.jpg"]
FILES += ["id10270/5r0dWxy17C8/0000001.jpg"]
FACTORS = {"gender": "categorical"}


@pytest.mark.parametrize("meta", [META, META.replace("\t", ","), META_2])
def test_frames_have_what_is_known_of_their_speakers(put, ask, meta):
    put(*FILES)
    put.text("vox1_meta.csv", meta)
    table = read(ask("voxceleb", identity="identity", split="split", factors=FACTORS))
    assert table["file"].tolist() == FILES
    assert table["identity"].tolist() == ["id10001"] * 2 + ["id10270"]
    assert table["video"].tolist() == ["1zcIwhmdeo4", "9mQ11vBs1wc", "5r0dWxy17C8"]
    assert table["gender"].tolist() == ["male"] * 2 + ["female"]
    assert table["split"].tolist() == ["training"] * 2 + ["testing"]
    assert ("nationality" in table) == ("Nationality" in meta)


def test_identity_and_video_need_no_meta_file(put, ask):
    put(*(f"frames/{file}" for file in FILES))
    assert read(ask("voxceleb", identity="identity"))["video"].nunique() == 3
    with pytest.raises(FileNotFoundError, match=r"no vox1_meta.csv or .*; VoxCeleb is at https"):
        read(ask("voxceleb", factors=FACTORS))


@pytest.mark.parametrize(
    ("meta", "message"),
    [
        (META.replace("id10270", "id10271"), "knows nothing of 'id10270'; known are id10001"),
        (META.replace("Set", "Part"), "has no column 'Set'; it has VoxCeleb1 ID, VGGFace1 ID"),
        (META[:-10], "line 3: 3 fields instead of 5"),
        (META.replace("\tm\t", "\tx\t"), "knows nothing of 'x'; known are f, m"),
    ],
)
def test_a_meta_file_that_does_not_fit_is_refused(put, ask, meta, message):
    put(*FILES)
    put.text("vox1_meta.csv", meta)
    with pytest.raises(ValueError, match=message):
        read(ask("voxceleb", factors=FACTORS))


def test_frames_elsewhere_are_refused(put, ask):
    put(*FILES, "id10001/loose.jpg")
    with pytest.raises(ValueError, match=r"loose.jpg lies in no folder like id10001/<video>"):
        read(ask("voxceleb"))
