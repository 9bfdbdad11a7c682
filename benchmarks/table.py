"""The table that the benchmarks fill in, one row per job and peer; kept as CSV, shown as Markdown.

A benchmark that is run again replaces its own rows and leaves the others, so every row says
when and where it was measured.
"""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import pandas as pd

from benchmarks.timing import Spread

NAMED = ("torch", "numpy", "scipy", "scikit-learn", "optuna", "numba", "h5py")
PEERS = (
    "captum", "himalaya", "lightning", "pyrender", "pyvista", "torch-incremental-pca", "torchlens",
)  # fmt: skip
SHOWN = {
    "job": "job",
    "size": "size",
    "facelab": "facelab",
    "peer": "peer",
    "theirs": "peer's",
    "ratio": "peer / facelab",
    "target": "target",
    "agreement": "agreement",
}
PREFACE = """\
# Side by side

Made by `make bench`. Times are processor seconds on one thread, the jobs taking turns. A ratio
is the median over the n turns (smallest–largest) of the peer's time over facelab's: above 1,
facelab is the cheaper. Targets are told, not enforced. The same table is in `results.csv`.
"""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One comparison.

    Attributes
    ----------
    job, size : str
        What was done, to how much.
    facelab, theirs : str
        What each needed or reached, with its unit; `theirs` is empty without a peer.
    peer : str
        Who else did it; empty when facelab is held to a target alone.
    ratio : Spread, optional
        The peer's cost over ours, over the turns.
    target : str
    met : bool, optional
        None where there is no target.
    agreement : str
        How far the results are apart.
    """

    job: str
    size: str
    facelab: str
    peer: str = ""
    theirs: str = ""
    ratio: Spread | None = None
    target: str = ""
    met: bool | None = None
    agreement: str = ""


def missing(job: str, size: str, peer: str) -> Row:
    """Make the row of a peer that is not there."""
    return Row(job=job, size=size, facelab="", peer=peer, theirs="not installed")


def tabulate(benchmark: str, rows: Iterable[Row]) -> pd.DataFrame:
    """Turn rows into text, a column per field, with the benchmark, the day and the machine."""
    cells = [asdict(row) | {"ratio": _ratio(row.ratio), "target": _target(row)} for row in rows]
    table = pd.DataFrame(cells, columns=list(SHOWN), dtype=str)
    return table.assign(benchmark=benchmark, measured=circumstances())


def replace(path: Path, fresh: pd.DataFrame, order: Sequence[str]) -> pd.DataFrame:
    """Put a benchmark's fresh rows in place of its old ones; write and return the whole table."""
    old = pd.read_csv(path, dtype=str, keep_default_na=False) if path.exists() else fresh[:0]
    kept = old[~old["benchmark"].isin(fresh["benchmark"]) & old["benchmark"].isin(order)]
    whole = pd.concat([kept, fresh], ignore_index=True)
    whole = whole.sort_values("benchmark", key=lambda names: names.map(order.index), kind="stable")
    whole.to_csv(path, index=False)
    return whole


def page(table: pd.DataFrame) -> str:
    """Write the table as a Markdown page, and beneath it where each benchmark ran."""
    where = table.groupby("measured", sort=False)["benchmark"].unique()
    notes = "".join(f"\n{', '.join(names)}: {place}\n" for place, names in where.items())
    return f"{PREFACE}\n{markdown(table)}{notes}"


def markdown(table: pd.DataFrame) -> str:
    """Lay out the columns to be read, aligned."""
    lines = [list(SHOWN.values()), *table[list(SHOWN)].to_numpy().tolist()]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |\n"
        for line in lines
    )


def circumstances() -> str:
    """Describe the machine, the versions and the day."""
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {_processor()}, {os.cpu_count()} processors; "
        f"Python {platform.python_version()}, {', '.join(map(_version, NAMED))}; "
        f"peers: {', '.join(map(_version, PEERS))}."
    )


def at_least(factor: float, ratio: Spread) -> dict[str, object]:
    """Give the fields of a row whose peer should take at least so many times our time."""
    return {"ratio": ratio, "target": f"≥ {factor:g}×", "met": ratio.median >= factor}


def _ratio(ratio: Spread | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio.median:.3g}× ({ratio.low:.3g}–{ratio.high:.3g}; n {ratio.turns})"


def _target(row: Row) -> str:
    verdict = {None: "", True: ": met", False: ": **missed**"}[row.met]
    return row.target + verdict


def _version(name: str) -> str:
    try:
        return f"{name} {metadata.version(name)}"
    except metadata.PackageNotFoundError:
        return f"{name} not installed"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
