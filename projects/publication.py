"""A finished stage's folders, moved to where DVC looks for them: complete, or not at all."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

KEPT = ("artifacts", "results", "run_id")


def publish(scratch: Path, place: Path) -> None:
    """Move `scratch`/artifacts to artifacts/`place`, and results likewise, over what was there.

    What the stage would go on from is removed first: killed from here on, it begins anew,
    rather than believe that what has been moved is still there.
    """
    for path in scratch.iterdir():
        if path.name not in KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for top in ("artifacts", "results"):
        target = Path(top) / place
        if target.exists():
            shutil.rmtree(target)
        if any((scratch / top).iterdir()):
            target.parent.mkdir(parents=True, exist_ok=True)
            move(scratch / top, target)


def move(made: Path, target: Path) -> None:
    """Move a folder, to another disk too; it appears complete or not at all."""
    try:
        made.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = target.with_name(f".{target.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        try:
            shutil.copytree(made, part)
            part.replace(target)
        finally:
            shutil.rmtree(part, ignore_errors=True)


@contextmanager
def disk_named() -> Iterator[None]:
    """Say which disk is full, where the system does not.

    Raises
    ------
    OSError
        In place of one that names no file.
    """
    try:
        yield
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename or "/" in str(error):
            raise
        raise OSError(f"the disk of {Path.cwd()} is full: {error.strerror}") from None
