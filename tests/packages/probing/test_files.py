import errno
import os

import h5py
import numpy as np
import pytest
from facelab_probing.files import create, reading, reserve


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scores.h5"


@pytest.fixture
def fill(monkeypatch):
    """Give a disk that holds so many bytes of a file."""

    def limit(size):
        def allocate(file, start, length):
            if length > size:
                raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "posix_fallocate", allocate)

    return limit


def test_what_was_written_is_there_and_nothing_beside_it(path, rng):
    values = rng.normal(size=(300, 40))
    with create(path) as file:
        reserve(file, values.nbytes)
        file["a/scores"] = values
        assert not path.exists()
    with h5py.File(path) as file:
        np.testing.assert_array_equal(file["a/scores"], values)
    assert list(path.parent.iterdir()) == [path]
    assert values.nbytes < path.stat().st_size < values.nbytes + 2**14


def test_a_full_disk_is_one_line_and_leaves_what_was_there(path, fill):
    path.write_text("of before")
    fill(2**21)
    with (
        pytest.raises(OSError, match=r"the disk is full: .*scores.h5") as error,
        create(path) as file,
    ):
        reserve(file, 2**19)
        file["first"] = np.zeros(2**16)
        reserve(file, 2**20)
    assert error.value.errno == errno.ENOSPC and "\n" not in str(error.value)
    assert path.read_text() == "of before"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_on_the_way_leaves_nothing(path):
    with pytest.raises(ValueError, match="no such layer"), create(path):
        raise ValueError("no such layer")
    assert not list(path.parent.iterdir())


def test_a_file_that_cannot_be_made_is_one_line(path):
    with (
        pytest.raises(OSError, match=r"cannot write .*scores.h5: ") as error,
        create(path / "scores.h5"),
    ):
        pass
    assert "\n" not in str(error.value)


def test_a_file_that_was_cut_short_is_named(path):
    with create(path) as file:
        file["scores"] = np.arange(1000)
    with reading(path) as file:
        assert file["scores"][-1] == 999
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(OSError, match=r"cannot read .*scores.h5: .*truncated"), reading(path):
        pass
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"scores.h5 is missing"), reading(path):
        pass
