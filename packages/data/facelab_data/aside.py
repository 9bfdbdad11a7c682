"""Files that appear complete or not at all."""

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def aside(path: Path) -> Iterator[Path]:
    """Offer a name to write under; what is there afterwards moves to `path`, unless it failed.

    Raises
    ------
    OSError
        When the disk is full or not writable, in one line that names `path`.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except OSError as error:
        number = _errno(error)
        raise OSError(number, f"cannot write {path}: {os.strerror(number)}") from None
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def reserve(path: Path, size: int) -> None:
    """Set `size` bytes of disk aside for a file that is being written, or raise.

    HDF5 does not survive a full disk (it crashes when it closes the file), so the space must be
    there before it begins.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EINVAL):
            raise
    finally:
        os.close(descriptor)


def _errno(error: OSError) -> int:
    """Find the system's error number, which HDF5 hides in its message."""
    hidden = re.search(r"errno = (\d+)", str(error))
    return int(hidden[1]) if hidden else error.errno or errno.EIO
