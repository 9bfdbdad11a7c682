import pytest
from facelab_data.sources.celeba import read

NAMES = [f"{number:06d}.jpg" for number in range(1, 6)]
ALL = {"male": "categorical", "5_o_clock_shadow": "categorical"}


@pytest.fixture
def files(put):
    """Five images of three people, in the flat layout."""
    put(*(f"img_align_celeba/{name}" for name in NAMES))
    people = zip(NAMES, (2880, 2937, 8692, 2880, 10), strict=True)
    put.text("identity_CelebA.txt", "".join(f"{name} {who}\n" for name, who in people))
    lines = ["5", "5_o_Clock_Shadow Male ", *(f"{name} -1  1" for name in NAMES[:4])]
    put.text("list_attr_celeba.txt", "\n".join([*lines, f"{NAMES[4]}  1 -1", ""]))
    parts = zip(NAMES, "00112", strict=True)
    put.text("list_eval_partition.txt", "".join(f"{name} {part}\n" for name, part in parts))
    return put


def test_every_label_reaches_its_image(files, ask):
    table = read(ask("celeba", identity="identity", split="split", factors=ALL))
    assert table["file"].tolist() == [f"img_align_celeba/{name}" for name in NAMES]
    assert table["identity"].tolist() == ["2880", "2937", "8692", "2880", "10"]
    assert table["split"].tolist() == ["training"] * 2 + ["validation"] * 2 + ["testing"]
    assert table["male"].tolist() == ["present"] * 4 + ["absent"]
    assert table["5_o_clock_shadow"].tolist() == ["absent"] * 4 + ["present"]


def test_the_official_archive_has_folders(files, ask, tmp_path):
    for folder, names in {
        "Img": ["img_align_celeba"],
        "Anno": ["identity_CelebA.txt", "list_attr_celeba.txt"],
        "Eval": ["list_eval_partition.txt"],
    }.items():
        (tmp_path / folder).mkdir()
        for name in names:
            (tmp_path / name).rename(tmp_path / folder / name)
    table = read(ask("celeba", identity="identity", split="split", factors=ALL))
    assert table["file"].iloc[0] == "Img/img_align_celeba/000001.jpg"
    assert table["identity"].iloc[0] == "2880"


def test_only_what_is_asked_for_must_be_there(files, ask, tmp_path):
    (tmp_path / "list_attr_celeba.txt").unlink()
    assert len(read(ask("celeba", identity="identity"))) == 5
    with pytest.raises(FileNotFoundError, match=r"has no list_attr_celeba.txt or .*; CelebA is at"):
        read(ask("celeba", factors=ALL))


def test_a_folder_without_images_says_where_they_are(put, ask):
    put("other/000001.jpg")
    with pytest.raises(FileNotFoundError, match=r"img_celeba.*; CelebA is at https://mmlab"):
        read(ask("celeba"))


def test_people_of_images_that_are_not_there_are_refused(files, ask, tmp_path):
    (tmp_path / "img_align_celeba" / NAMES[1]).unlink()
    with pytest.raises(ValueError, match=r"identity_CelebA.txt lists 1 files .* 000002.jpg"):
        read(ask("celeba", identity="identity"))


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("identity_CelebA.txt", "000001.jpg 2880\n", "says nothing of 4 images: 000002.jpg"),
        ("identity_CelebA.txt", "000001.jpg\n", "line 1: 1 fields instead of 2"),
        ("list_eval_partition.txt", "".join(f"{n} 3\n" for n in NAMES), "knows nothing of '3'"),
        ("list_attr_celeba.txt", "5\nMale\n000001.jpg 1\n", "announces 5 images and lists 1"),
        ("list_attr_celeba.txt", "1\nMale Young\n000001.jpg 1\n", "2 fields instead of 3"),
    ],
)
def test_files_cut_short_are_refused(files, ask, name, text, message):
    files.text(name, text)
    with pytest.raises(ValueError, match=message):
        read(ask("celeba", identity="identity", split="split", factors={"male": "categorical"}))
