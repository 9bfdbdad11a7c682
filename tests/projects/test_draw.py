import json
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from facelab_data import stimuli
from pydantic import TypeAdapter

from projects import draw
from tests.source import ROOT


@pytest.fixture
def made(tmp_path, rng):
    factors = pd.DataFrame({"identity": np.repeat(np.arange(60), 2), "split": "training"})
    factors.loc[100:, "split"] = "testing"
    images = rng.integers(256, size=(120, 8, 8, 3), dtype=np.uint8)
    path = tmp_path / "stimuli.h5"
    stimuli.write(path, [images], factors, {"identity": "categorical"}, {"identity": "identity"})
    return stimuli.read(path)


def test_the_sheet_shows_as_many_people_as_it_has_room_for(made):
    chosen = draw.choose(made, seed=0)
    assert len(chosen) == draw.SHOWN
    assert made.factors["identity"].iloc[chosen].is_unique


def test_images_and_people_are_counted(made):
    found = draw.count(made)
    assert found == {
        "images": 120,
        "identities": 60,
        "images_training": 100,
        "images_testing": 20,
    }


def test_a_row_is_known_by_one_key():
    kinds = {"design": draw.Generated, "words": draw.Words, "source": draw.Photographs}
    assert {key: draw.kind_of({key: 0, "path": ""}, "stimuli.x") for key in kinds} == kinds
    for row in ({"path": ""}, {"design": 0, "source": ""}, None):
        with pytest.raises(
            ValueError, match=r"stimuli.x has not just one of design, words, source"
        ):
            draw.kind_of(row, "stimuli.x")


def test_the_rows_in_the_readme_can_be_read():
    blocks = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    rows = {name: row for block in blocks for name, row in yaml.safe_load(block).items()}
    assert list(rows) == ["celebrities", "celebrities_words"]
    for row in rows.values():
        kind = draw.kind_of(row, "stimuli")
        read = TypeAdapter(kind).validate_json(json.dumps(row), strict=True, extra="forbid")
        assert read.path == row["path"]
