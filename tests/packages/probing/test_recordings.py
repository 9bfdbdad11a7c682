import h5py
import numpy as np
import pytest
from facelab_probing.ledger import Ledger, Plan, Sheet, lay_out
from facelab_probing.recordings import read


@pytest.fixture
def units(rng):
    return rng.normal(size=(50, 6)).astype(np.float32)


def write(path, units, dtype="float32", rows=50):
    plan = Plan(
        ids=np.arange(100, 150),
        sheets={
            "trunk.conv": Sheet(shape=(2, 3, 1), units=6),
            "pool": Sheet(shape=(6,), units=6, arrays={"variance": np.arange(6.0)}),
        },
        dtype=dtype,
        labels={"split": np.array(["training", "testing"] * 25), "shape": units[:, :2]},
        attributes={"network": {"name": "tiny", "epochs": 3}},
    )
    lay_out(path, plan, "the key")
    with Ledger(path) as ledger:
        ledger.write("trunk.conv", 0, units.astype(dtype))
        ledger.write("pool", 0, -units.astype(dtype))
        ledger.advance(rows)
    return path


def test_what_was_written_is_read(units, tmp_path):
    recording = read(write(tmp_path / "units.h5", units))
    assert recording.layers == ("trunk.conv", "pool")
    assert recording.shapes == {"trunk.conv": (2, 3, 1), "pool": (6,)}
    assert recording.images.tolist() == list(range(100, 150))
    assert recording.labels["split"][:3].tolist() == ["training", "testing", "training"]
    np.testing.assert_array_equal(recording.labels["shape"], units[:, :2])
    assert recording.attributes == {"network": {"name": "tiny", "epochs": 3}}
    assert recording.key == "the key"
    np.testing.assert_array_equal(recording.units("trunk.conv"), units)
    np.testing.assert_array_equal(recording.units("pool"), -units)


@pytest.mark.parametrize("step", [2**24, 100])
@pytest.mark.parametrize(
    "rows",
    [
        np.array([3]),
        np.array([49, 0, 7, 7, 8]),
        np.arange(50)[::-1],
        np.array([], int),
        np.array([-1, 2]),
        np.arange(50) % 3 == 0,
    ],
    ids=["one", "scattered", "backwards", "none", "from the end", "mask"],
)
def test_rows_come_in_the_order_asked_for(units, tmp_path, rows, step, monkeypatch):
    monkeypatch.setattr("facelab_probing.recordings.READ_BYTES", step)
    recording = read(write(tmp_path / "units.h5", units))
    np.testing.assert_array_equal(recording.units("trunk.conv", rows), units[rows])


def test_half_precision_is_read_as_single(units, tmp_path):
    recording = read(write(tmp_path / "units.h5", units, "float16"))
    for rows in (None, np.arange(5)):
        found = recording.units("pool", rows)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, -units[: len(found)], rtol=1e-3)


def test_components_belong_to_reduced_layers_only(units, tmp_path):
    recording = read(write(tmp_path / "units.h5", units))
    assert recording.components("pool")["variance"].tolist() == [0, 1, 2, 3, 4, 5]
    assert recording.components("trunk.conv") == {}


def test_an_unknown_layer_is_refused_with_those_there_are(units, tmp_path):
    recording = read(write(tmp_path / "units.h5", units))
    for ask in (recording.units, recording.components):
        with pytest.raises(ValueError, match=r"no layer 'fc' in .*; it has trunk.conv, pool$"):
            ask("fc")


def test_files_that_are_no_whole_recording_are_refused_in_one_line(units, tmp_path):
    with pytest.raises(FileNotFoundError, match="no recording at"):
        read(tmp_path / "none.h5")
    cut, foreign = write(tmp_path / "cut.h5", units), tmp_path / "foreign.h5"
    cut.write_bytes(cut.read_bytes()[:-1])
    h5py.File(foreign, "w").close()
    unfinished = write(tmp_path / "unfinished.h5", units, rows=32)
    for path, said in (
        (cut, "truncated"),
        (foreign, "is not a whole facelab recording"),
        (unfinished, "unfinished: 32 of 50 images"),
    ):
        with pytest.raises(ValueError, match=said) as error:
            read(path)
        assert "\n" not in str(error.value)
