"""Which process may work where, and which one has lost the pipeline that it belongs to.

A lock on a file, which the system lets go when its holder dies, keeps two processes off the
same work. When DVC or the driver is killed, what it started would go on as an orphan: every
process that takes part in a pipeline therefore watches those above it, and stops with them.
"""

import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from typing import NoReturn, TextIO

import psutil

ROOT = Path(__file__).resolve().parents[1]
DRIVER = "FACELAB_DRIVER"  # names the driver to what it starts
PATIENCE_S = 30  # for an orphan to notice that it is one, and to stop
STARTING_S = 600  # for what a killed driver had just started, to come so far; on a busy machine
LOOK_S = 0.5
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


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


def name_of_this() -> str:
    """Name this process so that others can `find` it while it lives."""
    return json.dumps({"number": os.getpid(), "born": _born(psutil.Process())})


def find(number: int, born: str) -> psutil.Process | None:
    """Give the process with this number if it is still the one that was meant."""
    try:
        process = psutil.Process(number)
        alive = process.status() != psutil.STATUS_ZOMBIE and _born(process) == born
    except psutil.NoSuchProcess:
        return None
    return process if alive else None


def inherit(variable: str, value: str) -> bool:
    """Tell whether any process on this machine was started with a variable of this value."""
    return any(_variable(each, variable) == value for each in psutil.process_iter())


@contextmanager
def claim(folder: Path) -> Iterator[TextIO]:
    """While open, be the only process at work in `folder`; give the locked file.

    Whoever inherits the file holds the claim too. An orphan is given time to stop; one that
    does not is ended, when DVC, which keeps two living pipelines off one stage, runs this one.

    Raises
    ------
    BlockingIOError
        When another process is at work there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "claim").open("a+") as note:
        if not _lock(note):
            other = _holder(note)
            if not (other and "DVC_STAGE" in os.environ and _variable(other, "DVC_STAGE")):
                name = f"process {other.pid}" if other else "a process that is still ending"
                raise BlockingIOError(f"{folder.name} is already running as {name}")
            end(other)
            if not _lock(note):
                raise BlockingIOError(f"process {other.pid}, at work in {folder}, cannot be ended")
        note.truncate(0)
        note.write(name_of_this())
        note.flush()
        yield note


def end(process: psutil.Process) -> None:
    """End a process and all that it started."""
    with suppress(psutil.NoSuchProcess):
        family = [*process.children(recursive=True), process]
        for member in family:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        psutil.wait_procs(family, timeout=PATIENCE_S)


def follow_starters() -> None:
    """Stop this process, as SIGTERM would, when the pipeline that it belongs to is gone.

    Its starters are `mlflow run`, the driver, and DVC, as far as there are any.
    """
    above = [_starter(variable) for variable in ("MLFLOW_RUN_ID", "DVC_STAGE")]
    names = [json.dumps({"number": p.pid, "born": _born(p)}) for p in above if p]
    if driver := os.environ.get(DRIVER):
        names.append(driver)
    if names:
        threading.Thread(target=_watch, args=(names,), daemon=True).start()


def heed_signals() -> None:
    """Let SIGTERM and SIGHUP, like Ctrl-C, unwind the program: runs are closed, files removed.

    Nothing but another Ctrl-C interrupts that.
    """
    heeded = [each for each in SIGNALS if signal.getsignal(each) != signal.SIG_IGN]  # nohup

    def stop(number: int, _: object) -> NoReturn:
        for each in heeded:
            signal.signal(each, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        raise KeyboardInterrupt(signal.Signals(number).name)

    for each in heeded:
        signal.signal(each, stop)


def disregard_signals() -> None:
    """Let nothing interrupt a program whose work is done while it is leaving."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)


def _watch(names: list[str]) -> None:
    while all(find(**json.loads(name)) for name in names):
        time.sleep(LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE_S / 2)
    os._exit(1)  # something in it does not heed the signal


def _starter(variable: str) -> psutil.Process | None:
    """Give the process that set an inherited variable: the nearest above that has it not."""
    if variable not in os.environ:
        return None
    return next(
        (each for each in psutil.Process().parents() if not _variable(each, variable)), None
    )


def _variable(process: psutil.Process, name: str) -> str | None:
    with suppress(psutil.Error):
        return process.environ().get(name)
    return None


def _lock(note: TextIO) -> bool:
    """Lock a file, waiting while it is somebody else's; tell whether that worked.

    It may have outlived who locked it, in what a killed driver had started.
    """
    began = time.monotonic()
    while True:
        try:
            flock(note, LOCK_EX | LOCK_NB)
            return True
        except BlockingIOError:
            patience = PATIENCE_S if _holder(note) else STARTING_S
            if time.monotonic() - began > patience:
                return False
        time.sleep(LOOK_S)


def _holder(note: TextIO) -> psutil.Process | None:
    note.seek(0)
    try:
        return find(**json.loads(note.read()))
    except ValueError:  # it is about to write its name
        return None


def _born(process: psutil.Process) -> str:
    """Tell when a process was born, since the machine was: the clock may be set meanwhile."""
    return f"{process.create_time() - psutil.boot_time():.2f}"
