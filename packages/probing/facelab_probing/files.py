"""New HDF5 files that appear complete or not at all, on a full disk too.

HDF5 does not survive a full disk: it crashes when it closes the file. So the disk is
reserved before anything is written, and a lack of it is found while the file is still sound.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py

SPARE_BYTES = 2**20
"""For names, attributes and HDF5's own book-keeping."""
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def create(path: Path) -> Iterator[h5py.File]:
    """Offer a new file to fill in; it is at `path` afterwards, unless that failed.

    Raises
    ------
    OSError
        When it cannot be made, in one line that names `path`.
    """
    fresh = path.with_name(path.name + ".new")
    try:
        file = h5py.File(fresh, "w")
    except OSError as error:  # HDF5 says it in many lines
        fresh.unlink(missing_ok=True)
        raise OSError(f"cannot write {path}: {str(error).splitlines()[0]}") from None
    try:
        with file:
            reserve(file, 0)
            yield file
            file.flush()
            size = file.id.get_filesize()
        os.truncate(fresh, size)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


@contextmanager
def reading(path: Path) -> Iterator[h5py.File]:
    """Open a file to read.

    Raises
    ------
    OSError
        When it is not there or damaged, in one line that names `path`.
    """
    try:
        file = h5py.File(path)
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is missing") from None
    except OSError as error:
        raise OSError(f"cannot read {path}: {str(error).splitlines()[0]}") from None
    with file:
        yield file


def reserve(file: h5py.File, size: int) -> None:
    """Reserve disk for `size` bytes of arrays that are about to be written to an open file.

    Raises
    ------
    OSError
        When the disk cannot hold them.
    """
    file.flush()
    end = file.id.get_filesize() + size + SPARE_BYTES
    claim(file.id.get_vfd_handle(), Path(file.filename), end)


def claim(descriptor: int, path: Path, size: int) -> None:
    """Claim the disk for a file of `size` bytes before hours of computing, not after.

    Raises
    ------
    OSError
        When the disk is too small, saying what is needed and what is left.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno in FULL:  # otherwise the file system cannot reserve, and need not
            raise explain(error, path, size) from None


def explain(error: OSError, path: Path, needed: int) -> OSError:
    """Say of a full disk how full it is; give any other error as it is."""
    if error.errno not in FULL:
        return error
    free = shutil.disk_usage(path.parent).free
    return OSError(
        error.errno,
        f"the disk is full: {path} needs {needed / 2**30:.3g} GiB in all, "
        f"{free / 2**30:.3g} GiB are left",
    )
