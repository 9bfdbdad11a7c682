import numpy as np
import pytest

from projects.inversion.relate import load, relate

LAYERS = ("conv1", "pool")


def test_gap_and_resemblance_are_differences_within_people(rng):
    who = rng.normal(size=(1, 1, 40))  # what makes a person easy in both views
    upright = np.array([0.5, 0.8])[None, :, None] + 0.05 * who + 0.01 * rng.normal(size=(3, 2, 40))
    inverted = np.array([0.5, 0.3])[None, :, None] + 0.05 * who + 0.01 * rng.normal(size=(3, 2, 40))
    values = {"upright": upright, "inverted": inverted, "same": upright, "others": inverted}
    table = relate(values, LAYERS)["layers"].set_index(["what", "layer"])
    gap = table.loc["gap"]
    assert gap["mean"].to_numpy() == pytest.approx([0, 0.5], abs=0.02)
    assert gap.loc["pool", "low"] > 0.4
    assert gap.loc["conv1", "low"] < 0.02
    whole = table.loc["upright"]
    assert (gap["high"] - gap["low"] < whole["high"] - whole["low"]).all()
    assert table.loc["resemblance", "mean"].to_numpy() == pytest.approx(gap["mean"].to_numpy())


def test_a_view_that_was_not_recorded_is_named_beside_those_that_were(tmp_path):
    (tmp_path / "upright").mkdir()
    (tmp_path / "upright" / "seed-0.h5").touch()
    with pytest.raises(FileNotFoundError, match="no view 'flip'; it has upright"):
        load(tmp_path, "flip")
