import pandas as pd
import pytest

from projects import stage
from projects.inversion import figures

CONFIG = figures.Config(
    linear_to=1.0,
    layers={"pool": "pool"},
    labels={"identity": "trained upright", "flip": "inverted"},
)


@pytest.fixture
def run(tmp_path):
    for name in ("artifacts", "results"):
        (tmp_path / name).mkdir()
    return stage.Run(
        "inversion-figures", "", 0, tmp_path, tmp_path / "artifacts", tmp_path / "results"
    )


def point(**columns):
    return {"network": "identity", "seed": "all", "mean": 0.5, "low": 0.4, "high": 0.6} | columns


def test_every_figure_is_made_for_the_screen_and_for_print(run):
    training = [point(view=v, epoch=e) for v in ("upright", "flip") for e in (0.0, 1.0, 3.0)]
    gap = [point(what=w, epoch=e) for w, e in (("gap", 0.0), ("gap", 3.0), ("growth", 3.0))]
    angles = [point(view=v, angle_deg=a) for v, a in (("upright", 0), ("flip", 180), ("x", 180))]
    measures = ("upright", "inverted", "same", "others")
    layers = [point(what=w, layer=x) for w in measures for x in ("conv1", "pool")]
    taken = [{"class": c, "named": 1, "share": 1.0, "network": "identity"} for c in (1, 2)]
    confused = [row | {"view": view} for row in taken for view in ("upright", "flip")]
    figures.draw_training(run, pd.DataFrame(training), CONFIG)
    ranks = pd.DataFrame([point(epoch=e) for e in (0.0, 3.0)])
    figures.draw_gap(run, pd.DataFrame(gap), ranks, CONFIG)
    figures.draw_angles(run, pd.DataFrame(angles), CONFIG)
    figures.draw_confusions(run, pd.DataFrame(confused), CONFIG)
    figures.draw_layers(run, pd.DataFrame(layers), CONFIG)
    figures.draw_resemblance(run, pd.DataFrame(layers), CONFIG)
    names = {
        "accuracy_over_training",
        "gap_over_training",
        "accuracy_by_angle",
        "confusions",
        "identity_by_layer",
        "resemblance_by_layer",
    }
    assert {path.stem for path in run.results.glob("*.png")} == names
    assert {path.stem for path in run.artifacts.glob("*.pdf")} == names


def test_the_tables_of_all_networks_stand_in_one(tmp_path):
    for network in ("identity", "inverted"):
        (tmp_path / network).mkdir()
        pd.DataFrame([point(network=network)]).to_csv(tmp_path / network / "gap.csv", index=False)
    found = figures.collect(tmp_path, ["identity", "inverted"], "gap")
    assert found["network"].tolist() == ["identity", "inverted"]
