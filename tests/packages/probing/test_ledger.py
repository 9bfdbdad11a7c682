import errno
import os

import h5py
import numpy as np
import pytest
from facelab_probing.ledger import Ledger, Plan, Sheet, key_of, lay_out


@pytest.fixture
def plan():
    return Plan(
        ids=np.arange(10, 15),
        sheets={
            "b.conv": Sheet(shape=(2, 3, 1), units=6),
            "a": Sheet(shape=(4,), units=2, arrays={"variance": np.ones(2)}, notes={"reason": "r"}),
        },
        dtype="float32",
        labels={"age": np.linspace(0, 1, 5), "split": np.array(list("ttvtv"))},
        attributes={"network": "tiny"},
    )


@pytest.fixture
def path(plan, tmp_path):
    lay_out(tmp_path / "units.partial", plan, "the key")
    return tmp_path / "units.partial"


def test_the_layout_is_the_one_promised(path):
    with h5py.File(path) as file:
        assert list(file["layers"]) == ["0000_b.conv", "0001_a"]
        first, second = file["layers"].values()
        assert (first.attrs["name"], first.attrs["index"]) == ("b.conv", 0)
        assert first.attrs["shape"].tolist() == [2, 3, 1]
        assert first["units"].shape == (5, 6) and first["units"].dtype == "<f4"
        assert first["units"].compression is None
        assert second["units"].shape == (5, 2) and second.attrs["reason"] == "r"
        assert second["variance"][:].tolist() == [1, 1]
        assert file["image"][:].tolist() == [10, 11, 12, 13, 14]
        assert file["rows"][:].tolist() == [0]
        assert file["labels/split"][:].tolist() == [0, 0, 1, 0, 1]
        assert file["labels/split"].attrs["categories"] == '["t", "v"]'


def test_rows_written_by_place_are_rows_read_by_name(path, rng):
    units = rng.normal(size=(5, 6)).astype(np.float32)
    with Ledger(path) as ledger:
        ledger.write("b.conv", 2, units[2:])
        ledger.write("b.conv", 0, units[:2])
        ledger.advance(5)
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["layers/0000_b.conv/units"][:], units)
        assert file["rows"][:].tolist() == [5]


def test_the_counter_survives_being_closed(path):
    with Ledger(path) as ledger:
        assert (ledger.rows, ledger.count) == (0, 5)
        ledger.advance(3)
    with Ledger(path) as ledger:
        assert ledger.rows == 3


def test_a_short_write_is_continued(path, monkeypatch):
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda file, data, place: write(file, data[:5], place))
    with Ledger(path) as ledger:
        ledger.write("b.conv", 0, np.arange(12, dtype=np.float32).reshape(2, 6))
    with h5py.File(path) as file:
        assert file["layers/0000_b.conv/units"][:2].ravel().tolist() == list(range(12))


def test_a_full_disk_is_one_line_before_any_work(path, monkeypatch):
    def full(file, start, length):
        raise OSError(errno.ENOSPC, "No space left on device")

    with Ledger(path):
        pass
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match=r"the disk is full: .* GiB are left") as error, Ledger(path):
        pass
    assert error.value.errno == errno.ENOSPC and "\n" not in str(error.value)


def test_a_structure_that_cannot_be_written_is_one_line(plan, tmp_path):
    with pytest.raises(OSError, match=r"cannot write .*units.h5: ") as error:
        lay_out(tmp_path / "missing" / "units.h5", plan, "the key")
    assert "\n" not in str(error.value)


def test_a_disk_that_fills_up_on_the_way_is_one_line(path, monkeypatch):
    def full(file, data, place):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with Ledger(path) as ledger, pytest.raises(OSError, match="the disk is full: "):
        ledger.write("a", 0, np.zeros((1, 2), np.float32))


def test_a_file_system_that_cannot_reserve_is_used_all_the_same(path, monkeypatch):
    def unable(file, start, length):
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(os, "posix_fallocate", unable)
    with Ledger(path) as ledger:
        assert ledger.rows == 0


def test_two_processes_do_not_write_one_file(path):
    said = "is being written by another process"
    with Ledger(path), pytest.raises(BlockingIOError, match=said):
        key_of(path)
    assert key_of(path) == "the key"


def test_the_same_plan_makes_the_same_bytes(plan, path, tmp_path):
    lay_out(tmp_path / "other", plan, "the key")
    assert (tmp_path / "other").read_bytes() == path.read_bytes()


def test_an_unreadable_file_has_no_key(path, tmp_path):
    path.write_bytes(path.read_bytes()[:-1])
    assert key_of(path) is None
    assert key_of(tmp_path / "none") is None


@pytest.mark.parametrize("crossing", [False, True])
def test_a_finished_file_moves_to_its_target(path, tmp_path, monkeypatch, crossing):
    target, content, replace = tmp_path / "units.h5", path.read_bytes(), type(path).replace

    def cross(source, goal):
        if source == path:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return replace(source, goal)

    if crossing:
        monkeypatch.setattr(type(path), "replace", cross)
    with Ledger(path) as ledger:
        ledger.finish(target)
    assert [entry.name for entry in tmp_path.iterdir()] == ["units.h5"]
    assert target.read_bytes() == content
