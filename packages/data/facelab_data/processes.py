"""Several processes at one kind of task; none outlives the one that started them."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import islice
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_any
from typing import Any, TypeVar

T = TypeVar("T")
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
AHEAD = 2  # tasks handed out per process, so that none waits for work
HEAR_S = 0.2  # between looks at what tasks tell
_HEARERS: list[Callable[[Any], None]] = []


def spread(
    task: Callable[..., T],
    jobs: Iterable[tuple],
    workers: int,
    *,
    threads: int = 1,
    hear: Callable[[Any], None] | None = None,
) -> Iterator[T]:
    """Call `task` with the arguments of every job; yield what it returns as it gets done.

    Jobs are taken from the iterable only as processes become free. With one worker everything
    happens in this process. When this ends early, for whatever reason, the processes are stopped.

    Parameters
    ----------
    task : callable
        A function of a module (it is sent by name).
    threads : int
        For arithmetic, of each process.
    hear : callable, optional
        Is given, in this process, what tasks `tell` while they are at it.

    Raises
    ------
    RuntimeError
        When a process was killed. Whatever `task` raises is raised here too.
    """
    if workers == 1:
        with _listening(hear):
            yield from (task(*job) for job in jobs)
        return
    jobs = iter(jobs)
    spawn = multiprocessing.get_context("spawn")
    reader, writer = spawn.Pipe(duplex=False)
    words = spawn.SimpleQueue() if hear else None
    with _threads_each(threads), _main_unknown(), reader, writer:
        begin = {"initializer": _begin, "initargs": (reader, words)}
        pool = ProcessPoolExecutor(workers, mp_context=spawn, **begin)
        try:
            pending = {pool.submit(task, *job) for job in islice(jobs, AHEAD * workers)}
            while pending:
                timeout = HEAR_S if hear else None
                done, pending = wait(pending, timeout, return_when=FIRST_COMPLETED)
                while hear and not words.empty():
                    hear(words.get())
                for future in done:
                    pending |= {pool.submit(task, *job) for job in islice(jobs, 1)}
                    yield future.result()
        except BrokenProcessPool:
            message = "a process was killed from outside (is there enough memory?)"
            raise RuntimeError(message) from None
        finally:
            writer.close()  # stops what is still at work
            pool.shutdown(cancel_futures=True)


def tell(word: object) -> None:
    """Say something, from within a task of `spread`, to who started it, if anybody listens."""
    if _HEARERS:
        _HEARERS[-1](word)


@contextmanager
def _listening(hear: Callable[[Any], None] | None) -> Iterator[None]:
    _HEARERS.append(hear or (lambda _: None))
    try:
        yield
    finally:
        _HEARERS.pop()


def _begin(line: Connection, words: "multiprocessing.SimpleQueue | None") -> None:
    """Prepare a new process: Ctrl-C is the parent's to deal with, and whose end is ours."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, args=(line,), daemon=True).start()
    os.environ["TQDM_DISABLE"] = "1"  # bars of several processes would be drawn over each other
    if words is not None:
        _HEARERS.append(words.put)


def _follow_parent(line: Connection) -> None:
    wait_for_any([line, multiprocessing.parent_process().sentinel])
    os._exit(1)


@contextmanager
def _threads_each(count: int) -> Iterator[None]:
    """Set the environment that new processes inherit; libraries read it when they are loaded."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, str(count)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _main_unknown() -> Iterator[None]:
    """Keep new processes from loading the program that starts them, and all that it needs."""
    main = sys.modules["__main__"]
    before = {name: main.__dict__.pop(name, None) for name in ("__spec__", "__file__")}
    main.__spec__ = None
    try:
        yield
    finally:
        main.__dict__.update({name: value for name, value in before.items() if value is not None})
