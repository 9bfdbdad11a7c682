import json

import pytest
from facelab_data.sources.imagenet import read

TENCH, SHARK = "n01440764", "n01484850"
MAPPING = f"{TENCH} tench, Tinca tinca\n{SHARK} great white shark, white shark\n"
NAMES = {"class_index": "categorical", "class_name": "categorical"}


@pytest.mark.parametrize(
    ("name", "text", "names"),
    [
        ("LOC_synset_mapping.txt", MAPPING, ["tench", "great white shark"]),
        (
            "imagenet_class_index.json",
            json.dumps({"1": [SHARK, "great_white_shark"], "0": [TENCH, "tench"]}),
            ["tench", "great_white_shark"],
        ),
        ("imagenet_wnids.txt", f"{TENCH}\n{SHARK}\n", [TENCH, SHARK]),
    ],
)
def test_classes_are_numbered_by_their_file(put, ask, name, text, names):
    put(f"train/{TENCH}/{TENCH}_1.JPEG", f"val/{SHARK}/ILSVRC2012_val_00000001.JPEG")
    put.text(name, text)
    table = read(ask("imagenet", split="split", factors=NAMES))
    assert table["wnid"].tolist() == [TENCH, SHARK]
    assert table["class_index"].tolist() == ["0", "1"]
    assert table["class_name"].tolist() == names
    assert table["split"].tolist() == ["training", "validation"]


def test_folders_alone_will_do(put, ask):
    put(f"{SHARK}/1.JPEG", f"{TENCH}/1.JPEG")
    table = read(ask("imagenet", factors={"wnid": "categorical"}))
    assert table["wnid"].tolist() == [TENCH, SHARK]
    assert "split" not in table


def test_the_flat_parts_of_the_official_archive_are_understood(put, ask):
    deep = "ILSVRC/Data/CLS-LOC"
    put(f"{deep}/train/{TENCH}/{TENCH}_1.JPEG", f"{deep}/val/ILSVRC2012_val_00000001.JPEG")
    put(f"{deep}/test/ILSVRC2012_test_00000001.JPEG")
    with pytest.raises(FileNotFoundError, match=r"no LOC_val_solution.csv; ImageNet is at"):
        read(ask("imagenet"))
    lines = f"ImageId,PredictionString\nILSVRC2012_val_00000001,{SHARK} 1 2 3 4 \n"
    put.text("LOC_val_solution.csv", lines)
    table = read(ask("imagenet"))
    assert table["file"].tolist() == [
        f"{deep}/train/{TENCH}/{TENCH}_1.JPEG",
        f"{deep}/val/ILSVRC2012_val_00000001.JPEG",
    ]
    assert table["wnid"].tolist() == [TENCH, SHARK]
    assert table["split"].tolist() == ["training", "validation"]


def test_a_class_file_can_be_named_and_must_know_every_class(put, ask):
    put(f"train/{TENCH}/1.JPEG", f"train/{SHARK}/1.JPEG")
    with pytest.raises(FileNotFoundError, match=r"no LOC_synset_mapping.txt or .*; ImageNet is at"):
        read(ask("imagenet", factors=NAMES))
    put.text("mine.txt", f"{TENCH} fish\n")
    with pytest.raises(ValueError, match=f"mine.txt knows nothing of '{SHARK}'"):
        read(ask("imagenet", labels="mine.txt", factors=NAMES))
    put.text("mine.json", json.dumps({"1": [TENCH, "tench"]}))
    with pytest.raises(ValueError, match=r"mine.json is no class index: KeyError"):
        read(ask("imagenet", labels="mine.json", factors=NAMES))
