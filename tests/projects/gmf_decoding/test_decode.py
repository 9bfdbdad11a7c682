from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from facelab_probing.decoding import DecodeConfig
from facelab_probing.tuning import TuningConfig

from projects.gmf_decoding import decode

CONFIG = DecodeConfig(
    continuous=("ridge",),
    categorical=("logistic", "lda"),
    identity=("lda",),
    tuning=TuningConfig(
        sampler="grid",
        trials=8,
        penalty_range=(1e-1, 1e6),
        steps_per_decade=1,
        storage="",
        seed=0,
    ),
    folds=2,
    identity_folds=4,
    permutations=40,
)


def recording(rng, planted):
    """40 people, 8 images each; unit 0 carries yaw and units 1 to 9 the person, if planted."""
    identity = np.repeat(np.arange(40), 8)
    split = np.array(["training", "validation", "testing", "training"])[identity % 4]
    yaw = rng.normal(size=320)
    units = rng.normal(size=(320, 12))
    if planted:
        units[:, 0] += 3 * yaw
        units[:, 1:10] += 3 * rng.normal(size=(40, 9))[identity]
    kinds = {"identity": "categorical", "rotation_y_deg": "continuous", "shape": "continuous"}
    levels = {"identity": "identity", "rotation_y_deg": "image", "shape": "identity"}
    labels = {
        "identity": identity,
        "split": split,
        "rotation_y_deg": yaw,
        "shape": rng.normal(size=(40, 2))[identity],
    }
    return SimpleNamespace(
        units=lambda _: units, labels=labels, attributes={"kinds": kinds, "levels": levels}
    )


@pytest.fixture
def scores(rng):
    tables = []
    for layer, planted in (("noise", False), ("code", True)):
        seen = {f"seed-{i}": recording(rng, planted) for i in range(2)}
        for other in seen.values():  # the same stimuli, seen by two networks
            other.labels = next(iter(seen.values())).labels
        found = decode.decode({"seed-0": seen["seed-0"]}, layer, CONFIG)
        tables.append(decode.combine(found, layer))
    return pd.concat(tables, ignore_index=True).assign(network="planted")


def test_a_planted_code_is_read_and_noise_is_not(scores):
    shown = decode.main_scores(scores, CONFIG).set_index(["layer", "factor"])
    for factor in ("identity", "rotation_y_deg"):
        assert shown.loc[("code", factor), "score"] > 0.7
        assert shown.loc[("code", factor), "p"] < 0.05
        assert abs(shown.loc[("noise", factor), "score"]) < 0.3


def test_one_score_of_each_factor_and_layer_is_shown(scores):
    shown = decode.main_scores(scores, CONFIG)
    assert not shown.duplicated(["layer", "factor"]).any()
    assert set(shown["factor"]) == {"identity", "rotation_y_deg", "shape"}
    assert set(shown["target"]) == {"identity", "rotation_y_deg", "mean"}


def test_the_best_layer_is_named_by_its_depth(scores):
    found = decode.summarise(decode.main_scores(scores, CONFIG))
    assert found["best_layer/rotation_y_deg"] == 1
    assert found["best_score/rotation_y_deg"] > 0.7


def test_a_factor_with_many_outputs_has_a_column_for_each(rng):
    factors, outputs = decode.table_of(recording(rng, planted=False))
    assert outputs["shape"] == ("shape_000", "shape_001")
    assert outputs["rotation_y_deg"] == ("rotation_y_deg",)
    assert list(factors) == ["identity", "rotation_y_deg", "shape_000", "shape_001"]


def test_empty_text_is_a_missing_label(rng):
    seen = recording(rng, planted=False)
    seen.attributes["kinds"] = {"mood": "categorical"}
    seen.labels["mood"] = np.array(["merry", ""] * 160)
    assert decode.table_of(seen)[0]["mood"].isna().tolist() == [False, True] * 160
