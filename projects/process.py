"""Which processes of this clone are alive, and which were killed and left work behind.

When DVC is killed, the stage it started goes on as an orphan. The next run of
the same stage must not write beside it: `claim` ends the orphan first.
"""

import json
import os
import socket
from collections.abc import Mapping
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
DRIVER = "FACELAB_DRIVER"  # what a pipeline's processes inherit: whose they are


def tags() -> dict[str, str]:
    """Name this process, for the record of a run."""
    return {
        "process.host": socket.gethostname(),
        "process.root": str(ROOT),
        "process.id": str(os.getpid()),
        "process.born": _born(psutil.Process()),
    }


def is_dead(recorded: Mapping[str, str]) -> bool:
    """Tell whether a run of this clone, on this machine, has lost its process."""
    here = {"process.host": socket.gethostname(), "process.root": str(ROOT)}
    if any(recorded.get(name) != value for name, value in here.items()):
        return False
    return find(int(recorded["process.id"]), recorded["process.born"]) is None


def find(number: int, born: str) -> psutil.Process | None:
    """Give the process with this number if it is still the one that was meant."""
    try:
        process = psutil.Process(number)
        alive = process.status() != psutil.STATUS_ZOMBIE and _born(process) == born
    except psutil.NoSuchProcess:
        return None
    return process if alive else None


def claim(folder: Path) -> Path:
    """Make this process the only one at work in `folder`; give the file that says so.

    An orphan of a killed pipeline is ended, with its workers. DVC keeps two
    living pipelines off one stage, so what a pipeline finds here is an orphan.

    Raises
    ------
    BlockingIOError
        When a stage started by hand meets another one at work.
    """
    note = folder / "process.json"
    if note.exists():
        text = note.read_text()
        other = find(**json.loads(text)["process"]) if text else None
        by_pipeline = bool(text) and json.loads(text)["pipeline"]
        if other and other.pid != os.getpid():
            if not (by_pipeline and "DVC_STAGE" in os.environ):
                raise BlockingIOError(f"{folder.name} is already running as process {other.pid}")
            _end(other)
    folder.mkdir(parents=True, exist_ok=True)
    mine = {"process": json.loads(name_of_this()), "pipeline": "DVC_STAGE" in os.environ}
    note.write_text(json.dumps(mine))
    return note


def name_of_this() -> str:
    """Name this process so that `end_orphans` knows its children when it is gone."""
    return json.dumps({"number": os.getpid(), "born": _born(psutil.Process())})


def end_orphans() -> None:
    """End what a killed pipeline of this clone left running."""
    for process in psutil.process_iter():
        try:
            driver, place = process.environ().get(DRIVER), Path(process.cwd())
        except psutil.Error:
            continue
        # `mlflow run` may stand between: only what has lost its driver is an orphan.
        if (
            driver
            and place == ROOT
            and process.pid != os.getpid()
            and not find(**json.loads(driver))
        ):
            _end(process)


def _end(process: psutil.Process) -> None:
    """End a process and all that it started."""
    family = [*process.children(recursive=True), process]
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(family, timeout=30)


def _born(process: psutil.Process) -> str:
    return f"{process.create_time():.2f}"
