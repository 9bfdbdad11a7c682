"""One stage of the pipeline: its parameters, its folders, its randomness, its run.

A stage has one name, used everywhere. ``gmf_decoding-decode`` in dvc.yaml is
``projects.gmf_decoding.decode``, the section ``gmf_decoding.decode`` of
params.yaml, the folder ``gmf_decoding/decode`` of artifacts/ and results/, and
the run of that name in MLflow. `tests/test_pipeline.py` holds all of them to it.

A stage writes into scratch/, and its folders are moved into place when it has
ended well: artifacts/ and results/ hold complete results or none. The scratch
folder is named for everything the result depends on, so a stage that was killed
finds its own half-done work there, and never another's.
"""

import json
import os
import shutil
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd
import torch
import torch.distributed
import yaml
from PIL import Image
from pydantic import NonNegativeInt, PositiveInt
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from projects import process, provenance, publication, tracking, values

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Run:
    """A stage in flight: what it may read, where it writes, what it has measured.

    Attributes
    ----------
    name, key : str
        The stage, and its row when it has rows.
    seed : int
        The stage's own seed, from the one in params.yaml and the stage's name.
    scratch : Path
        Kept when the stage is killed, and handed back when it starts again unchanged.
    artifacts, results : Path
        Inside `scratch` until the stage ends well; then moved into place.
    leads : bool
        Whether this process writes and is tracked; of several that torchrun started, the first.
    about : str
        What the run's page says that it is; Markdown.
    made_from : dict of str
        Every value logged so far: the stage's own, and those behind its inputs.
    """

    name: str
    key: str
    seed: int
    scratch: Path
    artifacts: Path
    results: Path
    metrics: dict[str, float] = field(default_factory=dict)
    about: str = ""
    leads: bool = True
    made_from: dict[str, str] = field(default_factory=dict)

    def params(self, kind: type[T], section: str) -> T:
        """Give a section of params.yaml as a typed value, and log it.

        A key that is missing, unknown or of the wrong type is an error naming it.
        """
        typed = values.typed(kind, section)
        # A row is logged under the name of its table, so that two rows can be compared.
        prefix = section.removesuffix(f".{self.key}") if self.key else section
        flat = {f"{prefix}.{key}".strip("."): str(v) for key, v in values.flat(typed).items()}
        self._know(flat, self.name)
        return typed

    def peek(self, section: str) -> dict:
        """Give a section of params.yaml as it stands, to tell which type it is."""
        return values.read(section)

    def read(self, path: str) -> Path:
        """Give a file or folder that another stage made, and log what it held.

        The values it was made from are logged, too, so that two decodings can be
        compared by the networks and the stimuli behind them.

        Raises
        ------
        FileNotFoundError
            When it is not there.
        """
        if not Path(path).exists():
            there = ", ".join(sorted(p.name for p in Path(path).parent.glob("*"))) or "nothing"
            raise FileNotFoundError(f"{path} is missing (there is {there}); `dvc repro` makes it")
        if self.leads:
            tracking.log_input(path, provenance.digest(Path(path)))
        self._know(provenance.made_from(Path(path)), path.partition("/")[2])
        return Path(path)

    def log(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Report metrics; the last value of each is the stage's result."""
        tracking.log_metrics(metrics, step)
        self.metrics |= metrics

    def curves(self, points: Iterable[tuple[str, int, float]]) -> None:
        """Report whole curves at once: metric, step, value."""
        tracking.log_curves(list(points))

    def table(self, table: pd.DataFrame, name: str) -> None:
        """Write a table to the stage's results."""
        table.to_csv(self.results / name, index=False, float_format="%.6g")

    def attach(self, path: Path) -> None:
        """Attach a file that is too big for the results to the run."""
        tracking.log_files(path)

    def describe(self, text: str) -> None:
        """Add a sentence to the description of the run."""
        self.about = f"{self.about}\n\n{text}".strip()
        tracking.describe(self.about)

    def picture(self, pixels: np.ndarray, name: str) -> None:
        """Write an image (H, W, 3), uint8, to the stage's results."""
        Image.fromarray(pixels).save(self.results / name)

    def _know(self, found: Mapping[str, str], place: str) -> None:
        """Log values; where an input was made otherwise than one before it, under its place."""
        same = {name: self.made_from.get(name, value) == value for name, value in found.items()}
        fresh = {n if same[n] else f"{n}/{place}": value for n, value in found.items()}
        if self.leads:
            tracking.log_params(fresh)
        self.made_from |= fresh


@contextmanager
def run(name: str, key: str = "", *, together: bool = False) -> Iterator[Run]:
    """Open a stage: claimed, seeded, tracked, with its folders ready.

    A stage that was killed is taken up again, in the same MLflow run. Of the processes that
    torchrun starts, for a stage that can work `together`, the first alone has all this; the others
    have the values and the seed.
    """
    place = Path(name.replace("-", "/"), key)
    threads = values.typed(PositiveInt, "threads")
    if torch.distributed.is_torchelastic_launched():
        if not together and os.environ["WORLD_SIZE"] != "1":
            raise ValueError(f"{name} is the work of one process; start it without torchrun")
        if os.environ["RANK"] != "0":
            with threadpool_limits(threads):
                yield _follow(name, key, place)
            return
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    work = provenance.fingerprint(stages[name], key, values.tree())
    with publication.disk_named(), process.claim(Path("scratch") / place):
        tracking.connect()
        stage = _prepare(name, key, Path("scratch") / place / work)
        stage.about = stages[name].get("do", stages[name]).get("desc", "")
        torch.set_num_threads(threads)
        address = f"{name}@{key}".removesuffix("@")
        note, tags = stage.scratch / "run_id", {"dvc.stage": address}
        with (
            threadpool_limits(threads),
            tracking.run(name.partition("-")[0], str(place), note, tags),
        ):
            tracking.log_params({"seed": values.typed(NonNegativeInt, "seed"), "row": key or "-"})
            stage.describe(f"`{tracking.command(address)}`")
            yield stage
            _publish(stage, place)
        shutil.rmtree(stage.scratch)


def start(main: Callable[..., None]) -> None:
    """Run a stage's `main` from the command line; say what went wrong in one line."""
    process.heed_signals()
    try:
        process.follow_starters()
        main(*_row(main, sys.argv[1:]))
        process.disregard_signals()
        return
    except KeyboardInterrupt:
        text = "stopped; the same command goes on from here"
    except (KeyError, IndexError):
        raise  # not about what the user said: an error in the code
    except (ValueError, OSError, LookupError, RuntimeError) as error:
        text = " ".join(str(error).split())
    # As tqdm writes, it stands on a line of its own below a bar that was cut short.
    tqdm.write(f"{os.environ.get('DVC_STAGE', 'facelab')}: {text}", file=sys.stderr)
    sys.exit(1)


def _row(main: Callable[..., None], words: list[str]) -> list[str]:
    """Check the words on the command line: the row of a stage that has rows, and nothing else."""
    wanted = len(signature(main).parameters)
    if len(words) != wanted:
        what = "one row of its table in params.yaml" if wanted else "no row"
        raise ValueError(f"this stage takes {what}, not {' '.join(words) or 'nothing'}")
    return words


def _prepare(name: str, key: str, scratch: Path) -> Run:
    """Make the folders and the randomness of a stage."""
    for other in scratch.parent.glob("*/run_id"):
        if other.parent != scratch:
            shutil.rmtree(other.parent)
    folders = scratch / "artifacts", scratch / "results"
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
    return Run(name, key, _seed(scratch.parent.relative_to("scratch")), scratch, *folders)


def _follow(name: str, key: str, place: Path) -> Run:
    """Give the run of a process that only helps the first: it has nowhere to write."""
    nowhere = Path(os.devnull)
    torch.set_num_threads(values.typed(PositiveInt, "threads"))
    return Run(name, key, _seed(place), nowhere, nowhere, nowhere, leads=False)


def _seed(place: Path) -> int:
    """Draw the stage's own seed, and start torch from it."""
    entropy = [values.typed(NonNegativeInt, "seed"), zlib.crc32(str(place).encode())]
    seed = int(np.random.default_rng(entropy).integers(2**31))
    torch.manual_seed(seed)
    return seed


def _publish(stage: Run, place: Path) -> None:
    """Write down what was measured and what it was made from; move all of it into place."""
    if stage.metrics:
        text = json.dumps(stage.metrics, indent=2, sort_keys=True)
        (stage.results / "metrics.json").write_text(text + "\n")
    tracking.log_files(stage.results)
    if any(stage.artifacts.iterdir()):
        text = json.dumps(stage.made_from, indent=2, sort_keys=True)
        (stage.artifacts / provenance.MADE_FROM).write_text(text + "\n")
    publication.publish(stage.scratch, place)
