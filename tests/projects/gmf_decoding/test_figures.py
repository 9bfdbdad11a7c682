import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from projects import provenance, stage
from projects.gmf_decoding import figures

LAYERS = ("normalise", "trunk.conv1", "trunk.pool")


@pytest.fixture
def folder(tracked, monkeypatch):
    monkeypatch.setattr(stage, "ROOT", tracked)
    stages = {"stages": {"gmf_decoding-figures": {"cmd": "x", "params": ["seed"]}}}
    (tracked / "dvc.yaml").write_text(yaml.safe_dump(stages))
    params = {
        "seed": 0,
        "threads": 1,
        "gmf_decoding": {
            "recordings": ["identity", "untrained"],
            "figures": {"layers": {"trunk.pool": "pool"}, "labels": {}},
        },
    }
    (tracked / "params.yaml").write_text(yaml.safe_dump(params))
    for name in ("identity", "untrained"):
        rows = [
            {"network": name, "seed": "all", "layer": layer, "factor": factor, "target": factor}
            | {"score": 0.5, "low": 0.4, "high": 0.6}
            for layer in LAYERS
            for factor in ("identity", "background")
        ]
        place = tracked / "results/gmf_decoding/decode" / name
        place.mkdir(parents=True)
        pd.DataFrame(rows).to_csv(place / "summary.csv", index=False)
    provenance.digest.cache_clear()
    return tracked


def test_the_figures_are_made_from_the_tables_alone(folder):
    figures.main()
    for name in ("factors_over_layers", "layer_by_factor"):
        with Image.open(folder / f"results/gmf_decoding/figures/{name}.png") as picture:
            assert np.asarray(picture.convert("L")).std() > 0
