"""Drawing a stimulus set: several processes, nothing lost when they are killed.

The set is drawn in shards, each written aside and renamed once complete. Whoever comes back
after a crash finds the finished ones and draws the rest; the set does not depend on how many
processes drew it, in what order, or how often they were interrupted.
"""

import errno
import fcntl
import hashlib
import inspect
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from facelab_data import shards, stimuli
from facelab_data.factors import FACTORS
from facelab_data.processes import spread
from facelab_data.shards import Pen


def produce(
    path: Path,
    factors: pd.DataFrame,
    pen: Pen,
    *,
    workers: int,
    scratch: Path,
    shard_size: int,
    names: Mapping[str, tuple[str, ...]] = stimuli.NONE,
    provenance: Mapping[str, object] = stimuli.NONE,
) -> None:
    """Draw every row of a table into one stimulus set.

    Parameters
    ----------
    factors : DataFrame
        As from `factors.sample`.
    workers : int
        Processes, of one thread each; 1 draws in this process.
    scratch : Path
        Where finished shards wait. Those of an interrupted run are used again when table, pen,
        face model and code are the same.
    shard_size : int
        Images that are drawn, and kept or lost, together.
    names, provenance : mapping
        Stored with the set, see `stimuli.write`.

    Raises
    ------
    RuntimeError
        When an image cannot be drawn, naming it, or a process was killed.
    OSError
        When the disk is too small or not writable. In every case in one line, with nothing at
        `path` and the finished shards kept.
    """
    if workers < 1 or shard_size < 1:
        raise ValueError(f"workers is {workers}, shard_size {shard_size}; at least 1 is needed")
    factors = factors.reset_index(drop=True)
    folder = scratch / f"{path.stem}-{_fingerprint(factors, pen, shard_size)}"
    with _claim(folder):
        starts = range(0, len(factors), shard_size)
        jobs = {folder / f"{start:09d}.npz": slice(start, start + shard_size) for start in starts}
        _draw(pen, factors, jobs, path=path, workers=workers)
        _assemble(path, pen, factors, jobs, names=names, provenance=provenance)
    shutil.rmtree(folder, ignore_errors=True)


def _draw(
    pen: Pen, factors: pd.DataFrame, jobs: Mapping[Path, slice], *, path: Path, workers: int
) -> None:
    """Draw the shards that are not there yet."""
    shards.opened.cache_clear()  # the model's file may have changed since
    with tqdm(total=len(factors), desc="drawing", unit="image") as bar:
        todo = []
        for shard, rows in jobs.items():
            images = len(factors[rows])
            if shards.load(shard, pen.shape(images)) is None:
                todo.append((pen, shard, rows))
            else:
                bar.update(images)
        size = int(np.prod(pen.shape(1)))
        rest = sum(len(factors[rows]) for _, _, rows in todo)
        _check_space({path: len(factors) * size, next(iter(jobs)): rest * size})
        work = ((pen, shard, factors[rows]) for pen, shard, rows in todo)
        for drawn in spread(shards.draw, work, workers):
            bar.update(drawn)


def _assemble(
    path: Path,
    pen: Pen,
    factors: pd.DataFrame,
    jobs: Mapping[Path, slice],
    **about: Mapping,
) -> None:
    """Put the shards together, in the order of the table."""
    kept = {name: factor for name, factor in FACTORS.items() if _present(name, factors)}
    ordered = {
        name: pd.CategoricalDtype(list(factor.values))
        for name, factor in kept.items()
        if factor.values
    }
    bar = tqdm(jobs.items(), desc="assembling", unit="shard")
    stimuli.write(
        path,
        (_whole(shard, pen.shape(len(factors[rows]))) for shard, rows in bar),
        factors.astype(ordered),
        {name: factor.kind for name, factor in kept.items()},
        {name: factor.level for name, factor in kept.items()},
        units={name: factor.unit for name, factor in kept.items()},
        **about,
    )


def _present(name: str, factors: pd.DataFrame) -> bool:
    return name in factors or f"{name}_000" in factors


def _whole(shard: Path, shape: tuple[int, ...]) -> np.ndarray:
    images = shards.load(shard, shape)
    if images is None:
        raise RuntimeError(f"{shard} was damaged after it was drawn; start again to redraw it")
    return images


@contextmanager
def _claim(folder: Path) -> Iterator[None]:
    """Make sure that no other process draws the same set at the same time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RuntimeError(f"another process is drawing into {folder}") from None
        yield


def _check_space(sizes: Mapping[Path, int]) -> None:
    """Raise now rather than hours later when the disks are too small."""
    wanted: Counter[int] = Counter()
    for path, size in sizes.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        disk = path.parent.stat().st_dev
        wanted[disk] += size
        free = shutil.disk_usage(path.parent).free
        if wanted[disk] > free:
            need = f"{wanted[disk] / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free"
            raise OSError(errno.ENOSPC, f"cannot draw to {path.parent}: {need}")


def _fingerprint(factors: pd.DataFrame, pen: Pen, shard_size: int) -> str:
    """Sum up everything that the images depend on, 16 hexadecimal digits."""
    drawn_as = (
        pen.draw.__qualname__,
        pen.open_model.__qualname__,
        *pen.shape(shard_size),
        pen.seed,
    )
    digest = hashlib.sha256(repr((drawn_as, list(factors.columns))).encode())
    digest.update(pd.util.hash_pandas_object(factors).to_numpy().tobytes())
    folders = {Path(inspect.getfile(code)).parent for code in (produce, pen.draw, pen.open_model)}
    sources = [source for folder in sorted(folders) for source in sorted(folder.rglob("*.py"))]
    models = [pen.model, *sorted(pen.model.rglob("*"))] if pen.model.exists() else []
    for file in (file for file in [*sources, *models] if file.is_file()):
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    return digest.hexdigest()[:16]
