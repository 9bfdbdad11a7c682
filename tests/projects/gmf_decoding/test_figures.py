import numpy as np
import pandas as pd
import pytest
import yaml
from facelab_viz.theme import figure
from PIL import Image

from projects import provenance, stage
from projects.gmf_decoding import figures

SEEN = {"identity": "faces", "people": "photographs", "untrained": "faces"}
FACTORS = {"faces": ("identity", "background"), "photographs": ("expression",)}
LAYERS = ("normalise", "trunk.conv1", "trunk.pool")


@pytest.fixture
def folder(tracked, monkeypatch):
    monkeypatch.setattr(stage, "ROOT", tracked)
    stages = {"stages": {"gmf_decoding-figures": {"cmd": "x", "params": ["seed"]}}}
    (tracked / "dvc.yaml").write_text(yaml.safe_dump(stages))
    params = {
        "seed": 0,
        "threads": 1,
        "recordings": {name: {"stimuli": stimuli} for name, stimuli in SEEN.items()},
        "gmf_decoding": {
            "recordings": list(SEEN),
            "figures": {"layers": {"trunk.pool": "pool"}, "labels": {}},
        },
    }
    (tracked / "params.yaml").write_text(yaml.safe_dump(params))
    for name, stimuli in SEEN.items():
        rows = [
            {"network": name, "seed": "all", "layer": layer, "factor": factor, "target": factor}
            | {"score": 0.5, "low": 0.4, "high": 0.6}
            for layer in LAYERS
            for factor in FACTORS[stimuli]
        ]
        place = tracked / "results/gmf_decoding/decode" / name
        place.mkdir(parents=True)
        pd.DataFrame(rows).to_csv(place / "summary.csv", index=False)
    provenance.digest.cache_clear()
    return tracked


def test_each_set_of_stimuli_has_its_figures_made_from_the_tables_alone(folder):
    figures.main()
    made = folder / "results/gmf_decoding/figures"
    names = ["factors_over_layers", "layer_by_factor"]
    names += [f"{name}_photographs" for name in names]
    assert sorted(path.stem for path in made.glob("*.png")) == sorted(names)
    for name in names:
        with Image.open(made / f"{name}.png") as picture:
            assert np.asarray(picture.convert("L")).std() > 0


def test_networks_that_saw_other_images_do_not_share_a_figure(folder, monkeypatch):
    drawn = []

    def draw(table, *_, order, **__):
        drawn.append((set(table["network"]), order))
        return figure()

    monkeypatch.setattr(figures, "factors_over_layers", draw)
    figures.main()
    both = ["identity", "untrained"]
    assert drawn == [(set(both), both), ({"people"}, ["people"])]
