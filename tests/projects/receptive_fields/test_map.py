from dataclasses import replace

import h5py
import numpy as np
import pandas as pd
import pytest
import torch
from facelab_probing import mapping
from facelab_probing.occluders import Occluder
from facelab_probing.refinement import Coarse

from projects.receptive_fields.map import check, measure, want
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


def test_coarse_maps_tell_how_wrong_they_are_and_hardly_change_a_size(tmp_path, viewer):
    layers = {"trunk.block1.conv": "conv2"}
    exact = measure(start(tmp_path / "exact"), viewer, plain_row(layers=layers, units=8))
    coarse = plain_row(layers=layers, units=8, coarse=Coarse(every=3, fraction=0.3))
    rough = measure(start(tmp_path / "coarse"), viewer, coarse)
    assert not exact["error"].any()
    assert rough["error"].gt(0).any()
    assert rough["size_px"].to_numpy() == pytest.approx(exact["size_px"].to_numpy(), rel=0.15)


def test_what_lies_between_the_places_tried_is_found(run, viewer):
    layers = {"trunk.conv1": "conv1"}
    sparse = plain_row(layers=layers, units=0, coarse=Coarse(every=1000, fraction=0.5))
    table = measure(run, viewer, sparse)
    assert table["size_px"].to_numpy() == pytest.approx(3, abs=1e-3)


def test_maps_that_were_cut_short_are_made_again(run, viewer, monkeypatch):
    first = measure(run, viewer, plain_row())
    again = start(run.scratch / "again")
    monkeypatch.setattr("projects.receptive_fields.map.shutil.rmtree", lambda _: None)
    measure(again, viewer, plain_row())
    for path in again.scratch.rglob("*.npz"):
        path.write_bytes(path.read_bytes()[:-30])
    for path in again.artifacts.rglob("*.h5"):
        path.unlink()
    pd.testing.assert_frame_equal(first, measure(again, viewer, plain_row()), check_exact=True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"coarse": Coarse(every=3, fraction=0.3), "occluder": replace(NOISE, reduction="largest")},
         "coarse maps are of drops 'at_maximum', not 'largest'"),
        ({"occluder": replace(NOISE, stride_px=4)},
         "stride_px leaves gaps: 4 px from one occluder of 3 px to the next"),
        ({"layers": {"trunk.conv1": ""}}, "layer 'trunk.conv1' is called ''; names are of letters"),
        ({"layers": {"trunk.conv1": "a/../b"}}, r"is called 'a/\.\./b'"),
        ({"layers": {"": "a"}}, "layer '' is called 'a'"),
        ({"layers": {}}, "layers names none"),
        ({"splits": ()}, "splits names none"),
        ({"checkpoints": ("all", "first")}, "'all' stands alone"),
    ],
)  # fmt: skip
def test_an_impossible_row_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        plain_row(**changes)


def test_what_is_finished_is_not_asked_again(run, viewer, monkeypatch):
    first = measure(run, viewer, plain_row())
    monkeypatch.setattr(type(viewer), "blocks", None)
    monkeypatch.setattr(type(viewer), "see", None)
    pd.testing.assert_frame_equal(first, measure(run, viewer, plain_row()))


def test_what_does_not_go_together_is_said_at_once(viewer):
    check(viewer, plain_row())
    large = plain_row(occluder=replace(NOISE, size_px=25))
    with pytest.raises(ValueError, match="an occluder of 25 px does not fit into an image of 24"):
        check(viewer, large)
    with pytest.raises(ValueError, match=r"unknown layer 'trunk\.conv9'"):
        check(viewer, plain_row(layers={"trunk.conv9": "conv9"}))


def test_units_are_drawn_alike_for_every_checkpoint(tmp_path, viewer):
    other = replace(viewer, facts=viewer.facts | {"seed": 1, "epoch": 0.0})
    tables = [measure(start(tmp_path / one.name), one, plain_row()) for one in (viewer, other)]
    assert tables[0]["unit"].tolist() == tables[1]["unit"].tolist()


def test_no_more_best_images_are_looked_for_than_there_are(run, viewer):
    table = measure(run, viewer, plain_row(top=10**12))
    assert (table["images"] == len(viewer.rows)).all()


def test_of_images_that_leave_a_unit_silent_one_is_mapped(run, viewer):
    with torch.no_grad():
        viewer.net.trunk.conv1.weight[3] = 0
    table = measure(run, viewer, plain_row(layers={"trunk.conv1": "conv1"}, units=0))
    assert table["images"].tolist() == [3] * 3 + [0] + [3] * 12
    assert np.isnan(table["size_px"][3])
    with h5py.File(run.artifacts / viewer.name / "trunk.conv1.h5") as file:
        assert (file["ids"][3] >= 0).tolist() == [True, False, False]


def test_images_are_left_out_where_a_unit_is_silent_and_not_where_it_goes_below_zero():
    ids = np.array([[5, 2, 9]] * 4)
    responses = np.array([[2.0, 0, 0], [0.5, 0, -0.1], [0, -1, -2], [2, 1, -np.inf]])
    ids[3, 2] = -1  # fewer images than asked for
    found = want("conv1", (ids, responses), 0, 3, 9.0).ids
    assert found.tolist() == [[5, -1, -1], [5, 2, 9], [5, 2, 9], [5, 2, -1]]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"top": 0}, "top is 1 or more, not 0"),
        ({"units": -1}, "units is 0 or more, not -1"),
        ({"thumbnail_px": 0}, "thumbnail_px is 1 or more, not 0"),
        ({"fraction": 1.5}, "fraction is above 0 and at most 1, not 1.5"),
        ({"layers": {"trunk.conv1": "a", "trunk.pool": "a"}}, "two layers are called 'a'"),
    ],
)
def test_an_impossible_row_is_refused_before_anything_is_mapped(values, reason):
    with pytest.raises(ValueError, match=reason):
        plain_row(**values)
