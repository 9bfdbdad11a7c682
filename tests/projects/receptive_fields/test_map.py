import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from facelab_probing import mapping
from facelab_probing.occluders import Occluder

from projects.receptive_fields.map import measure
from tests.projects.receptive_fields.conftest import plain_row, start

NOISE = Occluder(
    size_px=3, stride_px=3, filling="noise", grid="floor", reduction="at_maximum", colour=None
)


def test_a_unit_that_weighs_three_pixels_of_seven_measures_three(run, viewer):
    row = plain_row(layers={"trunk.conv1": "conv1"}, units=0)
    table = measure(run, viewer, row)
    assert len(table) == 16
    assert (table["theoretical_px"] == 7).all()
    assert (table["visible_px"] == 7).all()
    assert table["size_px"].to_numpy() == pytest.approx(3, abs=1e-3)
    assert table["ratio"].to_numpy() == pytest.approx(3 / 7, abs=1e-3)


def test_the_table_names_layer_state_seed_and_epoch(run, viewer):
    table = measure(run, viewer, plain_row())
    assert table.groupby("layer", sort=False).size().to_dict() == {"conv1": 2, "conv2": 2}
    assert set(table["state"]) == {"trained"}
    assert set(table["epoch"]) == {5.0}
    assert (table["images"] <= 3).all()


def test_a_stage_that_was_killed_ends_with_the_same_portraits(tmp_path, viewer, monkeypatch):
    monkeypatch.setattr(mapping, "BLOCK", 1)
    row = plain_row(occluder=NOISE)
    whole = measure(start(tmp_path / "whole"), viewer, row)
    shown, see = [], type(viewer).see

    def die(self, image):
        shown.append(image)
        if len(shown) == 4:
            raise KeyboardInterrupt
        return see(self, image)

    monkeypatch.setattr(type(viewer), "see", die)
    with pytest.raises(KeyboardInterrupt):
        measure(start(tmp_path / "cut"), viewer, row)
    again = measure(start(tmp_path / "cut"), viewer, row)
    pd.testing.assert_frame_equal(whole, again, check_exact=True)
    for path in sorted((tmp_path / "whole").rglob("trunk*.h5")):
        with h5py.File(path) as one, h5py.File(str(path).replace("whole", "cut")) as other:
            assert np.array_equal(one["drops"][:], other["drops"][:])
            assert np.array_equal(one["pictures"][:], other["pictures"][:])


def test_what_is_finished_is_not_asked_again(run, viewer, monkeypatch):
    first = measure(run, viewer, plain_row())
    monkeypatch.setattr(type(viewer), "blocks", None)
    monkeypatch.setattr(type(viewer), "see", None)
    pd.testing.assert_frame_equal(first, measure(run, viewer, plain_row()))


def test_units_are_drawn_alike_for_every_checkpoint(tmp_path, viewer):
    tables = [measure(start(tmp_path / name), viewer, plain_row()) for name in ("a", "b")]
    assert tables[0]["unit"].tolist() == tables[1]["unit"].tolist()


def test_of_images_that_leave_a_unit_silent_one_is_mapped(run, viewer):
    with torch.no_grad():
        viewer.net.trunk.conv1.weight[3] = 0
    table = measure(run, viewer, plain_row(layers={"trunk.conv1": "conv1"}, units=0))
    assert table["images"].tolist() == [3] * 3 + [0] + [3] * 12
    assert np.isnan(table["size_px"][3])
    with h5py.File(run.artifacts / viewer.name / "trunk.conv1.h5") as file:
        assert (file["ids"][3] >= 0).tolist() == [True, False, False]
