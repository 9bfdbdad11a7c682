"""Photographs go through the stages that faces go through, by rows of params.yaml alone."""

import shutil

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from projects import draw, provenance, record, stage, train
from projects.gmf_decoding import decode

MOODS = ("calm", "merry", "sour")
PEOPLE, EACH = 9, 4
LAYERS = ["normalise", "trunk.pool"]


def photograph(rng, person, mood):
    """Colour tells the person, and the bright third of the picture the mood."""
    pixels = np.full((20, 24, 3), 60.0) + 12 * np.random.default_rng(person).normal(size=3)
    pixels[:, 8 * mood : 8 * mood + 8] += 50
    return (pixels + rng.normal(0, 8, pixels.shape)).clip(0, 255).astype(np.uint8)


def take(folder, rng):
    """Photograph nine people, four times in each of three moods; glasses are noted for some."""
    rows = []
    for person in range(PEOPLE):
        (folder / f"p{person}").mkdir(parents=True)
        for number in range(EACH * len(MOODS)):
            mood, name = number % len(MOODS), f"p{person}/{number}.png"
            Image.fromarray(photograph(rng, person, mood)).save(folder / name)
            glasses = ("yes", "no")[(number // 2 + person) % 2] if number % 2 else ""
            rows.append({"image": name, "who": person, "mood": MOODS[mood], "glasses": glasses})
    pd.DataFrame(rows).to_csv(folder / "labels.csv", index=False)


def rows_of(small, training, validation, testing):
    """Give the tables of params.yaml for one set, the network it teaches, and a recording."""
    stimuli = {
        "source": "csv",
        "path": "photographs",
        "labels": "labels.csv",
        "file_column": "image",
        "identity": "who",
        "split": "",
        "factors": {"mood": "categorical", "glasses": "categorical"},
        "missing": ["glasses"],
        "keep": {},
        "select": [],
        "size_px": 16,
        "crop": [0.0, 0.0, 1.0, 1.0],
        "grey": False,
        "splits": {
            "training": training,
            "validation": validation,
            "testing": testing,
            "holdout": 0.25,
        },
        "in_order": {"training": 0, "holdout": 0},
    }
    network = small["networks"]["identity"]
    network |= {
        "stimuli": "snaps",
        "tasks": dict.fromkeys(("identity", "mood"), network["tasks"]["identity"]),
        "seeds": [0],
    }
    recording = small["recordings"]["identity"] | {
        "stimuli": "snaps",
        "network": "snaps",
        "layers": LAYERS,
        "components": 0 if validation == 0 else 8,
    }
    section = small["gmf_decoding"] | {"recordings": ["snaps"]}
    section["decode"] |= {"folds": 3, "categorical": ["lda"]}
    tables = {"stimuli": stimuli, "networks": network, "recordings": recording}
    return {name: {"snaps": row} for name, row in tables.items()} | {"gmf_decoding": section}


@pytest.fixture(params=[(1 / 3, 1 / 3, 1 / 3), (1 / 3, 0.0, 2 / 3)], ids=["divided", "crossed"])
def table(request, tracked, rng, monkeypatch):
    """Run the stages; give the scores of the decoders and the folder they ran in."""
    small = yaml.safe_load((stage.ROOT / "tests/params.yaml").read_text())
    shutil.copy(stage.ROOT / "dvc.yaml", tracked)
    monkeypatch.setattr(stage, "ROOT", tracked)
    provenance.digest.cache_clear()
    take(tracked / "photographs", rng)
    (tracked / "params.yaml").write_text(yaml.safe_dump(small | rows_of(small, *request.param)))
    for each in (draw, train, record, decode):
        each.main("snaps")
    summary = pd.read_csv("results/gmf_decoding/decode/snaps/summary.csv")
    return summary.set_index(["layer", "factor"])


def test_what_is_on_a_photograph_is_read_from_its_pixels(table):
    for factor in ("identity", "mood"):
        found = table.loc[("normalise", factor)]
        assert found["score"] > max(0.5, found["null_high"])
    assert set(table.index.get_level_values("factor")) == {"identity", "mood", "glasses"}
    assert table.loc[("normalise", "glasses"), "n"] == table.loc[("normalise", "mood"), "n"] / 2
    assert abs(table.loc[("normalise", "glasses"), "score"]) < 0.7
    with Image.open("results/draw/snaps/contact_sheet.png") as sheet:
        assert sheet.size == (8 * 16 + 7 * 2, 2 * 16 + 2)
