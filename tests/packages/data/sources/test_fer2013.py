import numpy as np
import pytest
from facelab_data.sources.fer2013 import picture, read

FACTORS = {"expression": "categorical"}
ROWS = [(0, "Training"), (3, "Training"), (6, "PublicTest"), (1, "PrivateTest")]
ROWS_READ = [
    ("anger", "training"),
    ("happy", "training"),
    ("neutral", "validation"),
    ("disgust", "testing"),
]


def pixels(row):
    """A ramp that starts at the row's number."""
    return (np.arange(48 * 48) + row) % 256


def csv(header="emotion,pixels,Usage", order=(0, 1, 2), quote=""):
    lines = [header]
    for row, (emotion, usage) in enumerate(ROWS):
        values = str(emotion), quote + " ".join(map(str, pixels(row))) + quote, usage
        lines.append(",".join(values[place] for place in order))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fer2013.csv", csv()),
        ("fer2013.csv", csv(quote='"').replace("\n", "\r\n")),
        ("icml_face_data.csv", csv("emotion, Usage, pixels", (0, 2, 1))),
    ],
)
def test_rows_of_either_csv_become_images(put, ask, tmp_path, name, text):
    put.text(name, text)
    table = read(ask("fer2013", split="split", factors=FACTORS))
    assert list(zip(table["expression"], table["split"], strict=True)) == ROWS_READ
    for row, file in enumerate(table["file"]):
        image = np.asarray(picture(tmp_path / file))
        assert (image == pixels(row).reshape(48, 48, 1)).all()
        assert image.shape == (48, 48, 3)


def test_folders_hold_the_same(put, ask, tmp_path):
    put("train/angry/1.jpg", "train/fear/2.jpg", "test/surprise/3.jpg", brightness=9)
    table = read(ask("fer2013", split="split", factors=FACTORS))
    assert table["expression"].tolist() == ["surprise", "anger", "fear"]
    assert table["split"].tolist() == ["testing", "training", "training"]
    assert np.asarray(picture(tmp_path / table["file"].iloc[0])).max() == 9


def test_one_of_two_files_can_be_named(put, ask):
    put.text("fer2013.csv", csv())
    put.text("part.csv", csv().rpartition("\n0")[0] + "\n" + csv().splitlines()[1] + "\n")
    assert read(ask("fer2013", labels="part.csv"))["file"].str.startswith("part.csv/").all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (csv()[:-40], r"fer2013.csv, line 5 is no whole image of 48²"),
        (csv().replace(",Training", "", 1), r"line 2 is no whole image"),
        (csv("emotion,pixels,use"), "has no column 'Usage'; it has emotion, pixels, use"),
        (csv().replace("PublicTest", "Public"), "knows nothing of 'Public'; known are Training"),
        (csv().replace("\n6,", "\n9,"), "knows nothing of '9'; known are 0, 1"),
        ("emotion,pixels,Usage\n", "lists no images"),
    ],
)
def test_a_csv_that_was_cut_or_changed_is_refused(put, ask, text, message):
    put.text("fer2013.csv", text)
    with pytest.raises(ValueError, match=message):
        read(ask("fer2013", split="split", factors=FACTORS))


def test_nothing_there_and_strange_folders_are_refused(put, ask):
    with pytest.raises(FileNotFoundError, match=r"no fer2013.csv or .*; FER2013 is at https"):
        read(ask("fer2013"))
    put("train/bored/1.jpg")
    with pytest.raises(ValueError, match="knows nothing of 'bored'; known are anger"):
        read(ask("fer2013"))
