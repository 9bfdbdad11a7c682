import pytest
from facelab_data.sources.lfw import read

FILES = ["Aaron_Eckhart/Aaron_Eckhart_0001.jpg", "Abba_Eban/Abba_Eban_0001.jpg"]
FILES += [f"George_W_Bush/George_W_Bush_{number:04d}.jpg" for number in (1, 2, 10)]


@pytest.fixture
def photographs(put):
    put(*(f"lfw/{file}" for file in FILES))
    return put


def test_folders_name_people(photographs, ask):
    table = read(ask("lfw", identity="identity"))
    assert table["file"].tolist() == [f"lfw/{file}" for file in FILES]
    assert table["identity"].tolist() == ["Aaron_Eckhart", "Abba_Eban"] + ["George_W_Bush"] * 3


def test_the_development_lists_divide_people(photographs, ask):
    photographs.text("peopleDevTrain.txt", "2\nAaron_Eckhart\t1\nGeorge_W_Bush\t2\n")
    photographs.text("peopleDevTest.txt", "1\nAbba_Eban\t1\n")
    table = read(ask("lfw", identity="identity", split="split"))
    assert table["split"].tolist() == ["training", "testing"] + ["training"] * 3


def test_pairs_divide_the_people_they_name(photographs, ask):
    photographs.text("pairsDevTrain.txt", "1\nGeorge_W_Bush\t1\t10\n")
    photographs.text("pairsDevTest.txt", "1\nAbba_Eban\t1\tAbba_Eban\t1\n")
    table = read(ask("lfw", identity="identity", split="split"))
    assert table["identity"].tolist() == ["Abba_Eban"] + ["George_W_Bush"] * 3
    assert table["split"].tolist() == ["testing"] + ["training"] * 3


def test_without_lists_or_images_the_place_is_named(photographs, ask, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no peopleDevTrain.txt or pairs.*; LFW is at"):
        read(ask("lfw", split="split"))
    (tmp_path / "lfw").rename(tmp_path / "faces")
    with pytest.raises(FileNotFoundError, match=r"no lfw or lfw_funneled .*; LFW is at"):
        read(ask("lfw"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1\nAbba_Eban\t3\n", "names Abba_Eban_0003, which is not there"),
        ("1\nGeorge_W_Bush\t1\t3\n", "names George_W_Bush_0003, which is not there"),
        ("1\nAbba Eban Ada\n", "line 2 names neither a person nor a pair"),
    ],
)
def test_lists_that_do_not_fit_are_refused(photographs, ask, text, message):
    photographs.text("peopleDevTrain.txt", text)
    with pytest.raises(ValueError, match=message):
        read(ask("lfw", split="split"))


def test_files_of_other_names_are_refused(photographs, ask):
    photographs("lfw/Abba_Eban/portrait.jpg")
    with pytest.raises(ValueError, match=r"portrait.jpg is not called like Name/Name_0001.jpg"):
        read(ask("lfw"))
