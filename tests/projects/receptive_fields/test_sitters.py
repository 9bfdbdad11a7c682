import numpy as np
import pytest
from facelab_probing import portraits

from projects.receptive_fields.map import measure
from projects.receptive_fields.sitters import layers_of, say, sit, spread
from tests.projects.receptive_fields.conftest import plain_row, start


@pytest.fixture
def folder(tmp_path, viewer):
    run = start(tmp_path / "run")
    measure(run, viewer, plain_row(units=5))
    return run.artifacts


def test_layers_come_in_order_of_depth(folder):
    (layers,) = layers_of(folder)
    assert [layer.label for layer in layers] == ["conv1", "conv2"]
    assert {layer.epoch for layer in layers} == {5.0}


def test_units_sit_with_as_many_images_as_asked_for(folder):
    layer = layers_of(folder)[0][1]
    first, second = sit(layer, np.array([3, 0]), 2)
    table = portraits.measures(layer.path)
    assert first.caption.startswith(f"unit {table['unit'][3]}: ")
    assert second.caption.startswith(f"unit {table['unit'][0]}: ")
    assert first.images.shape == (2, 12, 12, 3)
    assert first.maps.shape == first.segments.shape == (2, 24, 24)
    assert first.theoretical_px == table["theoretical_px"][3]


def test_examples_run_from_the_smallest_field_to_the_largest(folder):
    layer = layers_of(folder)[0][1]
    sizes = portraits.measures(layer.path)["size_px"].to_numpy()
    chosen = sizes[spread(layer, 3)]
    assert chosen[0] == np.nanmin(sizes)
    assert chosen[-1] == np.nanmax(sizes)
    assert (np.diff(chosen) > 0).all()
    assert len(spread(layer, 50)) == np.isfinite(sizes).sum()


def test_a_silent_unit_is_said_to_be():
    measures = {"size_px": np.nan, "theoretical_px": 51.0}
    assert say(3, measures) == "unit 3: silent (theoretical 51 px)"
    measures = {"size_px": 21.04, "size_se_px": 2.0, "major_px": 30.0, "minor_px": 14.76}
    assert say(3, measures | {"theoretical_px": 51.0}) == (
        "unit 3: 21.0 ± 2.0 px (30.0 × 14.8) of 51 px"
    )
